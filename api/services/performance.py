"""How the flags fared with the people who reviewed them: precision, of all and by signal."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from api.schemas.performance import Performance, Precision, SignalPrecision
from api.storage import cases, segments
from api.storage.engine import Database
from detector.evaluate import Rate


def performance(database: Database) -> Performance:
    """Precision among reviewed flags, with Wilson's interval.

    Only what was ever flagged and then confirmed or dismissed counts. A signal counts where it speaks for harvesting in the
    last assessment; an account that is clear by now has no reasons any more, and counts in all alone.
    """
    outcomes: list[bool] = []
    by_signal: dict[str, list[bool]] = defaultdict(list)
    titles: dict[str, str] = {}
    for state, finding in cases.reviewed(database):
        outcomes.append(state == "confirmed")
        for signal, title in {e.signal: e.title for e in finding.evidence if e.direction == "for"}.items():
            by_signal[signal].append(state == "confirmed")
            titles[signal] = title
    ordered = sorted(by_signal, key=lambda s: (-len(by_signal[s]), s))
    with database.read() as connection:
        honest = segments.state(connection).rates.reviewed
    return Performance(
        all=Precision(**precision(outcomes)),
        signals=[SignalPrecision(signal=s, title=titles[s], **precision(by_signal[s])) for s in ordered],
        honest=honest,
    )


def precision(outcomes: list[bool]) -> dict[str, Any]:
    """The fields of a Precision: of outcomes, those that were confirmed."""
    rate = Rate.of(sum(outcomes), len(outcomes))
    share = rate.rate if rate.n else None
    return {"confirmed": rate.k, "reviewed": rate.n, "precision": share, "low": rate.low, "high": rate.high}
