"""Leave to read prompts: for one person, one account, campaign or job, and a while; every reading is in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from api.storage import audit
from api.storage.approvals import NotPossible, holds_at, open_at
from api.storage.engine import Database
from api.storage.models import unmaskings

T = unmaskings.c
WAITING = timedelta(hours=24)  # for a second person; then the request lapses


def ask(
    database: Database, subject: str, subject_id: str, reason: str, minutes: int, needs_approval: bool, actor: str,
    now: datetime,
) -> Row[Any]:  # fmt: skip
    """Ask for leave; it holds at once where nobody need approve. Raises NotPossible while the same is open."""
    with database.write("audit") as connection:
        if connection.execute(
            select(T.unmasking_id).where(_mine(subject, subject_id, actor), open_at(unmaskings, now))
        ).first():
            raise NotPossible("you asked for this already: it holds, or waits for a second person")
        values: dict[str, Any] = {"subject": subject, "subject_id": subject_id, "reason": reason, "minutes": minutes}
        values |= {"issued_by": actor, "issued_at": now, "touched_at": now, "needs_approval": needs_approval}
        expires = now + (WAITING if needs_approval else timedelta(minutes=minutes))
        inserting = unmaskings.insert().values(**values, expires_at=expires)
        row = connection.execute(inserting.returning(*unmaskings.columns)).one()
        detail = {"unmasking_id": row.unmasking_id, "reason": reason, "minutes": minutes}
        audit.append(connection, actor, "unmasking.issue", f"{subject} {subject_id}", detail)
        return row


def open_of(connection: Connection, subject: str, subject_id: str, actor: str, now: datetime) -> Row[Any] | None:
    """The person's open leave or request, if there is one."""
    mine = (_mine(subject, subject_id, actor), open_at(unmaskings, now))
    return connection.execute(select(unmaskings).where(*mine).order_by(T.unmasking_id.desc()).limit(1)).first()


def read(
    database: Database, subject: str, subject_id: str, actor: str, what: Mapping[str, Any], now: datetime
) -> Row[Any] | None:
    """Record what a person reads; None, and nothing recorded, without leave."""
    with database.write("audit") as connection:
        mine = (_mine(subject, subject_id, actor), holds_at(unmaskings, now))
        row = connection.execute(select(unmaskings).where(*mine).limit(1)).first()
        if row is not None:
            detail = {"unmasking_id": row.unmasking_id, **what}
            audit.append(connection, actor, "prompts.read", f"{subject} {subject_id}", detail)
        return row


def _mine(subject: str, subject_id: str, actor: str) -> Any:
    return and_(T.subject == subject, T.subject_id == subject_id, T.issued_by == actor)
