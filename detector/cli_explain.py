"""The command ``explain``: why an account has its verdict, and what would change it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from detector.cli_options import CLEAN, FINDINGS, AccountAttributes, Calibration, Format, MaxFalseFlags, fail


def explain(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of the account.", show_default=False)],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[LOG]...",
            help="Log files or folders: .jsonl .jsonl.gz .jsonl.zst .parquet. All of the log, as campaigns show only in it.",
            show_default=False,
        ),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a log: folder of a finished `distillwatch audit --keep-profiles`.", show_default=False
        ),
    ] = None,
    format: Format = "auto",
    account: Annotated[
        str | None, typer.Option(help="Account of all rows, for formats that name none (provider batch files).")
    ] = None,
    account_attribute: AccountAttributes = None,
    calibration: Calibration = None,
    max_false_flags: MaxFalseFlags = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs; progress goes to standard error.")
    ] = False,
) -> None:
    """Explain the verdict on one account: the evidence for and against, and what would change it.

    Works for every account, flagged or clear. What is said of the ordinary compares with the population of the calibration.
    What would change the verdict is searched with the scorer itself, not estimated.

    Example: distillwatch explain acct_4711 logs/

    Exit code 1 if the account is flagged, 0 if not.
    """
    from rich.console import Console

    from detector.console import AuditProgress, console
    from detector.explain.console import print_explanation
    from detector.explain.sources import UnknownAccount, explain_audit, explain_logs, to_json
    from detector.formats import FormatError

    if bool(paths) == (audit is not None):
        raise fail("give the log, or --audit with the folder of a finished audit: distillwatch explain ACCOUNT LOG...")
    try:
        with AuditProgress(Console(stderr=True) if json else console) as progress:
            if audit is not None:
                explained = explain_audit(
                    account_id, audit, calibration=calibration, max_false_flags=max_false_flags, progress=progress
                )
            else:
                explained = explain_logs(
                    account_id,
                    paths or [],
                    format=format,
                    account=account,
                    account_attributes=account_attribute or (),
                    calibration=calibration,
                    max_false_flags=max_false_flags,
                    progress=progress,
                )
    except (FormatError, FileNotFoundError, UnknownAccount, ValueError) as error:
        raise fail(str(error)) from error
    if json:
        sys.stdout.buffer.write(to_json(explained))
        sys.stdout.buffer.flush()
    else:
        print_explanation(console, explained)
    raise typer.Exit(FINDINGS if explained.account.verdict == "flag" else CLEAN)
