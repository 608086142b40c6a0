"""Saved queries: one's own, and those that are shared."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, or_, select

from api.storage import audit
from api.storage.engine import Database
from api.storage.models import saved_queries

Q = saved_queries.c


def save(
    database: Database, name: str, text: str | None, account_id: str | None, shared: bool, owner: str, now: datetime
) -> Row[Any]:
    """Keep a query; a shared one is in the audit trail."""
    values = {"query_id": secrets.token_hex(8), "name": name, "text": text, "account_id": account_id}
    with database.write("audit") as connection:
        statement = saved_queries.insert().values(**values, shared=shared, owner=owner, created_at=now)
        row = connection.execute(statement.returning(*saved_queries.columns)).one()
        if shared:
            audit.append(connection, owner, "query.share", f"query {row.query_id}", {"name": name})
    return row


def visible(database: Database, owner: str) -> Sequence[Row[Any]]:
    """One's own and the shared ones, by name."""
    query = select(saved_queries).where(or_(Q.owner == owner, Q.shared.is_(True))).order_by(Q.name, Q.query_id)
    with database.read() as connection:
        return connection.execute(query).all()


def remove(database: Database, query_id: str, actor: str, any_shared: bool) -> bool:
    """Forget one's own query, or with ``any_shared`` one that is shared; False where there is none such."""
    mine = or_(Q.owner == actor, Q.shared.is_(True)) if any_shared else Q.owner == actor
    with database.write("audit") as connection:
        statement = delete(saved_queries).where(Q.query_id == query_id, mine).returning(Q.shared, Q.name)
        row = connection.execute(statement).first()
        if row is not None and row.shared:
            audit.append(connection, actor, "query.remove", f"query {query_id}", {"name": row.name})
        return row is not None
