"""What a rehearsal found: each planted campaign, each shape over its repeats, and power curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from statistics import fmean, median

import msgspec

from detector.evaluate import Rate
from detector.rehearse.plan import Plan, Shape

BLIND = (
    0.5  # a shape that is caught in fewer of its rehearsals than this is a blind spot: more likely missed than caught
)
LATE = 0.5  # share of a harvest answered before the flag from which a caught campaign was caught late
REASONS = 3  # named of each shape
ALL = "all"  # the curve over all families


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one planted campaign."""

    shape: Shape
    repeat: int
    round: int  # assessments of the log are numbered from 0
    variant: str  # of the harvest
    pace: str
    aged: bool
    harvest: int  # requests that harvest
    caught: bool  # accounts that sent at least half of the harvest are flagged
    flagged: int  # accounts
    exposure: float  # share of the harvest answered before its accounts were flagged; all of it, where they were not
    first_flag: int | None  # requests of the campaign until the first of its accounts was flagged
    risk: float  # of its riskiest account
    signals: dict[str, int]  # title -> flagged accounts in whose strongest reasons it is
    ties: dict[str, int]  # kind -> flagged accounts in a group that it ties
    strangers: int  # accounts of others in the groups by which it was caught


class Reason(msgspec.Struct, frozen=True):
    """What caught campaigns of a shape."""

    kind: str  # signal | tie
    name: str  # title of the signal, or kind of the tie
    share: float  # of the flagged accounts


class ShapeResult(msgspec.Struct, frozen=True, kw_only=True):
    """A shape over its repeats."""

    shape: Shape
    caught: Rate
    flagged: float  # share of accounts, mean
    first_flag: (
        float | None
    )  # requests until the first flag, median over the campaigns of which any account was flagged
    exposure: float  # mean
    risk: float  # of the riskiest account, median
    reasons: list[Reason]

    @property
    def blind(self) -> bool:
        """More likely missed than caught."""
        return self.caught.rate < BLIND


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A point of a power curve: campaigns caught, over all requests, paraphrases and repeats."""

    family: str  # or ALL
    accounts: int
    cover: float
    caught: Rate
    exposure: float  # share of the harvest answered before the flag, mean


class Disturbance(msgspec.Struct, frozen=True, kw_only=True):
    """What planting did to the log's own accounts; no verdict should change."""

    accounts: int
    assessments: int
    changed: dict[str, int]  # account -> assessments in which its verdict was another than without planting
    newly_flagged: int  # accounts among these


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal in a log."""

    plan: Plan
    repeats: int  # done; fewer than planned where the budget was too small
    events: int  # of the log
    accounts: int
    first_event: datetime
    last_event: datetime
    flag_at: float  # risk from which an account is flagged
    outcomes: list[Outcome]
    skipped: list[Shape]  # too large for the log
    disturbance: Disturbance

    @property
    def planted(self) -> int:
        """Requests planted in all."""
        return sum(o.shape.size for o in self.outcomes)

    def shapes(self) -> list[ShapeResult]:
        """Every shape that was rehearsed, in the grid's order."""
        return [_shape(found) for _, found in _groups(self.outcomes, lambda o: o.shape)]

    def variants(self) -> dict[tuple[str, str], Rate]:
        """Campaigns caught by (family, variant), over all shapes."""
        return {key: _caught(found) for key, found in _groups(self.outcomes, lambda o: (o.shape.family, o.variant))}

    def curves(self) -> list[Point]:
        """Power by family, accounts and cover, and over all families."""
        by_family = _groups(self.outcomes, lambda o: (o.shape.family, o.shape.accounts, o.shape.cover))
        overall = _groups(self.outcomes, lambda o: (ALL, o.shape.accounts, o.shape.cover))
        return [
            Point(family=f, accounts=a, cover=c, caught=_caught(found), exposure=fmean(o.exposure for o in found))
            for (f, a, c), found in [*overall, *by_family]
        ]


def _groups(outcomes: Iterable[Outcome], key: Callable[[Outcome], object]) -> list[tuple]:
    groups: dict[object, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    return sorted(groups.items())


def _caught(found: Sequence[Outcome]) -> Rate:
    return Rate.of(sum(o.caught for o in found), len(found))


def _shape(found: Sequence[Outcome]) -> ShapeResult:
    firsts = [o.first_flag for o in found if o.first_flag is not None]
    return ShapeResult(
        shape=found[0].shape,
        caught=_caught(found),
        flagged=fmean(o.flagged / o.shape.accounts for o in found),
        first_flag=median(firsts) if firsts else None,
        exposure=fmean(o.exposure for o in found),
        risk=median(o.risk for o in found),
        reasons=_reasons(found),
    )


def _reasons(found: Sequence[Outcome]) -> list[Reason]:
    flagged = sum(o.flagged for o in found)
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in found:
        counts.update({("signal", name): n for name, n in outcome.signals.items()})
        counts.update({("tie", name): n for name, n in outcome.ties.items()})
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:REASONS]
    return [Reason(kind, name, n / flagged) for (kind, name), n in ordered]
