"""What is kept of each account's texts, and the features that stand for texts that are not kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from api.schemas.privacy import ContentMode
from api.storage import audit, events
from api.storage.engine import Database
from api.storage.models import content_modes, event_features
from api.storage.models import events as log
from detector.event import Event

C = content_modes.c
_CHUNK = 500

FeatureRow = tuple[str, bytes]  # id of the event, its features


def every(connection: Connection) -> Sequence[Row[Any]]:
    """All accounts with a mode of their own, the last changed first."""
    return connection.execute(select(content_modes).order_by(C.at.desc(), C.account_id)).all()


def choose(database: Database, account_id: str, mode: ContentMode, reason: str, actor: str, now: datetime) -> Row[Any]:
    """Set the mode of an account; what is stored already follows later. Recorded in the audit trail."""
    values = {"account_id": account_id, "mode": mode, "reason": reason, "actor": actor, "at": now}
    with database.write("audit") as connection:
        before = connection.execute(select(C.mode).where(C.account_id == account_id)).scalar()
        connection.execute(delete(content_modes).where(C.account_id == account_id))
        swept = now if mode == "full" else None
        row = connection.execute(
            content_modes.insert().values(**values, swept_at=swept).returning(*content_modes.columns)
        ).one()
        detail = {"mode": mode, "before": before, "reason": reason}
        audit.append(connection, actor, "content.set", f"account {account_id}", detail)
    return row


def forget(database: Database, account_id: str, actor: str) -> bool:
    """Let an account follow the default again; False where it had no mode of its own. Recorded in the audit trail."""
    with database.write("audit") as connection:
        mine = C.account_id == account_id
        before = connection.execute(select(C.mode).where(mine)).scalar()
        if before is None:
            return False
        connection.execute(delete(content_modes).where(mine))
        audit.append(connection, actor, "content.unset", f"account {account_id}", {"before": before})
    return True


def unswept(connection: Connection) -> Sequence[Row[Any]]:
    """Accounts whose stored events do not follow their mode yet."""
    return connection.execute(select(content_modes).where(C.swept_at.is_(None))).all()


def swept(database: Database, account_id: str, changed_at: datetime, now: datetime) -> None:
    """Note that an account's stored events follow the mode that was set at a time."""
    with database.write() as connection:
        mine = (C.account_id == account_id, C.at == changed_at)
        connection.execute(update(content_modes).where(*mine).values(swept_at=now))


def stored(database: Database, account_id: str) -> Iterator[list[Event]]:
    """An account's stored events, some at a time."""
    with database.read() as connection:
        numbers = list(connection.execute(select(log.c.seq).where(log.c.account_id == account_id)).scalars())
    for at in range(0, len(numbers), _CHUNK):
        with database.read() as connection:
            chosen = log.c.seq.in_(numbers[at : at + _CHUNK])
            payloads = connection.execute(select(log.c.payload).where(chosen)).scalars().all()
        yield [event for payload in payloads if (event := events.decode(payload)) is not None]


def rewrite(database: Database, rows: Sequence[events.Row], features: Sequence[FeatureRow]) -> None:
    """Put what may be kept of stored events in the place of what was stored."""
    with database.write("events") as connection:
        insert_features(connection, features)
        for event_id, _, _, _, payload in rows:
            connection.execute(update(log).where(log.c.event_id == event_id).values(payload=payload))


def insert_features(connection: Connection, rows: Sequence[FeatureRow]) -> None:
    """Store features; those that are there stay: they were computed from the text as it came."""
    if not rows:
        return
    known = set(features(connection, [event_id for event_id, _ in rows]))
    fresh = {event_id: blob for event_id, blob in rows if event_id not in known}
    if fresh:
        connection.execute(
            event_features.insert(), [{"event_id": event_id, "features": blob} for event_id, blob in fresh.items()]
        )


def features(connection: Connection, event_ids: Collection[str]) -> dict[str, bytes]:
    """The stored features of some events, by id."""
    wanted = sorted(event_ids)
    found: dict[str, bytes] = {}
    for at in range(0, len(wanted), _CHUNK):
        chosen = event_features.c.event_id.in_(wanted[at : at + _CHUNK])
        found.update((r.event_id, bytes(r.features)) for r in connection.execute(select(event_features).where(chosen)))
    return found
