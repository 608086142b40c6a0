"""The pictures of a rehearsal: shares over the number of accounts, a line for each share of cover traffic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from detector.rehearse.results import Point
from detector.report import svg
from detector.report.text import count, percent

SYMBOLS = {"always": "●", "mostly": "◕", "seldom": "◔", "never": "○"}
SIZES = {False: (520, 270), True: (280, 176)}  # width and height of a large and of a small picture
MARGIN = (40, 14, 16, 44)  # left, right, top, bottom
DODGE = 7  # between the marks of different covers, which would hide each other
MARKS = ("m0-4.5a4.5 4.5 0 1 0 .01 0z", "m-4-4h8v8h-8z", "m0-5.5l5.5 9.5h-11z", "m0-5.5l5.5 5.5-5.5 5.5-5.5-5.5z")
"""Disc, square, triangle, diamond, so that colour is never alone in saying it; beyond four covers they come again."""

Value = Callable[[Point], float]
Interval = Callable[[Point], tuple[float, float]]


def caught(points: Sequence[Point], covers: Sequence[float], small: bool = False) -> Markup:
    """Share of campaigns caught; a large picture shows 95 % intervals."""
    interval: Interval | None = None if small else lambda p: (p.caught.low, p.caught.high)
    return _lines(points, covers, small, lambda p: p.caught.rate, interval, "caught")


def exposure(points: Sequence[Point], covers: Sequence[float]) -> Markup:
    """Share of the harvest that was answered before the accounts were flagged."""
    return _lines(points, covers, False, lambda p: p.exposure, None, "answered before the flag")


def key(i: int) -> Markup:
    """The mark of the i-th cover, for a legend."""
    mark = svg.path([(8, 8)], MARKS[i % len(MARKS)], f"mark cover{i % 6}")
    return svg.fill('<svg class="key" viewBox="0 0 16 16" aria-hidden="true">{m}</svg>', m=mark)


def _lines(
    points: Sequence[Point], covers: Sequence[float], small: bool, value: Value, interval: Interval | None, what: str
) -> Markup:
    width, height = SIZES[small]
    left, right, top, bottom = MARGIN
    accounts = sorted({p.accounts for p in points})
    room = width - left - right

    def x(p: Point) -> float:
        place = (accounts.index(p.accounts) + 0.5) / len(accounts) * room
        return left + place + DODGE * (covers.index(p.cover) - (len(covers) - 1) / 2)

    def y(share: float) -> float:
        return height - bottom - share * (height - top - bottom)

    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(svg.rule(left, y(tick), width - right, y(tick)))
        parts.append(
            svg.label(left - 6, y(tick) + 4, f"{tick * 100:.0f} %" if tick * 2 % 1 == 0 else "", "tick", "end")
        )
    for i, n in enumerate(accounts):
        parts.append(
            svg.label(left + (i + 0.5) / len(accounts) * room, height - bottom + 18, count(n), "tick", "middle")
        )
    parts.append(svg.label(left + room / 2, height - 6, "accounts", "axis", "middle"))
    for i, cover in enumerate(covers):
        mine = sorted((p for p in points if p.cover == cover), key=lambda p: p.accounts)
        if interval is not None:
            for p in mine:
                low, high = interval(p)
                parts.append(svg.rule(x(p), y(low), x(p), y(high), f"whisker cover{i % 6}"))
        data = " ".join(f"{'L' if j else 'M'}{x(p):.1f} {y(value(p)):.1f}" for j, p in enumerate(mine))
        parts.append(svg.fill('<path d="{d}" class="{c}"/>', d=Markup(data), c=f"curve cover{i % 6}"))
        for p in mine:
            words = f"{_who(p)}: {percent(value(p))} {what}"
            mark = svg.path([(x(p), y(value(p)))], MARKS[i % len(MARKS)], f"mark cover{i % 6}")
            parts.append(svg.fill("<g>{m}<title>{t}</title></g>", m=mark, t=words))
    return svg.svg(width, height, _description(points, value, what), parts)


def _who(p: Point) -> str:
    return f"{count(p.accounts)} {'account' if p.accounts == 1 else 'accounts'}, {percent(p.cover)} cover"


def _description(points: Sequence[Point], value: Value, what: str) -> str:
    return f"Share {what}: " + "; ".join(f"{_who(p)}: {percent(value(p))}" for p in points)
