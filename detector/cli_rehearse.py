"""The command ``rehearse``: which harvesting would be caught in an operator's own log, and which would not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from detector.cli_options import Calibration, Format, MaxFalseFlags, Paths, fail

T = TypeVar("T", int, float)


def rehearse(
    paths: Paths,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for rehearsal.html, rehearsal.json and rehearsal.parquet.")
    ],
    format: Format = "auto",
    calibration: Calibration = None,
    max_false_flags: MaxFalseFlags = None,
    family: Annotated[
        list[str] | None,
        typer.Option(
            help="Kind of harvest to rehearse, such as `reasoning`; may be given several times. An unknown one is answered with all there are.",
            show_default="all 13",
        ),
    ] = None,
    accounts: Annotated[
        str, typer.Option(help="Numbers of accounts that share one harvest, separated by commas.")
    ] = "1,5,25,100",
    requests: Annotated[
        str | None,
        typer.Option(
            help="Requests that each account sends, cover included; several separated by commas.",
            show_default="200 of one account, fewer of many: 40 of each of 25, 20 of each of 100",
        ),
    ] = None,
    cover: Annotated[
        str, typer.Option(help="Shares of them that imitate an ordinary user, separated by commas.")
    ] = "0,0.5,0.8",
    paraphrases: Annotated[
        str, typer.Option(help="Wordings in which the same is asked; several numbers separated by commas.")
    ] = "1",
    identity: Annotated[
        str, typer.Option(help="Network and payment of the accounts: unshared, partly, shared.")
    ] = "unshared",
    repeats: Annotated[int, typer.Option(min=1, help="Campaigns of each shape.")] = 3,
    budget: Annotated[
        int, typer.Option(min=1, help="Requests planted in all; where they are too few, fewer repeats.")
    ] = 500_000,
    seed: Annotated[int, typer.Option(help="The same seed plants the same campaigns.")] = 1,
) -> None:
    """Plant simulated campaigns into your own log, and see which would be caught: the blind spots.

    Every combination of family, accounts, requests, cover and paraphrases is a shape.

    The log is read once and stays as it is. With 50,000 requests, the default takes some minutes.

    Example: distillwatch rehearse logs/ --out rehearsal/ --family reasoning --accounts 1,25 --cover 0,0.5
    """
    from detector.console import AuditProgress, console
    from detector.formats import FormatError
    from detector.pipeline import Detector
    from detector.rehearse.console import print_rehearsal
    from detector.rehearse.files import rehearse_files
    from detector.rehearse.plan import IDENTITIES, Plan

    try:
        if identity not in IDENTITIES:
            raise ValueError(f"--identity {identity}: choose one of {', '.join(IDENTITIES)}")
        plan = Plan(
            families=tuple(dict.fromkeys(family)) if family else Plan().families,
            accounts=_numbers("--accounts", accounts, int),
            requests=_numbers("--requests", requests, int) if requests else (),
            covers=_numbers("--cover", cover, float),
            paraphrases=_numbers("--paraphrases", paraphrases, int),
            identity=identity,
            repeats=repeats,
            budget=budget,
            seed=seed,
        )
        plan.check()
        with AuditProgress(console) as progress:
            progress.stage("loading the encoder")
            detector = Detector.load(calibration).with_max_false_flags(max_false_flags)
            run = rehearse_files(paths, out, detector=detector, plan=plan, format=format, progress=progress)
    except (FormatError, FileNotFoundError, ValueError) as error:
        raise fail(str(error)) from error
    print_rehearsal(console, run, out)


def _numbers(option: str, text: str, kind: Callable[[str], T]) -> tuple[T, ...]:
    """Numbers of a list like 1,5,25, each once."""
    try:
        return tuple(dict.fromkeys(kind(part) for part in text.split(",")))
    except ValueError:
        example = "1,5,25" if kind is int else "0,0.5,0.8"
        raise ValueError(f"{option} {text}: give numbers with commas between them, e.g. {example}") from None
