"""What the workers keep: profile segments, and how far they are in the event log, always written together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, case, delete, func, literal, or_, select, update

from api.storage.engine import Database
from api.storage.models import open_ranges, profile_segments, worker_state

MAIN = "main"  # the one row of worker_state, which all workers share


class Moved(RuntimeError):
    """Another worker was faster; what was computed must be thrown away."""


class ErrorRates(msgspec.Struct, frozen=True):
    """What is expected to be false of the flags of an assessment."""

    expected: float = 0.0
    low: float = 0.0
    high: float = 0.0
    max_false_flags: float = 0.0  # share of honest accounts that may be flagged
    reviewed: int = 0  # accounts that count as honest because people dismissed them


class State(NamedTuple):
    """Where the workers are."""

    position: int = 0  # all up to here is in a segment or an open range
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
    assessor: str | None = None
    texts_gone: int = 0  # times that text of requests was deleted, in all ...
    texts_gone_assessed: int = 0  # ... and as of the last assessment

    @property
    def is_worded_anew(self) -> bool:
        """Whether findings are to be written again, since text that they were put into words from is gone."""
        return self.texts_gone > self.texts_gone_assessed

    @property
    def rates(self) -> ErrorRates:
        """What is expected to be false; nothing is known before the first assessment."""
        return msgspec.json.decode(self.error_rates, type=ErrorRates) if self.error_rates else ErrorRates()


_COLUMNS = [worker_state.c[name] for name in State._fields]
W = worker_state.c
MINE = W.name == MAIN


def state(connection: Connection) -> State:
    """The workers' state; its defaults before one ever ran."""
    row = connection.execute(select(*_COLUMNS).where(MINE)).first()
    return State(*row) if row else State()


def ensure(database: Database) -> State:
    """The workers' state, made where there is none."""
    with database.write("worker") as connection:
        if connection.execute(select(worker_state.c.name).where(MINE)).first() is None:
            connection.execute(worker_state.insert().values(name=MAIN, **State()._asdict()))
        return state(connection)


def add(
    connection: Connection, after_seq: int, last_seq: int, events: int, skipped: int, last_event_at: datetime | None,
    profile: bytes | None,
) -> int | None:  # fmt: skip
    """Put the segment of an open range in its place; returns its id. Raises Moved where the range is gone: it was done.

    To be called in the transaction that holds the range.
    """
    mine = open_ranges.c.after_seq == after_seq
    if connection.execute(delete(open_ranges).where(mine)).rowcount != 1:
        raise Moved(f"another worker has profiled the events after {after_seq}")
    segment_id = None
    if profile is not None:
        values: dict[str, Any] = {"level": 0, "last_seq": last_seq, "events": events, "profile": profile}
        segment_id = _insert(connection, values)
    changes: dict[str, Any] = {
        "events": W.events + events,
        "skipped": W.skipped + skipped,
        "seen_at": datetime.now(UTC),
    }
    if last_event_at is not None:
        is_later = or_(W.last_event_at.is_(None), W.last_event_at < last_event_at)
        changes["last_event_at"] = case((is_later, literal(last_event_at, W.last_event_at.type)), else_=W.last_event_at)
    connection.execute(update(worker_state).where(MINE).values(**changes))
    return segment_id


def beat(database: Database) -> None:
    """Say that a worker is alive."""
    with database.write() as connection:
        connection.execute(update(worker_state).where(MINE).values(seen_at=datetime.now(UTC)))


def appoint(database: Database, assessor: str) -> None:
    """From now on this worker assesses, and what another one computes is refused."""
    with database.write() as connection:
        connection.execute(update(worker_state).where(MINE).values(assessor=assessor))


def confirm(connection: Connection, assessor: str) -> None:
    """Raises Moved unless this worker is still the one that assesses; none takes its place before the transaction ends."""
    found = connection.execute(select(worker_state.c.assessor).where(MINE).with_for_update()).scalar()
    if found != assessor:
        raise Moved("another worker assesses now")


def note_assessment(
    connection: Connection,
    position: int,
    seconds: float,
    threshold: float,
    clusters: bytes,
    rates: ErrorRates,
    texts_gone: int,
) -> None:
    """Record that the findings now reflect the log up to ``position``, and that so many deletions of text came before."""
    values: dict[str, Any] = {"assessed_at": datetime.now(UTC), "assessed_position": position}
    values["texts_gone_assessed"] = texts_gone
    values |= {"assess_seconds": seconds, "threshold": threshold, "clusters": clusters}
    values["error_rates"] = msgspec.json.encode(rates)
    connection.execute(update(worker_state).where(MINE).values(**values))


def note_texts_gone(database: Database) -> None:
    """Have whichever worker assesses write all findings again: text that they were put into words from is gone."""
    with database.write() as connection:
        connection.execute(update(worker_state).where(MINE).values(texts_gone=W.texts_gone + 1))


def ids(connection: Connection) -> list[int]:
    """The ids of all segments, in the order of the log."""
    return list(
        connection.execute(select(profile_segments.c.segment_id).order_by(profile_segments.c.last_seq)).scalars()
    )


def profiles(database: Database) -> Iterator[bytes]:
    """All segments, one after another, in the order of the log."""
    with database.read() as connection:
        for segment_id in ids(connection):
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


def replace(database: Database, level: int, segment_ids: list[int], profile: bytes) -> int:
    """Put one segment of the next level in the place of several; returns its id. Raises Moved if one of them is gone."""
    mine = profile_segments.c.segment_id.in_(segment_ids)
    with database.write() as connection:
        count, events, last_seq = connection.execute(
            select(func.count(), func.sum(profile_segments.c.events), func.max(profile_segments.c.last_seq)).where(mine)
        ).one()
        if count != len(segment_ids):
            raise Moved("segments were merged by another worker")
        connection.execute(delete(profile_segments).where(mine))
        values: dict[str, Any] = {"level": level + 1, "last_seq": last_seq, "events": events, "profile": profile}
        return _insert(connection, values)


def _insert(connection: Connection, values: dict[str, Any]) -> int:
    statement = profile_segments.insert().values(**values).returning(profile_segments.c.segment_id)
    return connection.execute(statement).scalar_one()


def _profile(connection: Connection, segment_id: int) -> bytes:
    query = select(profile_segments.c.profile).where(profile_segments.c.segment_id == segment_id)
    return bytes(connection.execute(query).scalar_one())
