"""Exceptions: a signal that does not count in an account's risk, with a reason, for a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select

from api.storage import audit
from api.storage.approvals import NotPossible, holds_at, open_at
from api.storage.engine import Database
from api.storage.models import exceptions

T = exceptions.c


def add(
    database: Database, account_id: str, signal: str, reason: str, expires_at: datetime, needs_approval: bool, actor: str,
    now: datetime,
) -> Row[Any]:  # fmt: skip
    """Make an exception. Raises NotPossible where there is an open one for the same signal and account."""
    with database.write("audit") as connection:
        same = and_(T.subject_id == account_id, T.signal == signal, open_at(exceptions, now))
        if connection.execute(select(T.exception_id).where(same)).first():
            raise NotPossible("there is an open exception for this signal already: end it first")
        values: dict[str, Any] = {"subject": "account", "subject_id": account_id, "signal": signal, "reason": reason}
        values |= {"issued_by": actor, "issued_at": now, "expires_at": expires_at, "touched_at": now}
        inserting = exceptions.insert().values(**values, needs_approval=needs_approval)
        row = connection.execute(inserting.returning(*exceptions.columns)).one()
        detail = {"exception_id": row.exception_id, "signal": signal, "reason": reason, "expires_at": expires_at}
        audit.append(connection, actor, "exception.issue", f"account {account_id}", detail)
        return row


def page(
    database: Database, account_id: str | None, now: datetime, only_open: bool, limit: int, offset: int
) -> Sequence[Row[Any]]:
    """Exceptions, the newest first: of one account or of all, the open ones or all there ever were."""
    conditions = [T.subject_id == account_id] if account_id is not None else []
    conditions += [open_at(exceptions, now)] if only_open else []
    query = select(exceptions).where(*conditions).order_by(T.exception_id.desc()).limit(limit).offset(offset)
    with database.read() as connection:
        return connection.execute(query).all()


def holding(database: Database, now: datetime) -> dict[str, set[str]]:
    """Signals that do not count now, by account."""
    found: dict[str, set[str]] = {}
    with database.read() as connection:
        for row in connection.execute(select(T.subject_id, T.signal).where(holds_at(exceptions, now))):
            found.setdefault(row.subject_id, set()).add(row.signal)
    return found
