"""Building blocks of the pictures: inline SVG from numbers and fixed words, coloured by the page's style sheet.

Colours are classes, not values, so that one picture serves light, dark and paper. Every text is made visible and escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

from markupsafe import Markup

from detector.report.text import count, line


def fill(frame: str, **values: str | float | Markup) -> Markup:
    """Fill a fixed frame; strings that are not markup are made visible and escaped, numbers are shortened."""
    return Markup(frame).format(**{k: _safe(v) for k, v in values.items()})


def _safe(value: str | float | Markup) -> str | Markup:
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return line(value)
    return f"{value:.1f}".rstrip("0").rstrip(".") if isfinite(value) else "0"


def join(parts: Sequence[Markup]) -> Markup:
    """Markup after markup."""
    return Markup("").join(parts)


def svg(width: float, height: float, description: str, parts: Sequence[Markup]) -> Markup:
    """A picture with a description for those who cannot see it."""
    return fill(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-label="{text}">{parts}</svg>',
        w=width, h=height, text=description, parts=join(parts),
    )  # fmt: skip


def label(x: float, y: float, text: str, cls: str = "", anchor: str = "start") -> Markup:
    """A text; ``anchor`` is start, middle or end."""
    return fill('<text x="{x}" y="{y}" class="{c}" text-anchor="{a}">{t}</text>', x=x, y=y, c=cls, a=anchor, t=text)


def rect(x: float, y: float, width: float, height: float, cls: str, title: str = "") -> Markup:
    """A bar, with what it says when pointed at."""
    hint = fill("<title>{t}</title>", t=title) if title else Markup("")
    return fill(
        '<rect x="{x}" y="{y}" width="{w}" height="{h}" class="{c}">{hint}</rect>',
        x=x, y=y, w=max(width, 0.0), h=max(height, 0.0), c=cls, hint=hint,
    )  # fmt: skip


def path(points: Sequence[tuple[float, float]], shape: str, cls: str) -> Markup:
    """One path of equal marks; ``shape`` is relative path data drawn at each point."""
    if not points:
        return Markup("")
    data = Markup("").join(fill("M{x} {y}{s}", x=x, y=y, s=Markup(shape)) for x, y in points)
    return fill('<path d="{d}" class="{c}"/>', d=data, c=cls)


def link(anchor: str, x: float, y: float, title: str) -> Markup:
    """A place to click that leads to a section; not a stop of the tab key, as tables hold the same links."""
    return fill(
        '<a href="#{n}" tabindex="-1"><circle cx="{x}" cy="{y}" r="7" class="target"><title>{t}</title></circle></a>',
        n=anchor, x=x, y=y, t=title,
    )  # fmt: skip


def rule(x1: float, y1: float, x2: float, y2: float, cls: str = "rule") -> Markup:
    """A line."""
    return fill('<line x1="{a}" y1="{b}" x2="{c}" y2="{d}" class="{cls}"/>', a=x1, b=y1, c=x2, d=y2, cls=cls)


def steps(largest: float) -> list[float]:
    """Zero and up to four round numbers up to ``largest``."""
    if largest <= 0:
        return [0.0]
    rough = largest / 4
    unit = 10 ** floor(log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough)
    step = max(step, 1.0)
    return [i * step for i in range(int(largest / step) + 1)]


def decades(largest: float) -> list[float]:
    """1, 10, 100, … up to the first power of ten at or above ``largest``."""
    out = [1.0]
    while out[-1] < largest and len(out) < 13:
        out.append(out[-1] * 10)
    return out


def short(value: float) -> str:
    """A tick's label: 10, 1k, 10k, 1M."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{letter}"
    return count(value)
