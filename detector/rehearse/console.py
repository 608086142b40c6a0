"""A rehearsal on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from detector.rehearse.results import ShapeResult
from detector.rehearse.words import blind_spots, family, headline
from detector.report.power import SYMBOLS
from detector.report.rehearsal import NOTE, RehearsalRun, columns, grid, standing
from detector.report.text import count, duration, line, percent, quantity

SHOWN_SPOTS = 8
HARVEST_WIDTH, CELL_WIDTH = 32, 8  # columns of the terminal; where they do not fit, cells show their symbol alone
STYLES = {"always": "bold green", "mostly": "green", "seldom": "yellow", "never": "bold red"}


def print_rehearsal(console: Console, run: RehearsalRun, out: Path) -> None:
    """Print what would be caught and what not, what the planting did to the log's own accounts, and where the report is."""
    found = run.rehearsal
    console.print()
    console.print(_table(run, console.width))
    console.print(
        Text.assemble(*(part for name, words in (
            ("always", "every time"), ("mostly", "in half or more"), ("seldom", "in fewer than half"), ("never", "never"),
        ) for part in ((f"{SYMBOLS[name]} ", STYLES[name]), (f"{words}   ", "dim"))))
    )  # fmt: skip
    console.print()
    console.print(Text(" ".join(headline(found)), style="bold"))
    spots = blind_spots(found)
    for spot in spots[:SHOWN_SPOTS]:
        console.print(Text.assemble(("○ ", STYLES["never"]), line(spot.text, 900)))
    if len(spots) > SHOWN_SPOTS:
        console.print(Text(f"… and {count(len(spots) - SHOWN_SPOTS)} more in the report", style="dim"))
    if found.skipped:
        sizes = sorted({s.accounts for s in found.skipped})
        left_out = f"{quantity(len(found.skipped), 'shape')} left out as too large for this log (those of {', '.join(map(count, sizes))} accounts)."
        console.print(Text(left_out, style="yellow"))
    if found.repeats < found.plan.repeats:
        few = f"The budget was enough for {found.repeats} of {found.plan.repeats} repeats; raise --budget for more."
        console.print(Text(few, style="yellow"))
    disturbed = found.disturbance
    changed = len(disturbed.changed)
    of = f"{count(disturbed.accounts)}, in {quantity(disturbed.assessments, 'assessment')}"
    sane = f"Own accounts whose verdict the planting changed: {count(changed)} of {of}."
    console.print(Text(sane, style="yellow" if changed > 0.01 * disturbed.accounts else "dim"))
    console.print(Text(NOTE, style="italic"))
    console.print(
        Text(f"{quantity(found.planted, 'request')} planted, {quantity(run.rejected, 'row')} not readable, {duration(run.seconds)}"), style="dim"
    )  # fmt: skip
    console.print(Text.assemble("Report: ", (line(str(out / "rehearsal.html")), "bold")), soft_wrap=True)


def _table(run: RehearsalRun, console_width: int) -> Table:
    """Families by shapes: campaigns caught of those planted."""
    found = run.rehearsal
    table = Table(
        title=f"Caught of {quantity(found.repeats, 'rehearsal')} each, by accounts, requests of each, and cover",
        title_justify="left", title_style="bold", header_style="bold", expand=False, pad_edge=False,
    )  # fmt: skip
    table.add_column("Harvest", overflow="fold", max_width=HARVEST_WIDTH - 2)
    heads = columns(found)
    roomy = console_width >= HARVEST_WIDTH + CELL_WIDTH * len(heads)
    for i, (accounts, requests, paraphrases, cover) in enumerate(heads):
        first = i == 0 or heads[i - 1][:3] != (accounts, requests, paraphrases)
        wordings = f"\n{paraphrases} w." if len(found.plan.paraphrases) > 1 else ""
        size = f"{count(accounts)}×{count(requests)}" if first else ""
        table.add_column(f"{size}{wordings if first else ''}\n{percent(cover)}", justify="center", no_wrap=True)
    for name, row in grid(found).items():
        cells = []
        for head in heads:
            result = row.get(head)
            cells.append(_cell(result, roomy) if result else Text(""))
        table.add_row(Text(family(name)), *cells)
    return table


def _cell(result: ShapeResult, roomy: bool) -> Text:
    how = standing(result)
    figures = f" {result.caught.k}/{result.caught.n}" if roomy else ""
    return Text(f"{SYMBOLS[how]}{figures}", style=STYLES[how])
