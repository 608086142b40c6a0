"""What the detector's commands share: their options, their exit codes, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CLEAN, FINDINGS, ERROR = 0, 1, 2

Paths = Annotated[
    list[Path], typer.Argument(help="Log files or folders: .jsonl .jsonl.gz .jsonl.zst .parquet", show_default=False)
]
Format = Annotated[str, typer.Option("--format", "-f", help="Log format; `auto` looks at the shape of the rows.")]
AccountAttributes = Annotated[
    list[str] | None,
    typer.Option(
        "--account-attribute",
        help="Attribute or property that names the account, before all others, e.g. app.customer_id; may be repeated.",
        show_default=False,
    ),
]
Calibration = Annotated[
    Path | None, typer.Option(help="Folder written by `distillwatch calibrate`; without it the shipped one.")
]
MaxFalseFlags = Annotated[
    float | None,
    typer.Option(
        help="Share of honest accounts that may be flagged, e.g. 0.001: the threshold follows from it.",
        min=1e-5,
        max=0.1,
        show_default="0.001, or that of the calibration",
    ),
]


def fail(message: str) -> typer.Exit:
    """Print an error to standard error and return the exit to raise."""
    typer.secho(f"error: {message}", fg=typer.colors.RED, err=True)
    return typer.Exit(ERROR)
