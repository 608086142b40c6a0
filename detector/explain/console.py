"""An explanation on the terminal. Texts of suspects are shown as plain text, see :mod:`detector.console`."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detector.assessment import CampaignFinding, Evidence, part_named, parts_named
from detector.console import STYLES
from detector.explain.course import Point
from detector.explain.explanation import Explanation, Share
from detector.explain.words import measure, sentences
from detector.report.document import NOTE
from detector.report.text import count, factor, line, ordinary, percent, quantity, risk, when
from detector.told import MIN_CONTRIBUTION

BAR, NARROW_BAR = 14, 7  # columns of the longest bar
WIDE = 100  # columns from which there is room for sentences in a table
SHOWN_TIES = 6
SHOWN_MEMBERS = 6
SHOWN_TEMPLATES = 3
SHOWN_SLOTS = 2
SENTENCE = 1500  # characters, more than any sentence of ours has with the names of eight signals in it
EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"


def print_explanation(console: Console, explained: Explanation) -> None:
    """Print verdict, evidence for and against, campaign, templates, and what would change the verdict."""
    _head(console, explained)
    if explained.shares:
        _evidence(console, explained)
    else:
        _told(console, explained.account.evidence)
    if explained.campaign:
        _campaign(console, explained, explained.campaign)
    _templates(console, explained)
    _title(console, "What would change the verdict")
    for sentence in sentences(explained):
        _item(console, sentence)
    console.print()
    console.print(Text(NOTE, style="italic"))


def _head(console: Console, explained: Explanation) -> None:
    found = explained.account
    console.print()
    console.print(Text.assemble(
        (line(found.account_id, 80), "bold"), "  ", (found.verdict.upper(), STYLES[found.verdict]),
        f"  risk {risk(found.risk)}  ", (f"(flagged from {risk(explained.flag_at)}, watched from {risk(explained.watch_at)})", "dim"),
    ))  # fmt: skip
    output = quantity(found.output_tokens, "output token") if found.output_tokens else "no output tokens logged"
    took = f"{quantity(found.input_tokens, 'input token')}, {output}"
    console.print(
        Text(f"{quantity(found.requests, 'request')} from {when(found.first_seen)} to {when(found.last_seen)}; {took}")
    )
    if found.verdict != "clear":
        flagged = f", flagged at {when(found.flagged_at)}" if found.flagged_at else ""
        console.print(Text(f"Looks like: {line(found.harvest or 'kind not clear', 60)}{flagged}"))
    if found.p_value < 1:
        console.print(Text(f"{ordinary(found.p_value)}."))
    if len(explained.course) > 1:
        console.print(_course(explained.course, explained.flag_at))


def _course(points: list[Point], flag_at: float) -> Text:
    """Own risk over the account's requests, in equal steps of their logarithm."""
    out = Text(f"Own risk from request {count(points[0].requests)} to {count(points[-1].requests)}: ", style="dim")
    for point in points:
        level = LEVELS[min(int(point.risk * len(LEVELS)), len(LEVELS) - 1)]
        out.append(level, style=STYLES["flag"] if point.risk >= flag_at else "")
    return out


def _evidence(console: Console, explained: Explanation) -> None:
    texts = {e.signal: e.sentence for e in explained.account.evidence}
    if explained.part:
        console.print(Text(f"\n{part_named(explained.part)}", style="dim"))
    telling = [s for s in explained.shares if abs(s.contribution) >= MIN_CONTRIBUTION]
    longest = max((abs(s.contribution) for s in telling), default=1.0)
    for title, sign, style in (("Evidence for", 1, "red"), ("Evidence against", -1, "green")):
        mine = [s for s in telling if s.contribution * sign > 0]
        _title(console, title)
        if not mine:
            console.print(Text("  none that weighs", style="dim"))
            continue
        wide = console.width >= WIDE
        table = _table(wide)
        for share in mine:
            bar = _bar(abs(share.contribution) / longest, BAR if wide else NARROW_BAR)
            row: list[str | Text] = [
                _named(share, texts.get(share.signal, "") if wide else ""), measure(share.value, share.unit),
                measure(share.ordinary, share.unit), percent(share.percentile), Text(bar, style=style), f"{share.contribution:+.1f}",
            ]  # fmt: skip
            table.add_row(*row, *((factor(share.contribution),) if wide else ()))
        console.print(Padding(table, (0, 0, 0, 2)))
    rest = sum(s.contribution for s in explained.shares) - sum(s.contribution for s in telling)
    gain = sum(s.contribution for s in telling if s.contribution > 0)
    loss = sum(s.contribution for s in telling if s.contribution < 0)
    few = len(explained.shares) - len(telling)
    whose = "these requests" if explained.part else "the account"
    if explained.log_odds is None:
        console.print(Text("  Too few requests: no log-odds are made of them.", style="dim"))
    elif explained.base is not None:
        set_apart = explained.log_odds - explained.base - sum(s.contribution for s in explained.shares)
        console.print(Text(
            f"  Log-odds of {whose}: {explained.base:+.1f} to begin with, {gain:+.1f} for, {loss:+.1f} against, "
            f"{rest:+.1f} of {quantity(few, 'other signal')}, {set_apart:+.1f} for how many they are and what sets them apart"
            f" = {explained.log_odds:+.1f} (flagged from {explained.flag_log_odds:+.1f})", style="dim",
        ))  # fmt: skip


def _parts(console: Console, evidence: list[Evidence]) -> None:
    for part in parts_named(evidence):
        console.print(Text(f"\n{part}", style="dim"))


def _table(wide: bool) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, expand=False)
    table.add_column("Signal", overflow="fold", ratio=1)
    table.add_column("Here", justify="right", no_wrap=True)
    table.add_column("Median", justify="right", no_wrap=True)
    table.add_column("Above", justify="right", no_wrap=True)
    table.add_column("Share", no_wrap=True, width=BAR if wide else NARROW_BAR)
    table.add_column("Log-odds", justify="right", no_wrap=True)
    if wide:
        table.add_column("Odds", justify="right", no_wrap=True)
    return table


def _named(share: Share, text: str) -> Text:
    """A signal's title with its unit, and below it a sentence where it speaks by its presence."""
    unit = "" if share.unit.startswith("share of requests") else f" ({share.unit})"
    unit += ", over all its requests" if share.whole and not (text and share.said > 0) else ""
    if not share.said:
        return Text.assemble((share.title, "bold"), (f"{unit}: counts only beside the other signals", "dim"))
    if share.said < 0:
        lack = "less than harvesting shows" if share.direction == "for" else "less than ordinary use shows"
        return Text.assemble((share.title, "bold"), (f"{unit}: {lack}", "dim"))
    return Text.assemble((share.title, "bold"), (unit, "dim"), *((f"\n{text}",) if text else ()))


def _told(console: Console, evidence: list[Evidence]) -> None:
    """Evidence as a report tells it, where the profile was not kept."""
    _parts(console, evidence)
    own = [e for e in evidence if e.signal != "campaign"]
    longest = max((abs(e.contribution) for e in own), default=1.0)
    for title, direction, style in (("Evidence for", "for", "red"), ("Evidence against", "against", "green")):
        _title(console, title)
        table = Table.grid(padding=(0, 2))
        table.add_column(width=BAR, no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for e in sorted((e for e in own if e.direction == direction), key=lambda e: -abs(e.contribution)):
            table.add_row(
                Text(_bar(abs(e.contribution) / longest), style=style), f"{e.contribution:+.1f}", Text(line(e.sentence))
            )
        console.print(Padding(table, (0, 0, 0, 2)) if table.rows else Text("  none that weighs", style="dim"))


def _campaign(console: Console, explained: Explanation, campaign: CampaignFinding) -> None:
    _title(console, "Campaign")
    console.print(Text.assemble(
        "  ", (line(campaign.campaign_id, 40), "bold"), "  ", (campaign.verdict.upper(), STYLES[campaign.verdict]),
        f"  risk {risk(campaign.risk)}: {quantity(len(campaign.accounts), 'account')}, {quantity(campaign.requests, 'request')}, "
        f"{quantity(campaign.output_tokens, 'output token')}; looks like {line(campaign.harvest or 'kind not clear', 60)}",
    ))  # fmt: skip
    me = explained.account.account_id
    place = campaign.members.get(me, "")
    if place:
        _item(console, f"This account: {place}")
    ties = sorted((t for t in campaign.ties if t.text not in place), key=lambda t: -t.weight)
    for tie in ties[:SHOWN_TIES]:
        _item(console, tie.text)
    others = [a for a in campaign.accounts if a != me]
    rest = f" and {count(len(others) - SHOWN_MEMBERS)} more" if len(others) > SHOWN_MEMBERS else ""
    _item(console, f"With {', '.join(line(a, 60) for a in others[:SHOWN_MEMBERS])}{rest}")


def _templates(console: Console, explained: Explanation) -> None:
    shown = [t for t in explained.account.templates if t.text][:SHOWN_TEMPLATES]
    if not shown:
        return
    _title(console, "Templates")
    for template in shown:
        users = "no other account" if template.accounts <= 1 else quantity(template.accounts - 1, "other account")
        console.print(Text(
            f"  {percent(template.share)} of its requests, {quantity(template.distinct_slots, 'filling')}, used by {users}", style="dim"
        ))  # fmt: skip
        console.print(Padding(Text(line(template.text, 400)), (0, 0, 0, 4)))
        for slot in template.slot_examples[:SHOWN_SLOTS]:
            console.print(Padding(Text.assemble(("{…} = ", "dim"), line(slot, 120)), (0, 0, 0, 6)))


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _item(console: Console, text: str) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=3, justify="right")
    grid.add_column(overflow="fold")
    grid.add_row("•", Text(line(text, SENTENCE)))
    console.print(grid)


def _bar(share: float, columns: int = BAR) -> str:
    """A bar of up to so many columns, fine to an eighth of one; never empty."""
    eighths = max(round(share * columns * 8), 1)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
