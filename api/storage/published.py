"""What gateways are told, as worked out once: read by all API processes in the order of its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects import postgresql, sqlite

from api.storage.models import actions, decisions, enforcement, published, worker_state

T = published.c
Subject = Literal["account", "campaign"]


def head(connection: Connection) -> int:
    """The last change's number; 0 where there is none."""
    return connection.execute(select(func.max(T.seq))).scalar() or 0


def after(connection: Connection, seq: int, limit: int) -> Sequence[Row[Any]]:
    """Records that changed after a number, in the order of their last changes."""
    return connection.execute(select(published).where(T.seq > seq).order_by(T.seq).limit(limit)).all()


def before(connection: Connection, when: datetime) -> int:
    """Number of the last change that is not later than a time."""
    return connection.execute(select(func.max(T.seq)).where(T.changed_at <= when)).scalar() or 0


def write(connection: Connection, subject: Subject, records: Mapping[str, bytes], now: datetime) -> None:
    """Write records over earlier ones, each as a new change. To be called under ``Database.write("published")``.

    The lock makes numbers become visible in their order, so that no follower reads past one that commits later.
    """
    if not records:
        return
    seq = head(connection)
    rows = [
        {"subject": subject, "subject_id": subject_id, "seq": seq + n, "changed_at": now, "record": record}
        for n, (subject_id, record) in enumerate(records.items(), 1)
    ]
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(published)
    changes = {name: insert.excluded[name] for name in ("seq", "changed_at", "record")}
    connection.execute(insert.on_conflict_do_update(index_elements=["subject", "subject_id"], set_=changes), rows)


def stamp(connection: Connection) -> tuple[Any, ...]:
    """What differs whenever there may be something new to publish: assessments, decisions, actions, the switch."""
    newest = [
        select(func.max(worker_state.c.assessed_at)),
        select(func.max(decisions.c.decision_id)),
        select(func.max(decisions.c.undone_at)),
        select(func.max(actions.c.touched_at)),
        select(func.max(actions.c.action_id)),
        select(func.max(enforcement.c.enforcement_id)),
    ]
    return tuple(connection.execute(query).scalar() for query in newest)
