"""Planting campaigns into a log that exists: what of the log they must fit, and how they are made to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from detector.event import Account, Client, Event, Params, Usage
from detector.simulate.arrivals import DAY
from detector.simulate.campaign import Campaign, plant
from detector.simulate.grammar import built_in
from detector.simulate.identities import START
from detector.simulate.scenario import MEMBERS, Traffic, collect
from detector.simulate.texts import Texts
from detector.simulate.world import World

STRAY = 0.001  # share of the events at either end of time that may be those of wrong clocks, whole days at a time
NESTED: dict[str, type[msgspec.Struct]] = {"client": Client, "account": Account}
WHOLE: dict[str, type[msgspec.Struct]] = {"params": Params, "usage": Usage}
PLAIN = ("organization_id", "api_key_id", "end_user_id", "session_id", "response", "finish_reason", "latency_ms")
OPTIONAL = frozenset(
    [*PLAIN, *WHOLE, *(f"{name}.{f}" for name, part in NESTED.items() for f in part.__struct_fields__)]
)
"""What a gateway may never log; planted events then lack it too."""


@dataclass
class Surroundings:
    """What a log shows of itself that planted events must fit: its time, its models, and the fields that it fills.

    Gathered batch by batch with :meth:`see`, so that no log needs to be held.
    """

    events: int = 0
    models: Counter[str] = field(default_factory=Counter)
    unseen: set[str] = field(default_factory=lambda: set(OPTIONAL))  # fields that no event fills
    _days: dict[date, tuple[int, datetime, datetime]] = field(default_factory=dict)

    def see(self, events: Sequence[Event]) -> None:
        """Take note of some events of the log."""
        self.events += len(events)
        self.models.update(e.model for e in events if e.model and e.messages)
        days: dict[date, list[datetime]] = {}
        for event in events:
            moment = event.timestamp if event.timestamp.tzinfo else event.timestamp.replace(tzinfo=UTC)
            days.setdefault(moment.date(), []).append(moment)
            if self.unseen:
                self.unseen -= {name for name in self.unseen if _filled(event, name)}
        for day, moments in days.items():
            n, first, last = self._days.get(day, (0, moments[0], moments[0]))
            self._days[day] = (n + len(moments), min(first, *moments), max(last, *moments))

    @property
    def span(self) -> tuple[datetime, datetime]:
        """First and last moment, days with wrong clocks left out. Raises ValueError for a log without events."""
        if not self.events:
            raise ValueError("there are no events to plant campaigns into")
        days = sorted(self._days)
        return self._edge(days)[1], self._edge(days[::-1])[2]

    def _edge(self, days: Sequence[date]) -> tuple[int, datetime, datetime]:
        """The first of the days that cannot be left out as one with a wrong clock."""
        left = STRAY * self.events
        for day in days:
            left -= self._days[day][0]
            if left < 0:
                break
        return self._days[day]


def _filled(event: Event, name: str) -> bool:
    if name in WHOLE:
        return bool(getattr(event, name) != WHOLE[name]())
    value: Any = event
    for part in name.split("."):
        value = getattr(value, part)
    return value is not None


def plant_among(
    surroundings: Surroundings, campaigns: Sequence[Campaign], seed: int, texts: Texts | None = None
) -> Traffic:
    """Campaigns that fit a log: moved into its time, with its models and no field that it never fills.

    Events and labels are those of the campaigns alone. The same seed gives the same traffic. Raises ValueError for an
    empty log, and for campaigns that make no sense.
    """
    first, last = surroundings.span
    rng = random.Random(seed)
    days = max(1, int((last - first).total_seconds() // DAY) + 1)
    world = World(rng, texts or built_in(seed), days, MEMBERS)
    for campaign in campaigns:
        plant(world, campaign)
    scale = max((last - first).total_seconds(), 1.0) / (days * DAY)
    names = sorted(surroundings.models)
    weights = [surroundings.models[name] for name in names]
    used: dict[object, str | None] = {
        label["account_id"]: rng.choices(names, weights)[0] if names else None
        for label in sorted(world.labels, key=lambda x: str(x["account_id"]))
    }
    for event in world.events:
        event.timestamp = first + (event.timestamp - START) * scale
        event.model = used[event.account_id]
        if (created := event.account.created_at) is not None:
            event.account = msgspec.structs.replace(event.account, created_at=first + (created - START))
        _leave_out(event, surroundings.unseen)
    return collect(world)


def _leave_out(event: Event, names: set[str]) -> None:
    for name in names:
        if name in WHOLE:
            setattr(event, name, WHOLE[name]())
        elif name in PLAIN:
            setattr(event, name, None)
    for name in NESTED:
        if lacking := {f: None for f in NESTED[name].__struct_fields__ if f"{name}.{f}" in names}:
            setattr(event, name, msgspec.structs.replace(getattr(event, name), **lacking))


def plant_into(
    events: Sequence[Event], campaigns: Sequence[Campaign], seed: int, texts: Texts | None = None
) -> Traffic:
    """Plant campaigns into an existing log: its events with theirs, see :func:`plant_among`; labels only of what was planted."""
    surroundings = Surroundings()
    surroundings.see(events)
    traffic = plant_among(surroundings, campaigns, seed, texts)
    traffic.events = sorted([*events, *traffic.events], key=lambda e: (e.timestamp, e.event_id))
    return traffic
