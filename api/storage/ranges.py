"""Ranges of the event log: cut off one after another, each profiled by one worker, and gone when its segment is written.

A worker holds a range by a lock on its row until it commits segment and removal together, so every event counts exactly once.
Where a worker dies, PostgreSQL gives the lock back and another worker takes the range. SQLite has no such locks and one worker
(:mod:`api.services.alone`); a range that a second one has done all the same is noticed by its removal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from api.storage import events
from api.storage.engine import Database
from api.storage.models import open_ranges, worker_state
from api.storage.segments import MINE

R = open_ranges.c
_FRONTIER = select(worker_state.c.position).where(MINE)  # all before it is in a segment or a range


class Range(NamedTuple):
    """Events after one sequence number up to another."""

    after_seq: int
    last_seq: int
    events: int


class Held:
    """A range that this process works on."""

    def __init__(self, database: Database, connection: Connection, found: Range) -> None:
        self._database = database
        self._connection = connection
        self.range = found

    def read(self) -> list[events.Stored]:
        """The events of the range."""
        return events.between(self._connection, self.range.after_seq, self.range.last_seq)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The transaction that ends the work; on PostgreSQL the one that holds the lock, committed when the range is let go."""
        if self._database.is_sqlite:
            with self._database.write() as connection:
                yield connection
        else:
            yield self._connection


def cut(database: Database, limit: int) -> events.Reach | None:
    """Cut the next range off the log, of at most so many events; None where there are none."""
    with database.read() as connection:
        if events.first_received(connection, connection.execute(_FRONTIER).scalar_one()) is None:
            return None  # the usual case of an idle service: no need for a writing transaction
    with database.write() as connection:
        position = connection.execute(_FRONTIER.with_for_update()).scalar_one()
        found = events.reach(connection, position, limit)
        if found.last == position:
            return None
        values = {"after_seq": position, "last_seq": found.last, "events": found.events}
        connection.execute(open_ranges.insert().values(**values))
        connection.execute(update(worker_state).where(MINE).values(position=found.last))
    return found


@contextmanager
def hold(database: Database) -> Iterator[Held | None]:
    """The first range that nobody holds, or None. What is written of it is committed at the end."""
    query = select(R.after_seq, R.last_seq, R.events).order_by(R.after_seq).limit(1)
    if database.is_sqlite:  # a lock would keep the API from writing all the while
        with database.read() as connection:
            row = connection.execute(query).first()
            held = Held(database, connection, Range(*row)) if row else None
            yield held
    else:
        with database.write() as connection:
            row = connection.execute(query.with_for_update(skip_locked=True)).first()
            yield Held(database, connection, Range(*row)) if row else None


def profiled(connection: Connection) -> int:
    """The sequence number up to which every event is profiled."""
    first = select(func.min(R.after_seq)).scalar_subquery()
    return connection.execute(select(func.coalesce(first, _FRONTIER.scalar_subquery(), 0))).scalar_one()


def backlog(connection: Connection) -> tuple[int, datetime | None]:
    """Events not yet profiled: how many, and when the first of them was received."""
    held = select(func.sum(R.events)).scalar_subquery()
    both = select(func.coalesce(held, 0), func.coalesce(_FRONTIER.scalar_subquery(), 0))
    in_ranges, frontier = connection.execute(both).one()
    after, since = events.backlog(connection, frontier)
    if in_ranges:
        since = events.first_received(connection, profiled(connection))
    return int(in_ranges) + after, since
