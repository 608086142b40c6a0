"""The pictures of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite, log10

from markupsafe import Markup

from detector.assessment import AccountFinding, Assessment
from detector.report import svg
from detector.report.summary import TimeBin
from detector.report.text import count, line, percent, quantity, utc

WIDTH, HEIGHT = 520, 270
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 28, 44
BINS = 20  # of the risk: 0.05 each
PIXEL = 3  # points nearer than this are drawn once
SHAPES = {"flag": "m0-5l5 9h-10z", "watch": "m0-4.5l4.5 4.5-4.5 4.5-4.5-4.5z", "clear": "h0"}
"""Triangle, diamond and dot, so that colour is never alone in saying it."""
NAMES = {"flag": "flagged", "watch": "watched", "clear": "clear"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEVELS = 6  # of the heat map
MAX_KINDS = 8  # of harvests drawn


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _risk(value: float) -> float:
    return min(max(value, 0.0), 1.0) if isfinite(value) else 0.0


def _thresholds(assessment: Assessment, across: bool) -> list[Markup]:
    out = []
    for value, name in ((assessment.watch_threshold, "watch"), (assessment.threshold, "flag")):
        at = _risk(value)
        if across:
            out.append(svg.rule(LEFT, _y(at), WIDTH - RIGHT, _y(at), "limit"))
            below = 14 if at > 0.95 else -5
            out.append(svg.label(LEFT + 4, _y(at) + below, f"{name} from {percent(at)}", "small"))
        else:
            out.append(svg.rule(_x(at), TOP, _x(at), HEIGHT - BOTTOM, "limit"))
            side, anchor = (-4, "end") if at > 0.75 else (4, "start")
            out.append(
                svg.label(
                    _x(at) + side, TOP + (30 if name == "flag" else 14), f"{name} from {percent(at)}", "small", anchor
                )
            )
    return out


def risk_distribution(assessment: Assessment) -> Markup:
    """How many accounts have which risk; a logarithmic height, as most accounts are ordinary."""
    bins: list[Counter[str]] = [Counter() for _ in range(BINS)]
    for a in assessment.accounts:
        bins[min(int(_risk(a.risk) * BINS), BINS - 1)][a.verdict] += 1
    largest = max((sum(b.values()) for b in bins), default=0)
    ticks = svg.decades(max(largest, 10))
    scale = log10(ticks[-1]) + 0.3  # the lowest 0.3 is for a single account, which would have no height

    def height(n: float) -> float:
        return (log10(n) + 0.3) / scale if n else 0.0

    parts = [_grid_row(height(t), svg.short(t)) for t in ticks]
    for i, found in enumerate(bins):
        below = 0
        total = sum(found.values())
        for verdict in ("clear", "watch", "flag"):
            if n := found[verdict]:
                low, high = height(below), height(below + n)
                span = f"{i * 100 // BINS} to {(i + 1) * 100 // BINS} %"
                words = f"{quantity(n, NAMES[verdict] + ' account')} with a risk of {span} ({count(total)} in all)"
                parts.append(
                    svg.rect(_x(i / BINS) + 1, _y(high), _x(1 / BINS) - LEFT - 2, _y(low) - _y(high), verdict, words)
                )
                below += n
    parts += [svg.label(_x(t / 4), HEIGHT - BOTTOM + 16, f"{t * 25} %", "tick", "middle") for t in range(5)]
    parts += _thresholds(assessment, across=False)
    parts.append(svg.label(_x(0.5), HEIGHT - 6, "risk", "axis", "middle"))
    parts.append(svg.label(4, 10, "accounts", "axis"))
    flagged = len(assessment.flagged())
    return svg.svg(
        WIDTH,
        HEIGHT,
        f"Histogram of risk: {quantity(len(assessment.accounts), 'account')}, {count(flagged)} flagged",
        parts,
    )


def _grid_row(share: float, text: str) -> Markup:
    return svg.join([
        svg.rule(LEFT, _y(share), WIDTH - RIGHT, _y(share)),
        svg.label(LEFT - 6, _y(share) + 4, text, "tick", "end"),
    ])  # fmt: skip


def requests_and_risk(assessment: Assessment, anchors: Mapping[str, str]) -> Markup:
    """Each account by its requests and its risk; ``anchors`` maps account ids to the sections that marks lead to."""
    largest = max((a.requests for a in assessment.accounts), default=1)
    ticks = svg.decades(max(largest, 10))
    span = log10(ticks[-1])
    parts = [_grid_row(t / 4, f"{t * 25} %") for t in range(5)]
    parts += [svg.label(_x(log10(t) / span), HEIGHT - BOTTOM + 16, svg.short(t), "tick", "middle") for t in ticks]

    def place(a: AccountFinding) -> tuple[float, float]:
        return _x(log10(max(a.requests, 1)) / span), _y(_risk(a.risk))

    parts += _thresholds(assessment, across=True)
    for verdict in ("clear", "watch", "flag"):
        of_kind = [a for a in assessment.accounts if a.verdict == verdict]
        drawn = {(round(x / PIXEL), round(y / PIXEL)): (x, y) for x, y in map(place, of_kind)}
        parts.append(svg.path(list(drawn.values()), SHAPES[verdict], f"point {verdict}"))
    for a in assessment.flagged():
        if anchor := anchors.get(a.account_id):
            x, y = place(a)
            words = f"{line(a.account_id, 80)}: risk {percent(_risk(a.risk))}, {quantity(a.requests, 'request')}"
            parts.append(svg.link(anchor, x, y, words))
    parts.append(svg.label(_x(0.5), HEIGHT - 6, "requests (logarithmic)", "axis", "middle"))
    parts.append(svg.label(4, 10, "risk", "axis"))
    return svg.svg(WIDTH, HEIGHT, "Accounts by number of requests and risk; flagged accounts are triangles", parts)


def harvest_kinds(flagged: Sequence[AccountFinding]) -> Markup:
    """What the flagged accounts' work looks like: accounts of each kind."""
    accounts = Counter(a.harvest or "kind not clear" for a in flagged)
    requests: Counter[str] = Counter()
    for a in flagged:
        requests[a.harvest or "kind not clear"] += a.requests
    kinds = accounts.most_common(MAX_KINDS)
    if not kinds:
        return Markup("")
    row = 42
    height = row * len(kinds) + 6
    parts = []
    for i, (kind, n) in enumerate(kinds):
        y = i * row
        width = (WIDTH - 225) * n / kinds[0][1]
        parts.append(svg.label(0, y + 14, line(kind, 48)))
        parts.append(svg.rect(0, y + 20, width, 12, "flag"))
        words = f"{quantity(n, 'account')}, {quantity(requests[kind], 'request')}"
        parts.append(svg.label(width + 6, y + 30, words, "tick"))
    return svg.svg(WIDTH, height, "Flagged accounts by kind of harvest", parts)


def over_time(bins: Sequence[TimeBin]) -> Markup:
    """Requests of flagged accounts and of all others, stacked, over the time of the log."""
    if not bins:
        return Markup("")
    largest = max(b.flagged + b.other for b in bins)
    top = max(largest, 1)
    parts = [_grid_row(t / top, svg.short(t)) for t in svg.steps(top)]
    width = (WIDTH - LEFT - RIGHT) / len(bins)
    gap = 1 if width > 4 else 0
    base, middle, high = [], [], []
    for i, b in enumerate(bins):
        x = LEFT + i * width
        base.append((x, _y(0)))
        middle.append((x, _y(b.flagged / top)))
        high.append((x, _y((b.flagged + b.other) / top)))
    for low, up, cls in ((middle, high, "clear"), (base, middle, "flag")):
        bars = [(x, y1, y0 - y1) for (x, y0), (_, y1) in zip(low, up, strict=True) if y0 - y1 > 0.05]
        data = svg.join([svg.fill("M{x} {y}h{w}v{h}h-{w}z", x=x, y=y, w=width - gap, h=h) for x, y, h in bars])
        parts.append(svg.fill('<path d="{d}" class="{c}"/>', d=data, c=cls))
    hourly = len(bins) > 1 and (bins[1].start - bins[0].start).total_seconds() < 7200
    parts += _dates(bins, width, hourly)
    parts.append(svg.label(_x(0.5), HEIGHT - 6, "time (UTC)", "axis", "middle"))
    parts.append(svg.label(4, 10, f"requests per {'hour' if hourly else 'day'}", "axis"))
    words = f"Requests over time: {count(sum(b.flagged for b in bins))} of flagged accounts, {count(sum(b.other for b in bins))} of others"
    return svg.svg(WIDTH, HEIGHT, words, parts)


def _dates(bins: Sequence[TimeBin], width: float, hourly: bool) -> list[Markup]:
    at = [(i, utc(b.start)) for i, b in enumerate(bins)]
    if hourly and len(bins) > 48:
        at = [(i, t) for i, t in at if t.hour == 0]
    form = "%H:%M" if hourly and len(bins) <= 48 else "%d %b"
    every = -(-len(at) // 8)
    return [
        svg.label(LEFT + i * width, HEIGHT - BOTTOM + 16, t.strftime(form), "tick", "start") for i, t in at[::every]
    ]


def heat_map(activity: Sequence[int]) -> Markup:
    """Requests by weekday and hour, 7 x 24, darker for more; empty for another length."""
    if len(activity) != 168 or not any(activity):
        return Markup("")
    cell, left, top = 14, 34, 16
    width, height = left + 24 * cell, top + 7 * cell + 4
    largest = max(activity)
    levels: list[list[tuple[float, float]]] = [[] for _ in range(LEVELS + 1)]
    for i, n in enumerate(activity):
        level = 0 if n <= 0 else max(1, -(-round((n / largest) ** 0.5 * LEVELS * 1000) // 1000))
        levels[min(level, LEVELS)].append((left + i % 24 * cell, top + i // 24 * cell))
    parts = [
        svg.path(points, f"h{cell - 2}v{cell - 2}h-{cell - 2}z", f"heat heat{i}") for i, points in enumerate(levels)
    ]
    parts += [svg.label(left - 5, top + d * cell + 10, name, "tick", "end") for d, name in enumerate(DAYS)]
    parts += [svg.label(left + h * cell + 6, top - 4, f"{h:02d}", "tick", "middle") for h in range(0, 24, 3)]
    return svg.svg(width, height, heat_words(activity), parts)


def heat_words(activity: Sequence[int]) -> str:
    """What a heat map shows: its busiest hour, and how many hours are in use."""
    if len(activity) != 168 or not any(activity):
        return ""
    busiest = max(range(168), key=lambda i: activity[i])
    used = sum(n > 0 for n in activity)
    hours = len({i % 24 for i, n in enumerate(activity) if n > 0})
    return (
        f"Busiest hour {DAYS[busiest // 24]} {busiest % 24:02d}:00 UTC with {quantity(activity[busiest], 'request')}; "
        f"active in {used} of 168 hours of the week and {hours} of 24 hours of the day."
    )
