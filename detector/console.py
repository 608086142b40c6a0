"""What the command line shows: progress of long work, and findings as tables.

Ids and reasons may hold text of suspects, so they reach the terminal as plain text with control characters made visible:
never as markup, never as an escape sequence.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from detector import progress
from detector.assessment import AccountFinding, Assessment, CampaignFinding, top_reason
from detector.report.document import NOTE
from detector.report.summary import RunSummary, totals
from detector.report.text import count, duration, false_flags, line, percent, quantity, risk, size

PLAIN_WIDTH = 140  # columns where the output is no terminal, e.g. a file or the log of a build
PLAIN_EVERY = 10.0  # seconds between lines where the output is no terminal
SHOWN_ACCOUNTS = 20
SHOWN_CAMPAIGNS = 10
STYLES = {"flag": "bold red", "watch": "yellow", "clear": "green"}

console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


class _Share(ProgressColumn):
    """Percent done, or nothing for a stage whose length is not known."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.percentage:>3.0f} %")


class _Left(ProgressColumn):
    """Time left, once a rate is known."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        left = None if task.finished else task.time_remaining
        return Text("" if left is None else f"{duration(left)} left", style="progress.remaining")


class AuditProgress(progress.Progress):
    """Progress with rate and time left: a bar on a terminal, plain lines elsewhere. Use as a context manager."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.perf_counter) -> None:
        self.console = console
        self._clock = clock
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._started = self._said = clock()
        self._last = (0, 0, 0)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(), TextColumn("{task.description:<22}", markup=False), BarColumn(bar_width=30),
                _Share(), TextColumn("{task.fields[detail]}", markup=False), TimeElapsedColumn(), _Left(),
                console=self.console,
            )  # fmt: skip
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str) -> None:
        """End the stage before, and begin another."""
        self._finish()
        self._name, self._started, self._said, self._last = name, self._clock(), self._clock(), (0, 0, 0)
        if self._bar is not None:
            self._task = self._bar.add_task(line(name, 60), total=None, detail="")

    def advance(self, bytes_read: int, total_bytes: int, events: int) -> None:
        """Show how far the reading is."""
        self._last = (bytes_read, total_bytes, events)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=bytes_read, total=total_bytes or None, detail=self._rate())
        elif self._clock() - self._said >= PLAIN_EVERY:
            self._said = self._clock()
            share = bytes_read / total_bytes if total_bytes else 0.0
            left = f", {duration(self._seconds() * (1 - share) / share)} left" if share else ""
            self._say(f"{self._name}: {percent(min(share, 1.0))} of {size(total_bytes)}, {self._rate()}{left}")

    def step(self, done: int, total: int, what: str) -> None:
        """Show how many steps are done."""
        self._last = (done, total, 0)
        words = f"{count(done)} of {count(total)} {what}"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, detail=words)
        elif self._clock() - self._said >= PLAIN_EVERY:
            self._said = self._clock()
            left = f", {duration(self._seconds() * (total - done) / done)} left" if done else ""
            self._say(f"{self._name}: {words}{left}")

    def _seconds(self) -> float:
        return max(self._clock() - self._started, 1e-9)

    def _rate(self) -> str:
        bytes_read, _, events = self._last
        return f"{quantity(events, 'request')}, {count(events / self._seconds())}/s, {size(bytes_read / self._seconds())}/s"

    def _finish(self) -> None:
        if not self._name:
            return
        if self._bar is not None and self._task is not None:
            total = self._last[1] or 1
            self._bar.update(self._task, completed=total, total=total)
            self._bar.stop_task(self._task)
        else:
            done = f" ({self._rate()})" if self._last[2] else ""
            self._say(f"{self._name}: done in {duration(self._seconds())}{done}")
        self._name = ""

    def _say(self, words: str) -> None:
        self.console.print(Text(line(words)), soft_wrap=True)


def print_assessment(console: Console, run: RunSummary, assessment: Assessment, out: Path | None = None) -> None:
    """Print what an audit found: flagged accounts, campaigns, what is expected to be wrong, where the report is."""
    sums = totals(run, assessment)
    console.print()
    console.print(Text.assemble(
        (f"{quantity(sums.flagged, 'account')} flagged", "bold red" if sums.flagged else "bold green"),
        f" of {count(sums.accounts)}; {count(sums.watched)} watched; {quantity(sums.campaigns, 'campaign')}.",
    ))  # fmt: skip
    flagged = assessment.flagged()
    campaigns = sorted(assessment.campaigns, key=lambda c: -c.risk)
    if campaigns:
        console.print(_campaigns_table(campaigns[:SHOWN_CAMPAIGNS], {a.account_id for a in flagged}))
        _more(console, len(campaigns) - SHOWN_CAMPAIGNS, "campaign")
    members = {name for c in campaigns for name in c.accounts}
    alone = [a for a in flagged if a.account_id not in members]
    if alone:
        console.print(_accounts_table(alone[:SHOWN_ACCOUNTS], console.width))
        _more(console, len(alone) - SHOWN_ACCOUNTS, "flagged account")
    if flagged:
        took = (
            f"{quantity(sums.flagged_requests, 'request')} and {quantity(sums.flagged_output_tokens, 'output token')}"
        )
        wrong = false_flags(
            sums.flagged, sums.expected_false_flags, sums.expected_false_flags_interval, sums.max_false_flags
        )
        console.print(Text(f"Flagged accounts made {took}."))
        console.print(Text(wrong))
        console.print(Text(NOTE, style="italic"))
    if sums.rejected:
        where = f": see {line(str(out / 'rejected.jsonl'))}" if out else ""
        console.print(Text(f"{quantity(sums.rejected, 'row')} could not be read{where}", style="yellow"))
    speed = f"{quantity(run.events, 'request')} in {duration(run.seconds)} ({count(run.events_per_second)}/s)"
    console.print(Text(speed), style="dim")
    if out:
        console.print(Text.assemble("Report: ", (line(str(out / "report.html")), "bold")), soft_wrap=True)


def _more(console: Console, rest: int, unit: str) -> None:
    if rest > 0:
        console.print(Text(f"… and {quantity(rest, f'more {unit}')} in the report"), style="dim")


def _accounts_table(accounts: list[AccountFinding], width: int) -> Table:
    table = _table("Flagged accounts in no campaign")
    table.add_column("Risk", justify="right", no_wrap=True)
    table.add_column("Account", no_wrap=True, overflow="ellipsis", max_width=max(16, width // 5))
    table.add_column("Requests", justify="right", no_wrap=True)
    table.add_column("Looks like", overflow="fold", max_width=max(12, width // 6))
    table.add_column("Top reason", overflow="fold")
    for a in accounts:
        table.add_row(
            Text(risk(a.risk), style=STYLES[a.verdict]), Text(line(a.account_id, 80)), count(a.requests),
            Text(line(a.harvest or "kind not clear", 60)), Text(line(top_reason(a), 220)),
        )  # fmt: skip
    return table


def _campaigns_table(campaigns: list[CampaignFinding], flagged: set[str]) -> Table:
    """A row per campaign; ``flagged`` are the accounts that are."""
    table = _table("Campaigns")
    table.add_column("Risk", justify="right", no_wrap=True)
    table.add_column("Campaign", no_wrap=True, overflow="ellipsis")
    table.add_column("Accounts", justify="right", no_wrap=True)
    table.add_column("Flagged", justify="right", no_wrap=True)
    table.add_column("Requests", justify="right", no_wrap=True)
    table.add_column("Looks like", overflow="fold")
    table.add_column("Strongest tie", overflow="fold")
    for c in campaigns:
        tie = max(c.ties, key=lambda t: t.weight).text if c.ties else ""
        table.add_row(
            Text(risk(c.risk), style=STYLES[c.verdict]), Text(line(c.campaign_id, 40)), count(len(c.accounts)),
            count(len(flagged.intersection(c.accounts))), count(c.requests), Text(line(c.harvest or "kind not clear", 60)),
            Text(line(tie, 220)),
        )  # fmt: skip
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", expand=False)
