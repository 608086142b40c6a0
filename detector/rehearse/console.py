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
from detector.report.text import count, duration, line, quantity

SHOWN_SPOTS = 8
HARVEST_WIDTH = 30
BORDERS = 3  # around each column of a table
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


def _table(run: RehearsalRun, width: int) -> Table:
    """Families by sizes: campaigns caught of those planted, for each cover. Narrow terminals get the symbols alone."""
    found = run.rehearsal
    sizes: dict[tuple[int, int, int], list[float]] = {}
    for *size, cover in columns(found):
        sizes.setdefault((size[0], size[1], size[2]), []).append(cover)
    part = len(f"● {found.repeats}/{found.repeats}")
    roomy = HARVEST_WIDTH + sum(BORDERS + len(covers) * (part + 1) for covers in sizes.values()) <= width
    part = part if roomy else 2
    table = Table(
        title=f"Caught of {quantity(found.repeats, 'rehearsal')} each, by accounts × requests of each, and % of ordinary traffic",
        title_justify="left", title_style="bold", header_style="bold", expand=False,
    )  # fmt: skip
    table.add_column("Harvest", overflow="fold", max_width=HARVEST_WIDTH)
    for (accounts, requests, paraphrases), covers in sizes.items():
        head = f"{count(accounts)}×{count(requests)}" + (f" w{paraphrases}" if len(found.plan.paraphrases) > 1 else "")
        below = " ".join(f"{c * 100:.0f}{' %' * roomy}".center(part) for c in covers)
        table.add_column(f"{head}\n{below}", no_wrap=True)
    for name, row in grid(found).items():
        cells = [
            Text(" ").join(_cell(row.get((*size, cover)), part, roomy) for cover in covers)
            for size, covers in sizes.items()
        ]
        table.add_row(Text(family(name)), *cells)
    return table


def _cell(result: ShapeResult | None, width: int, roomy: bool) -> Text:
    if result is None:  # too large for the log
        return Text(" " * width)
    how = standing(result)
    figures = f" {result.caught.k}/{result.caught.n}" if roomy else ""
    return Text(f"{SYMBOLS[how]}{figures}".center(width), style=STYLES[how])
