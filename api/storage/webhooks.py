"""Webhooks, what is to be sent to them, and the log of every attempt."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, case, delete, func, or_, select, update

from api.schemas.webhooks import WebhookKind, WebhookShape
from api.storage import audit
from api.storage.engine import Database
from api.storage.models import webhook_attempts, webhook_deliveries, webhooks

W, D, A = webhooks.c, webhook_deliveries.c, webhook_attempts.c
Record = Row
ITEMS_PER_MESSAGE = 50  # keeps a body below the 20 kB that the Standard Webhooks specification recommends
MAX_PENDING = 10_000  # deliveries that wait for one webhook; further ones fail at once instead of filling the disk
ID_BYTES = 6
SECRET_BYTES = 32  # Standard Webhooks: 24 to 64
_ENCODER = msgspec.json.Encoder()


def create(
    database: Database, name: str, url: str, shape: WebhookShape, kinds: Sequence[WebhookKind], secret: str, actor: str,
    now: datetime,
) -> Record:  # fmt: skip
    """Make a webhook. ``secret`` is stored as it is given: encrypted."""
    webhook_id = random.token_hex(ID_BYTES)
    values = {
        "webhook_id": webhook_id,
        "name": name,
        "url": url,
        "shape": shape,
        "kinds": json.dumps(sorted(set(kinds))),
    }
    with database.write("audit") as connection:
        statement = webhooks.insert().values(**values, secret=secret, created_by=actor, created_at=now)
        row = connection.execute(statement.returning(*webhooks.columns)).one()
        audit.append(connection, actor, "webhook.create", f"webhook {webhook_id}", values)
        return row


def every(database: Database) -> Sequence[Record]:
    """All webhooks, the oldest first."""
    with database.read() as connection:
        return connection.execute(select(webhooks).order_by(W.created_at)).all()


def get(database: Database, webhook_id: str) -> Record | None:
    """One webhook."""
    with database.read() as connection:
        return connection.execute(select(webhooks).where(W.webhook_id == webhook_id)).first()


def remove(database: Database, webhook_id: str, actor: str) -> bool:
    """Remove a webhook with its deliveries; False where there is none of this id."""
    with database.write("audit") as connection:
        mine = select(D.delivery_id).where(D.webhook_id == webhook_id)
        connection.execute(delete(webhook_attempts).where(A.delivery_id.in_(mine)))
        connection.execute(delete(webhook_deliveries).where(D.webhook_id == webhook_id))
        found = connection.execute(delete(webhooks).where(W.webhook_id == webhook_id)).rowcount == 1
        if found:
            audit.append(connection, actor, "webhook.remove", f"webhook {webhook_id}", {})
        return found


def rotate(database: Database, webhook_id: str, secret: str, until: datetime, actor: str) -> Record | None:
    """Sign with a new secret, and with the one before too until a time; None where there is none of this id."""
    values = {"secret": secret, "previous_secret": W.secret, "previous_until": until}
    return _change(database, webhook_id, values, actor, "rotate")


def change_secrets(database: Database, change: Callable[[str], str]) -> int:
    """Store every secret as ``change`` makes it of what is stored; returns how many were changed."""
    with database.read() as connection:
        rows = connection.execute(select(W.webhook_id, W.secret, W.previous_secret)).all()
    stored = [
        (r.webhook_id, column, old) for r in rows for column, old in ((W.secret, r[1]), (W.previous_secret, r[2]))
    ]
    changes = [(i, column, old, new) for i, column, old in stored if old and (new := change(old)) != old]
    if not changes:
        return 0
    with database.write("audit") as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")  # what stood there before is overwritten
        for webhook_id, column, old, new in changes:
            mine = and_(W.webhook_id == webhook_id, column == old)  # unless it was rotated meanwhile
            connection.execute(update(webhooks).where(mine).values({column.name: new}))
    if database.is_sqlite:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # the log still holds what stood there before
    return len(changes)


def disable(database: Database, webhook_id: str, reason: str, actor: str, now: datetime) -> Record | None:
    """Send nothing more to a webhook, and let what waits fail."""
    return _change(database, webhook_id, {"disabled_at": now, "disabled_reason": reason}, actor, "disable")


def enable(database: Database, webhook_id: str, actor: str) -> Record | None:
    """Send to a webhook again."""
    return _change(database, webhook_id, {"disabled_at": None, "disabled_reason": None}, actor, "enable")


def _change(database: Database, webhook_id: str, values: Mapping[str, Any], actor: str, what: str) -> Record | None:
    statement = update(webhooks).where(W.webhook_id == webhook_id).values(**values).returning(*webhooks.columns)
    with database.write("audit") as connection:
        row = connection.execute(statement).first()
        if row is not None:
            detail = {"reason": row.disabled_reason} if what == "disable" else {}
            audit.append(connection, actor, f"webhook.{what}", f"webhook {webhook_id}", detail)
        return row


def wanted(connection: Connection) -> dict[str, list[str]]:
    """Ids of enabled webhooks by the kind of message they want."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(select(W.webhook_id, W.kinds).where(W.disabled_at.is_(None))):
        for kind in json.loads(row.kinds):
            found.setdefault(kind, []).append(row.webhook_id)
    return found


def enqueue(
    connection: Connection, kind: str, items: Sequence[Mapping[str, Any]], now: datetime, to: Collection[str] | None = None
) -> None:  # fmt: skip
    """Put messages of one kind in the queue of every webhook that wants them, in the transaction of what they tell.

    ``to`` names webhooks instead, e.g. for a test.
    """
    targets = wanted(connection).get(kind, []) if to is None else to
    for webhook_id in targets:
        waiting = select(func.count()).where(D.webhook_id == webhook_id, D.state == "pending")
        room = MAX_PENDING - connection.execute(waiting).scalar_one()
        rows: list[dict[str, Any]] = []
        for start in range(0, len(items), ITEMS_PER_MESSAGE):
            message = {"type": kind, "timestamp": now, "data": {"items": items[start : start + ITEMS_PER_MESSAGE]}}
            full = len(rows) >= room
            rows.append({
                "webhook_id": webhook_id, "message_id": f"msg_{random.token_hex(12)}", "kind": kind,
                "payload": _ENCODER.encode(message), "state": "failed" if full else "pending", "attempts": 0,
                "created_at": now, "due_at": now, "ended_at": now if full else None,
            })  # fmt: skip
        if rows:
            connection.execute(webhook_deliveries.insert(), rows)


def claim(
    database: Database, now: datetime, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[tuple[Record, Record]]:
    """Due deliveries with their webhooks, but for busy ones. They are nobody else's for the time of the lease.

    After it they are due again, so a process that dies loses nothing; a message may then arrive twice, with the same id.
    """
    due = and_(D.state == "pending", D.due_at <= now, D.webhook_id.not_in(sorted(busy)))
    query = select(webhook_deliveries).where(due).order_by(D.due_at, D.delivery_id).limit(limit)
    with database.read() as connection:
        if connection.execute(select(D.delivery_id).where(due).limit(1)).first() is None:
            return []  # the usual case: no need for a writing transaction
    with database.write() as connection:
        found = connection.execute(query.with_for_update(skip_locked=True)).all()
        hooks = {h.webhook_id: h for h in connection.execute(select(webhooks)).all()}
        if found:
            ids = [d.delivery_id for d in found]
            values = {"due_at": now + lease, "attempts": D.attempts + 1}
            connection.execute(update(webhook_deliveries).where(D.delivery_id.in_(ids)).values(**values))
        return [(d, hooks[d.webhook_id]) for d in found if d.webhook_id in hooks]


def release(database: Database, delivery_ids: Sequence[int], now: datetime) -> None:
    """Give back claimed deliveries that were not attempted."""
    with database.write() as connection:
        values = {"due_at": now, "attempts": D.attempts - 1}
        connection.execute(update(webhook_deliveries).where(D.delivery_id.in_(delivery_ids)).values(**values))


def finish(
    database: Database, delivery: Record, at: datetime, status: int | None, error: str | None, milliseconds: int,
    next_at: datetime | None,
) -> None:  # fmt: skip
    """Log an attempt. Without an error it is delivered; else it is due again at ``next_at``, or failed where that is None."""
    done = error is None or next_at is None
    state = "delivered" if error is None else "failed" if next_at is None else "pending"
    values: dict[str, Any] = {"state": state, "ended_at": at if done else None, "due_at": next_at or at}
    with database.write() as connection:
        mine = D.delivery_id == delivery.delivery_id
        if connection.execute(update(webhook_deliveries).where(mine).values(**values)).rowcount:
            entry = {"delivery_id": delivery.delivery_id, "at": at, "status": status, "error": error}
            connection.execute(webhook_attempts.insert().values(**entry, milliseconds=milliseconds))


def again(database: Database, webhook_id: str, delivery_id: int, now: datetime) -> bool:
    """Make a delivery that ended due once more; False where there is no such one."""
    mine = and_(D.webhook_id == webhook_id, D.delivery_id == delivery_id, D.state != "pending")
    with database.write() as connection:
        values = {"state": "pending", "due_at": now, "ended_at": None, "attempts": 0}
        return connection.execute(update(webhook_deliveries).where(mine).values(**values)).rowcount == 1


def deliveries(
    database: Database, webhook_id: str, limit: int, offset: int
) -> tuple[Sequence[Record], dict[int, list[Record]], int]:
    """Deliveries of a webhook, the newest first, their attempts, and their total."""
    mine = D.webhook_id == webhook_id
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(webhook_deliveries).where(mine)).scalar_one()
        query = select(webhook_deliveries).where(mine).order_by(D.delivery_id.desc()).limit(limit).offset(offset)
        rows = connection.execute(query).all()
        ids = [r.delivery_id for r in rows]
        log: dict[int, list[Record]] = {}
        for attempt in connection.execute(
            select(webhook_attempts).where(A.delivery_id.in_(ids)).order_by(A.attempt_id)
        ):
            log.setdefault(attempt.delivery_id, []).append(attempt)
    return rows, log, total


def prune(database: Database, before: datetime) -> int:
    """Forget deliveries that ended before a time; returns how many."""
    old = and_(D.state != "pending", D.ended_at < before)
    with database.write() as connection:
        ids = select(D.delivery_id).where(old)
        connection.execute(delete(webhook_attempts).where(A.delivery_id.in_(ids)))
        return connection.execute(delete(webhook_deliveries).where(old)).rowcount


def figures(connection: Connection, since: datetime) -> dict[str, int]:
    """Deliveries that wait, and that were delivered or failed since a time."""
    recent = D.ended_at >= since
    query = select(
        func.count(case((D.state == "pending", 1))).label("pending"),
        func.count(case((and_(D.state == "delivered", recent), 1))).label("delivered"),
        func.count(case((and_(D.state == "failed", recent), 1))).label("failed"),
    ).where(or_(D.state == "pending", recent))
    return dict(connection.execute(query).one()._mapping)
