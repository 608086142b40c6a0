"""What the worker keeps: profile segments and its position in the event log, always written together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from api.storage.engine import Database
from api.storage.models import profile_segments, worker_state

MAIN = "main"  # the one worker; work shared by partition would give each its name


class Moved(RuntimeError):
    """Another worker wrote in the meantime; what was computed must be thrown away."""


class ErrorRates(msgspec.Struct, frozen=True):
    """What is expected to be false of the flags of an assessment."""

    expected: float = 0.0
    low: float = 0.0
    high: float = 0.0
    max_false_flags: float = 0.0  # share of honest accounts that may be flagged
    reviewed: int = 0  # accounts that count as honest because people dismissed them


class State(NamedTuple):
    """Where the worker is."""

    position: int = 0
    events: int = 0
    skipped: int = 0
    last_event_at: datetime | None = None
    seen_at: datetime | None = None
    assessed_at: datetime | None = None
    assessed_position: int = 0
    assess_seconds: float | None = None
    threshold: float = 1.0
    clusters: bytes | None = None
    error_rates: bytes | None = None  # JSON of ErrorRates

    @property
    def rates(self) -> ErrorRates:
        """What is expected to be false; nothing is known before the first assessment."""
        return msgspec.json.decode(self.error_rates, type=ErrorRates) if self.error_rates else ErrorRates()


_COLUMNS = [worker_state.c[name] for name in State._fields]
_MINE = worker_state.c.name == MAIN


def state(connection: Connection) -> State:
    """The worker's state; its defaults before it ever ran."""
    row = connection.execute(select(*_COLUMNS).where(_MINE)).first()
    return State(*row) if row else State()


def ensure(database: Database) -> State:
    """The worker's state, made where there is none."""
    with database.write("worker") as connection:
        if connection.execute(select(worker_state.c.name).where(_MINE)).first() is None:
            connection.execute(worker_state.insert().values(name=MAIN, **State()._asdict()))
        return state(connection)


def advance(
    database: Database, before: State, last_seq: int, events: int, skipped: int, last_event_at: datetime | None,
    profile: bytes | None,
) -> State:  # fmt: skip
    """Write one segment and the new position in one transaction. Raises Moved unless the state is still ``before``."""
    times = [t for t in (before.last_event_at, last_event_at) if t is not None]
    after = before._replace(
        position=last_seq,
        events=before.events + events,
        skipped=before.skipped + skipped,
        last_event_at=max(times, default=None),
        seen_at=datetime.now(UTC),
    )
    with database.write() as connection:
        changes = {k: getattr(after, k) for k in ("position", "events", "skipped", "last_event_at", "seen_at")}
        here = worker_state.c.position == before.position
        if connection.execute(update(worker_state).where(_MINE, here).values(**changes)).rowcount != 1:
            raise Moved(f"the log was read past {before.position} by another worker")
        if profile is not None:
            connection.execute(
                profile_segments.insert().values(level=0, last_seq=last_seq, events=events, profile=profile)
            )
    return after


def beat(database: Database) -> None:
    """Say that the worker is alive."""
    with database.write() as connection:
        connection.execute(update(worker_state).where(_MINE).values(seen_at=datetime.now(UTC)))


def note_assessment(
    connection: Connection,
    position: int,
    seconds: float,
    threshold: float,
    clusters: bytes,
    rates: ErrorRates,
) -> None:
    """Record that the findings now reflect the log up to ``position``."""
    values: dict[str, Any] = {"assessed_at": datetime.now(UTC), "assessed_position": position}
    values |= {"assess_seconds": seconds, "threshold": threshold, "clusters": clusters}
    values["error_rates"] = msgspec.json.encode(rates)
    connection.execute(update(worker_state).where(_MINE).values(**values))


def profiles(database: Database) -> Iterator[bytes]:
    """All segments, one after another, in the order of the log."""
    with database.read() as connection:
        ids = connection.execute(select(profile_segments.c.segment_id).order_by(profile_segments.c.last_seq)).scalars()
        for segment_id in ids.all():
            yield _profile(connection, segment_id)


def crowded(connection: Connection, most: int) -> tuple[int, list[int]] | None:
    """The lowest level that holds more than ``most`` segments, with their ids; None if there is none."""
    table = profile_segments.c
    query = select(table.level).group_by(table.level).having(func.count() > most).order_by(table.level).limit(1)
    level = connection.execute(query).scalar()
    if level is None:
        return None
    return level, list(connection.execute(select(table.segment_id).where(table.level == level)).scalars())


def load(database: Database, segment_ids: list[int]) -> Iterator[bytes]:
    """The profiles of some segments."""
    with database.read() as connection:
        for segment_id in segment_ids:
            yield _profile(connection, segment_id)


def replace(database: Database, level: int, segment_ids: list[int], profile: bytes) -> None:
    """Put one segment of the next level in the place of several. Raises Moved if one of them is gone."""
    mine = profile_segments.c.segment_id.in_(segment_ids)
    with database.write() as connection:
        count, events, last_seq = connection.execute(
            select(func.count(), func.sum(profile_segments.c.events), func.max(profile_segments.c.last_seq)).where(mine)
        ).one()
        if count != len(segment_ids):
            raise Moved("segments were merged by another worker")
        connection.execute(delete(profile_segments).where(mine))
        connection.execute(
            profile_segments.insert().values(level=level + 1, last_seq=last_seq, events=events, profile=profile)
        )


def _profile(connection: Connection, segment_id: int) -> bytes:
    query = select(profile_segments.c.profile).where(profile_segments.c.segment_id == segment_id)
    return bytes(connection.execute(query).scalar_one())
