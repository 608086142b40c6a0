"""Numbers and times put into words. Nothing here takes text of a suspect, so labels may use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp, floor

from api.schemas.signals import SignalState

NOTHING = "–"
DATE = "YYYY-MM-DD"  # as fields for a date show it


def count(value: float) -> str:
    """A count with thousands separators, a large one shortened: 12,345; 1.23 M."""
    if abs(value) >= 1e9:
        return f"{value / 1e9:.2f} G"
    if abs(value) >= 1e6:
        return f"{value / 1e6:.2f} M"
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """A share as percent, finer near the ends: 97 %, 99.7 %, 0.4 %; never rounded to all or nothing."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    fine = 0 < share < 0.01 or 0.99 < share < 1
    return f"{share * 100:.1f} %" if fine else f"{share * 100:.0f} %"


def behind(requests: int | None, looked_at: int) -> str:
    """How many requests are behind a reason."""
    if not looked_at:
        return "Some of the requests."
    if requests is None:
        return f"This is of all requests together, not of single ones. Some of the {count(looked_at)} looked at:"
    return f"{count(requests)} of the {count(looked_at)} requests looked at. Some of them:"


def share(value: float) -> str:
    """A small share as percent with all its figures: 0.05 %."""
    return f"{value * 100:.3g} %"


def change(now: float, before: float) -> str:
    """How much something changed: +12 %, −40 %, ×3.5, new."""
    if not before:
        return "new" if now else NOTHING
    ratio = now / before
    if ratio >= 3:
        return f"×{ratio:,.1f}"
    return f"{(ratio - 1) * 100:+.0f} %".replace("-", "−")


def amount(value: float) -> str:
    """A measured value: whole if it is whole or large, else to three significant figures."""
    if abs(value) >= 1000 or value == int(value):
        return count(value)
    return f"{value:.3g}"


STRENGTHS = ((150.0, "Very strong"), (20.0, "Strong"), (3.0, "Moderate"), (0.0, "Weak"))
"""Words for evidence that makes the odds so many times as large, or as small: the scale of Kass & Raftery (1995) for Bayes factors,
whose "positive" is moderate here, as there is evidence for and against."""
MOST_ODDS = 1000.0  # beyond it only that is said


def weight(contribution: float) -> str:
    """What a reason does to the odds, in a word and a number: Strong evidence: odds × 25."""
    odds = exp(min(abs(contribution), 50.0))
    strength = next(word for least, word in STRENGTHS if odds >= least)
    told = f"over {count(MOST_ODDS)}" if odds > MOST_ODDS else f"{odds:.1f}" if odds < 9.95 else f"{odds:.0f}"
    return f"{strength} evidence: odds {'×' if contribution >= 0 else '÷'} {told}"


def known(requests: int, looked_at: int, bounds: tuple[float, float]) -> str:
    """How many requests are behind a reason, and how well their share is known by that."""
    return f"behind it {count(requests)} of {quantity(looked_at, 'request')}, {interval(*bounds)}"


def signed(value: float) -> str:
    """A contribution with its sign, which is a true minus where it is negative: +2.31, −0.38."""
    return f"{value:+.2f}".replace("-", "−")


def money(value: float, currency: str) -> str:
    """An estimated amount: 0.42 USD, 12.30 EUR, 1,204 USD."""
    return f"{value:,.0f} {currency}" if value >= 100 else f"{value:,.2f} {currency}"


def alike(confirmed: int, dismissed: int) -> str:
    """How closed cases with the same pattern ended: 3 of 4 were confirmed; nothing where there are none."""
    return f"{confirmed:,d} of {confirmed + dismissed:,d}" if confirmed + dismissed else NOTHING


def action(name: str) -> str:
    """An entry of the audit trail: key.create as Key: create."""
    kind, _, done = name.replace("_", " ").partition(".")
    return f"{kind.capitalize()}: {done}" if done else kind.capitalize()


def expected(value: float) -> str:
    """An expected number of cases: 0.3, 2.5, 14."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def false_flags(flags: int, mean: float, interval: tuple[float, float], most: float) -> str:
    """What is to be expected of the flags: the number of false ones with its bounds, and the share that they follow from."""
    low, high = interval
    number = f"about {expected(mean)}" if mean >= 0.05 or not mean else "under 0.1"
    promise = (
        f": thresholds are set for at most {most * 100:.3g} % of honest accounts, those of all sizes together"
        if most
        else ""
    )
    verb = "is" if flags == 1 else "are"
    return (
        f"Of the {quantity(flags, 'flag')}, {number} ({low:,.0f} to {high:,.0f}) {verb} expected to be false{promise}."
    )


def interval(low: float, high: float) -> str:
    """Bounds of a share: 30 % to 95 %."""
    return f"{percent(low)} to {percent(high)}"


def ordinary(p_value: float) -> str:
    """How many honest accounts score as high: at most 1 in 4,800, as the account itself is counted among them."""
    if p_value >= 1:
        return NOTHING
    return "at most " + (f"1 in {count(floor(1 / max(p_value, 1e-12) + 1e-6))}" if p_value < 0.5 else percent(p_value))


def end(moment: datetime) -> str:
    """When something ends that ends by itself or by people: 2026-09-07 10:15 UTC."""
    return "somebody takes it back" if moment.year == datetime.max.year else when(moment) + " UTC"


def when(moment: datetime | None) -> str:
    """A time in UTC to the minute, sortable: 2026-09-07 10:15."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def span(first: datetime, last: datetime) -> str:
    """How long something went on: 3 days, 5 hours, 12 minutes."""
    return duration((last - first).total_seconds())


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    length = timedelta(seconds=max(seconds, 0))
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if length >= size:
            return quantity(length / size, unit)
    return quantity(length.total_seconds(), "second")


def until(moment: datetime | None) -> str:
    """How far off a time is that should be kept: in 2 days, 3 hours late."""
    if moment is None:
        return ""
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return f"in {duration(seconds)}" if seconds >= 0 else f"{duration(-seconds)} late"


def quantity(value: float, unit: str) -> str:
    """A number with its unit in singular or plural."""
    shown = count(round(value))
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"


def turned(state: SignalState, flags: int) -> str:
    """What it would mean for a signal to be in the other state."""
    some = quantity(flags, "flag") if flags else "no flag"
    return f"Live, it would add {some}" if state == "shadow" else f"In shadow, {some} would be lost"


def lag(events: int, seconds: float | None, unassessed: int) -> str:
    """How far the worker is behind."""
    if not events:
        return quantity(unassessed, "request") + " not assessed yet" if unassessed else "the worker is up to date"
    waiting = quantity(events, "request") + " waiting for the worker"
    return f"{waiting}, the oldest for {duration(seconds)}" if seconds else waiting
