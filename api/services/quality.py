"""How well the house does: precision by size of account, agreement of reviewers, samples of the unflagged, drift."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations

from api.schemas.base import Decision
from api.schemas.performance import Precision
from api.schemas.quality import (
    Agreement,
    Disagreement,
    DriftDay,
    DriftOut,
    Found,
    Quality,
    SampleOut,
    SampleRow,
    SegmentPrecision,
)
from api.services.likeness import NoIndex, Searcher
from api.services.performance import precision
from api.storage import cases, decisions, samples, segments
from api.storage.engine import Database
from detector.evaluate import Rate
from detector.scoring import SEGMENTS

SHOWN = 50  # disagreements
SAMPLED = 200  # drawn accounts that are listed


def quality(database: Database, searcher: Searcher) -> Quality:
    """All but the samples."""
    with database.read() as connection:
        state = segments.state(connection)
    return Quality(
        segments=by_segment(cases.reviewed(database)),
        agreement=agreement(decisions.verdicts(database)),
        drift=_drift(searcher),
        assess_seconds=state.assess_seconds,
    )


def by_segment(reviewed: Sequence[tuple[str, cases.Reasons]]) -> list[SegmentPrecision]:
    """Precision of reviewed flags by size of account, of all and for each signal that speaks for harvesting."""
    outcomes: dict[tuple[int, str | None], list[bool]] = defaultdict(list)
    titles: dict[str | None, str | None] = {None: None}
    for state, finding in reviewed:
        at = next(i for i, up_to in enumerate(SEGMENTS) if up_to is None or finding.requests <= up_to)
        confirmed = state == "confirmed"
        outcomes[at, None].append(confirmed)
        for signal, title in {e.signal: e.title for e in finding.evidence if e.direction == "for"}.items():
            outcomes[at, signal].append(confirmed)
            titles[signal] = title
    ordered = sorted(outcomes, key=lambda key: (key[0], key[1] is not None, -len(outcomes[key]), key[1] or ""))
    return [
        SegmentPrecision(segment=_segment(at), signal=signal, title=titles[signal], **precision(outcomes[at, signal]))
        for at, signal in ordered
    ]


def agreement(found: Sequence[tuple[str, str, str, Decision]]) -> Agreement:
    """How often two people who decided on the same found the same: subject, id, actor, decision, in order of time.

    Of each person the last decision counts. Chance agreement is that of Scott 1955: both draw from all decisions alike.
    """
    last: dict[tuple[str, str], dict[str, Decision]] = defaultdict(dict)
    for subject, subject_id, actor, decision in found:
        if decision != "need_more":
            last[subject, subject_id][actor] = decision
    several = {key: by for key, by in last.items() if len(by) > 1}
    pairs = [pair for by in several.values() for pair in combinations(by.values(), 2)]
    agreed = sum(one == other for one, other in pairs)
    rate = Rate.of(agreed, len(pairs))
    counts = Counter(decision for pair in pairs for decision in pair)
    chance = sum((n / (2 * len(pairs))) ** 2 for n in counts.values()) if pairs else 1.0
    split = [key for key, by in several.items() if len(set(by.values())) > 1]
    return Agreement(
        pairs=len(pairs),
        agreed=agreed,
        share=rate.rate if pairs else None,
        low=rate.low,
        high=rate.high,
        kappa=(rate.rate - chance) / (1 - chance) if chance < 1 else None,
        disagreements=[
            Disagreement(subject=s, subject_id=i, found=[Found(actor=a, decision=d) for a, d in several[s, i].items()])
            for s, i in split[-SHOWN:][::-1]
        ],
    )


def sample(database: Database) -> SampleOut:
    """What was drawn, and what its reviews say of all that is not flagged."""
    confirmed, reviewed, unflagged = samples.outcomes(database)
    rate = Rate.of(confirmed, reviewed)
    fields = list(SampleRow.model_fields)
    return SampleOut(
        items=[SampleRow(**{name: getattr(row, name) for name in fields}) for row in samples.every(database, SAMPLED)],
        missed=Precision(**precision([True] * confirmed + [False] * (reviewed - confirmed))),
        unflagged=unflagged,
        missed_low=rate.low * unflagged,
        missed_high=rate.high * unflagged,
    )


def _segment(at: int) -> str:
    below = SEGMENTS[at - 1] if at else None
    up_to = SEGMENTS[at]
    if up_to is None:
        return f"more than {below} requests"
    return f"{below + 1} to {up_to} requests" if below else f"up to {up_to} requests"


def _drift(searcher: Searcher) -> DriftOut | None:
    try:
        built = searcher.built()
    except NoIndex:
        return None
    found = built.likeness.drift()
    start = datetime(1970, 1, 1, tzinfo=UTC)
    days = [
        DriftDay(day=start + timedelta(days=day), requests=n, fit=None if math.isnan(fit) else fit)
        for day, n, fit in found.days
    ]
    return DriftOut(stability=found.stability, recent_days=found.recent_days, days=days, built_at=built.at)
