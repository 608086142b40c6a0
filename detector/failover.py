"""Fail-overs of a campaign: an account takes up the shared work right after another one was stopped or fell silent.

A pool of accounts is worked so that the harvest goes on whatever becomes of each: a stop is followed by a start. One such pair may be
chance; many are a pool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

MAX_GAP = timedelta(hours=12)  # from the stop to the start: a shift later at most
SILENCE = timedelta(hours=24)  # the campaign goes on for so long without the account before that is a stop


class Failover(msgspec.Struct, frozen=True, kw_only=True):
    """One account's work that another one took up."""

    stopped: str
    at: datetime
    by_people: bool  # an action held from then on; else the account fell silent
    taken_up_by: str
    after: timedelta


def failovers(
    work: Mapping[str, tuple[datetime, datetime]], actions: Mapping[str, datetime] | None = None
) -> Sequence[Failover]:
    """Stops and starts that belong together, each in one pair, the closest first; in order of time.

    ``work``: each member's first and last request of the shared work. ``actions``: from when on gateways held a member up.
    """
    if not work:
        return []
    end = max(last for _, last in work.values())
    stops = {a: last for a, (_, last) in work.items() if last + SILENCE <= end}
    people = {a: at for a, at in (actions or {}).items() if a in work and at >= work[a][0]}
    stops |= people
    pairs = sorted(
        (first - at, at, stopped, started)
        for stopped, at in stops.items()
        for started, (first, _) in work.items()
        if started != stopped and timedelta(0) <= first - at <= MAX_GAP
    )
    found: list[Failover] = []
    used: tuple[set[str], set[str]] = set(), set()
    for gap, at, stopped, started in pairs:
        if stopped not in used[0] and started not in used[1]:
            used[0].add(stopped)
            used[1].add(started)
            found.append(Failover(stopped=stopped, at=at, by_people=stopped in people, taken_up_by=started, after=gap))
    return sorted(found, key=lambda f: (f.at, f.stopped))
