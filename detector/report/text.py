"""Text of suspects made harmless to the eye, and numbers in words.

Account ids, prompts and template words come from the people under suspicion: they may hide characters, turn the
direction of writing, or be a megabyte long. Escaping for HTML is the page's business and comes after this.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from math import exp, floor

MAX_CHARS = 1_500  # of one prompt in a report; the log has the rest
MAX_LINE_CHARS = 240  # of an id or a sentence

NBSP = "\u00a0"  # keeps a number and its unit on one line

_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and symbols that show nothing
_SELECTOR = re.compile("[\ufe00-\ufe0d\U000e0100-\U000e01ef]")  # variation selectors can carry hidden bytes
_JOINERS = "\u200c\u200d"  # honest between emoji and in Persian and Indic scripts, hidden marks in Latin text


def visible_text(text: str, limit: int = MAX_CHARS) -> str:
    """Text with invisible, control and direction-changing characters shown as codes, cut to ``limit`` characters."""
    cut = text[:limit].replace("\r\n", "\n")
    shown = cut if cut.isascii() and cut.isprintable() else "".join(_shown(cut, i) for i in range(len(cut)))
    return shown if len(text) <= limit else f"{shown}… ({len(text) - limit:,} more characters)"


def _shown(text: str, at: int) -> str:
    character = text[at]
    if character in "\n\t":
        return character
    if character in _JOINERS and 0 < at < len(text) - 1 and not (text[at - 1] + text[at + 1]).isascii():
        return character
    hidden = unicodedata.category(character) in _HIDDEN or character in _BLANK or _SELECTOR.match(character)
    return f"⟨U+{ord(character):04X}⟩" if hidden else character


def line(text: str, limit: int = MAX_LINE_CHARS) -> str:
    """Visible text on one line, cut to ``limit`` characters."""
    shown = " ".join(visible_text(text[: limit * 2], limit * 2).split())
    return shown if len(shown) <= limit and len(text) <= limit * 2 else shown[:limit] + "…"


def count(value: float) -> str:
    """A count with thousands separators, a large one shortened: 12,345; 1.23 million."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if abs(value) >= size:
            return f"{value / size:.2f} {word}"
    return f"{value:,.0f}"


def quantity(value: float, unit: str, units: str | None = None) -> str:
    """A number with its unit in singular or plural."""
    return f"{count(value)} {unit if count(value) == '1' else units or unit + 's'}"


def percent(share: float) -> str:
    """A share as percent, finer near the ends: 97 %, 99.7 %, 0.4 %; never rounded to certainty."""
    if 0 < share < 0.001:
        return f"under 0.1{NBSP}%"
    if 0.999 < share < 1:
        return f"over 99.9{NBSP}%"
    fine = 0 < share < 0.095 or 0.99 < share < 1
    return f"{share * 100:.1f}{NBSP}%" if fine else f"{share * 100:.0f}{NBSP}%"


def risk(value: float) -> str:
    """A risk with one decimal, so that a column lines up: 97.2 %; never rounded to certainty."""
    return f"{min(max(value, 0.001), 0.999) * 100:.1f}{NBSP}%"


def standing(percentile: float, among: str) -> str:
    """A place in the population in words, never rounded to certainty."""
    if percentile >= 0.995:
        return f"Higher than over 99{NBSP}% of {among}."
    if percentile < 0.005:
        return f"Among the lowest of {among}."
    return f"Higher than {percentile * 100:.0f}{NBSP}% of {among}."


def expected(value: float) -> str:
    """An expected number: 0.3, 2.5, 14."""
    if 0 < value < 0.05:
        return "under 0.1"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def share(value: float) -> str:
    """A share that somebody set, as it was set: 0.1 %, 0.05 %, 2 %."""
    return f"{value * 100:.3g}{NBSP}%"


def ordinary(p_value: float) -> str:
    """How many honest accounts score as high as this one: 1 in 4,800; empty where that is not known.

    The account itself is counted among them (a conformal p-value), so the true number is on average no higher.
    """
    if p_value >= 1:
        return ""
    if p_value >= 0.5:
        return f"At most {percent(p_value)} of honest accounts of its size score as high"
    return f"At most 1 in {count(floor(1 / max(p_value, 1e-12) + 1e-6))} honest accounts of its size scores as high"


def false_flags(flags: int, mean: float, interval: tuple[float, float], most: float) -> str:
    """What is to be expected of some flags: the number of false ones with its bounds, and the share that they follow from."""
    low, high = interval
    bounds = f" ({count(low)} to {count(high)})" if high else ""
    promise = (
        f": thresholds are set for at most {share(most)} of honest accounts, those of all sizes together"
        if most
        else ""
    )
    number = expected(mean) if mean < 0.05 else f"about {expected(mean)}"
    return f"Of the {quantity(flags, 'flag')}, {number}{bounds} {'is' if flags == 1 else 'are'} expected to be false{promise}."


def factor(log_odds: float) -> str:
    """A contribution in log-odds as what it does to the odds: ×12, ÷3.5, ×1.2; beyond a thousand only that."""
    sign = "×" if log_odds >= 0 else "÷"
    if abs(log_odds) > 6.9:
        return f"{sign}over 1,000"
    value = exp(abs(log_odds))
    return f"{sign}{value:.2g}" if value < 10 else f"{sign}{value:.0f}"


def chance(bits: float) -> str:
    """Bits of surprise as the chance among unrelated accounts: 1 in 4,096."""
    if bits <= 0:
        return "no surprise"
    if bits > 39.8:  # 2^-40
        return "less than 1 in a trillion"
    value = 2.0**bits
    return f"about 1 in {value:.2g}" if value < 10 else f"about 1 in {count(value)}"


def when(moment: datetime | None) -> str:
    """A time in UTC to the minute: 2026-09-07 10:15."""
    return "–" if moment is None else utc(moment).strftime("%Y-%m-%d %H:%M")


def utc(moment: datetime) -> datetime:
    """The moment in UTC; a time without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def duration(seconds: float) -> str:
    """A length of time: 850 ms, 4.2 s, 42 s, 3 min 20 s, 2 h 5 min, 6.5 days."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole / 86_400:.1f} days"


def size(number: float) -> str:
    """A number of bytes: 12.8 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
