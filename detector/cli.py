"""The command line of the detector: audit, explain, calibrate, simulate, evaluate, rehearse. The service adds its own commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.cli_explain import explain
from detector.cli_options import (
    CLEAN,
    ERROR,
    FINDINGS,
    AccountAttributes,
    Calibration,
    Format,
    MaxFalseFlags,
    Paths,
    fail,
)
from detector.cli_rehearse import rehearse

app = typer.Typer(
    name="distillwatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Find the accounts, and coordinated groups of accounts, that harvest an LLM API to train another model.",
    epilog="Exit codes: 0 nothing found, 1 findings, 2 error.",
)

__all__ = ["CLEAN", "ERROR", "FINDINGS", "app", "fail", "main"]


@app.command()
def audit(
    paths: Paths,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="Folder for accounts.parquet, campaigns.parquet, report.json, report.html, rejected.jsonl.",
        ),
    ],
    format: Format = "auto",
    account: Annotated[
        str | None, typer.Option(help="Account of all rows, for formats that name none (provider batch files).")
    ] = None,
    account_attribute: AccountAttributes = None,
    engine: Annotated[
        str,
        typer.Option(
            help="Where the log is read: `local` in threads of this process; `processes` in one process a core, for logs of many files."
        ),
    ] = "local",
    calibration: Calibration = None,
    max_false_flags: MaxFalseFlags = None,
    keep_profiles: Annotated[
        bool, typer.Option("--keep-profiles", help="Also write profiles.bin (no text), for `explain --audit`.")
    ] = False,
) -> None:
    """Audit a historic log: who harvests, which groups work together, and why we think so.

    Example: distillwatch audit logs/ --out audit/ && open audit/report.html
    """
    from detector.audit import audit as run_audit
    from detector.console import AuditProgress, console, print_assessment
    from detector.formats import FormatError
    from detector.pipeline import Detector

    try:
        with AuditProgress(console) as progress:
            progress.stage("loading the encoder")
            detector = Detector.load(calibration).with_max_false_flags(max_false_flags)
            run = run_audit(
                paths,
                out,
                detector=detector,
                format=format,
                account=account,
                account_attributes=account_attribute or (),
                engine=engine,
                calibration=calibration,
                keep_profiles=keep_profiles,
                progress=progress,
            )
    except (FormatError, FileNotFoundError, ValueError) as error:
        raise fail(str(error)) from error
    print_assessment(console, run.run, run.assessment, out)
    raise typer.Exit(FINDINGS if run.assessment.flagged() else CLEAN)


@app.command()
def calibrate(
    paths: Paths,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the calibration; give it to `audit --calibration`.")
    ],
    format: Format = "auto",
    clusters: Annotated[
        int | None, typer.Option(help="Size of the codebook; by default up to 1024, by the number of prompts.", min=2)
    ] = None,
    max_false_flags: MaxFalseFlags = None,
) -> None:
    """Learn topics, public templates and the population from your own logs, best from a period that was reviewed.

    A sentence or system prompt that several accounts of that log share is taken as public, and ties nobody later.
    """
    from detector.calibration import calibrate as run_calibrate
    from detector.console import AuditProgress, console
    from detector.formats import FormatError
    from detector.pipeline import Detector

    try:
        with AuditProgress(console) as progress:
            run = run_calibrate(
                paths,
                out,
                detector=Detector.load(),
                format=format,
                clusters=clusters,
                max_false_flags=max_false_flags,
                progress=progress,
            )
    except (FormatError, FileNotFoundError, ValueError) as error:
        raise fail(str(error)) from error
    console.print(
        f"Learnt {run.clusters} clusters from {run.prompts:,} distinct prompts of {run.accounts:,} accounts, "
        f"and {run.frames:,} sentences that are public here; "
        f"thresholds are set for at most {run.max_false_flags:.2%} of honest accounts."
    )
    if run.rejected:
        console.print(
            f"{run.rejected:,} rows could not be read; `distillwatch audit` of the same files tells which and why."
        )
    console.print(f"Use it: distillwatch audit LOG --calibration {run.out} --out DIR")


@app.command()
def simulate(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="Folder for events.jsonl, and for what is true of it: labels.parquet, labels_events.parquet, campaigns.parquet, labels.jsonl.",
        ),
    ],
    scenario: Annotated[str, typer.Option(help="Preset: smoke (small), demo (a week, about 20,000 events).")] = "demo",
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 1,
) -> None:
    """Make labelled traffic: honest customers of many kinds, and campaigns that harvest among them."""
    from detector.console import console
    from detector.simulate import PRESETS, write
    from detector.simulate import simulate as run_simulate

    if scenario not in PRESETS:
        raise fail(f"unknown scenario {scenario!r}: choose one of {', '.join(PRESETS)}")
    with console.status("simulating"):
        traffic = run_simulate(PRESETS[scenario], seed)
        write(traffic, out)
    labels = traffic.accounts
    attackers = int((labels["label"] == "attack").sum())
    console.print(
        f"{len(traffic.events):,} events of {len(labels):,} accounts, {attackers:,} of them harvesting, in {out}"
    )


@app.command()
def evaluate(
    audit_dir: Annotated[Path, typer.Argument(help="Folder that `distillwatch audit` wrote.", show_default=False)],
    labels: Annotated[Path, typer.Argument(help="labels.parquet of the traffic, or its folder.", show_default=False)],
) -> None:
    """Measure an audit against labels: recall, false flags, exposure, time to detection."""
    from detector.console import console
    from detector.evaluate import evaluate as run_evaluate
    from detector.evaluate import print_metrics

    try:
        print_metrics(console, run_evaluate(audit_dir, labels))
    except (FileNotFoundError, ValueError) as error:
        raise fail(str(error)) from error


app.command()(rehearse)
app.command()(explain)


def main() -> None:
    """Entry point of the detector alone."""
    app()
