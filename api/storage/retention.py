"""How long events are kept, and their deletion with all text that came from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, select

from api.storage import audit, ranges
from api.storage.engine import Database
from api.storage.models import event_features, events, retention


class Oldest(NamedTuple):
    """When the oldest stored event arrived, and about how many there are."""

    at: datetime | None
    events: int


def last(connection: Connection) -> Row[Any] | None:
    """What an administrator chose last; None where nobody ever did."""
    return connection.execute(select(retention).order_by(retention.c.retention_id.desc()).limit(1)).first()


def choose(database: Database, days: int | None, reason: str, actor: str, now: datetime) -> None:
    """Keep events for so many days from now on, None for ever; recorded in the audit trail."""
    with database.write("audit") as connection:
        before = last(connection)
        connection.execute(retention.insert().values(days=days, reason=reason, actor=actor, at=now))
        detail = {"days": days, "before": before.days if before else None, "reason": reason}
        audit.append(connection, actor, "retention.set", "retention", detail)


def shorter(one: int | None, other: int | None) -> int | None:
    """The shorter of two times to keep events, where None is for ever."""
    return min((days for days in (one, other) if days is not None), default=None)


def oldest(connection: Connection) -> Oldest:
    """What is stored. The number is the span of sequence numbers: counting millions would take seconds."""
    seq, at = events.c.seq, events.c.received_at
    first, newest = (
        connection.execute(select(seq, at).order_by(order).limit(1)).first() for order in (seq.asc(), seq.desc())
    )
    return Oldest(None, 0) if first is None or newest is None else Oldest(first.received_at, newest.seq - first.seq + 1)


def purge(database: Database, before: datetime, limit: int) -> int:
    """Delete at most so many of the events that arrived before a time and were profiled; returns how many.

    Few at a time: on SQLite the API waits for each transaction.
    """
    with database.write("events") as connection:
        old = (events.c.received_at < before, events.c.seq <= ranges.profiled(connection))
        rows = connection.execute(select(events.c.seq, events.c.event_id).where(*old).limit(limit)).all()
        if rows:
            ids = [row.event_id for row in rows]
            connection.execute(delete(event_features).where(event_features.c.event_id.in_(ids)))
            connection.execute(delete(events).where(events.c.seq.in_([row.seq for row in rows])))
    return len(rows)


def record(database: Database, actor: str, deleted: int, before: datetime, findings: int, results: int) -> None:
    """Put into the audit trail what a pass deleted."""
    detail = {"events": deleted, "received_before": before.isoformat(), "findings": findings, "results": results}
    with database.write("audit") as connection:
        audit.append(connection, actor, "retention.delete", "events", detail)
