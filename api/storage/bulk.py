"""One decision on many accounts: who is meant is fixed when it is asked for; each account has its own result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, case, func, select, update

from api.storage import audit
from api.storage.approvals import RUNNING, holds_at
from api.storage.engine import Database
from api.storage.models import bulk_items, bulk_jobs

JOB, ITEM = bulk_jobs.c, bulk_items.c
WAITING = timedelta(hours=24)  # for a second person; then it lapses
Record = Row


class Progress(NamedTuple):
    """How many accounts are decided on, and how many could not be."""

    done: int
    failed: int


def add(
    database: Database, account_ids: Sequence[str], query: str, what: str, reason: str, decision: str, needs_approval: bool,
    actor: str, now: datetime,
) -> Record:  # fmt: skip
    """Ask for a bulk decision on these accounts."""
    with database.write("audit") as connection:
        values: dict[str, Any] = {"subject": "bulk", "subject_id": query, "what": what, "reason": reason}
        values |= {"decision": decision, "total": len(account_ids), "needs_approval": needs_approval}
        values |= {"issued_by": actor, "issued_at": now, "touched_at": now}
        expires = now + (WAITING if needs_approval else RUNNING)
        inserting = bulk_jobs.insert().values(**values, expires_at=expires)
        row = connection.execute(inserting.returning(*bulk_jobs.columns)).one()
        connection.execute(bulk_items.insert(), [{"bulk_id": row.bulk_id, "account_id": a} for a in account_ids])
        detail = {"bulk_id": row.bulk_id, "what": what, "reason": reason, "accounts": len(account_ids)}
        audit.append(connection, actor, "bulk.issue", f"bulk {row.bulk_id}", detail)
        return row


def page(database: Database, limit: int, offset: int) -> Sequence[Record]:
    """Bulk decisions, the newest first."""
    with database.read() as connection:
        return connection.execute(select(bulk_jobs).order_by(JOB.bulk_id.desc()).limit(limit).offset(offset)).all()


def get(database: Database, bulk_id: int) -> Record | None:
    """One of them."""
    with database.read() as connection:
        return connection.execute(select(bulk_jobs).where(JOB.bulk_id == bulk_id)).first()


def progress(database: Database, bulk_ids: Sequence[int]) -> dict[int, Progress]:
    """How far some have come."""
    query = select(ITEM.bulk_id, ITEM.result, func.count().label("n"))
    query = query.where(ITEM.bulk_id.in_(bulk_ids), ITEM.result.is_not(None)).group_by(ITEM.bulk_id, ITEM.result)
    found = dict.fromkeys(bulk_ids, Progress(0, 0))
    with database.read() as connection:
        for row in connection.execute(query):
            found[row.bulk_id] = found[row.bulk_id]._replace(**{row.result: row.n})
    return found


def items(database: Database, bulk_id: int, limit: int, offset: int) -> Sequence[Record]:
    """The accounts of one with their results: what failed first."""
    failed_first = case((ITEM.result == "failed", 0), else_=1)
    query = select(bulk_items).where(ITEM.bulk_id == bulk_id).order_by(failed_first, ITEM.account_id)
    with database.read() as connection:
        return connection.execute(query.limit(limit).offset(offset)).all()


def unfinished(database: Database, now: datetime) -> Record | None:
    """The oldest that may be carried out and is not finished."""
    mine = (holds_at(bulk_jobs, now), JOB.finished_at.is_(None))
    with database.read() as connection:
        return connection.execute(select(bulk_jobs).where(*mine).order_by(JOB.bulk_id).limit(1)).first()


def waiting(database: Database, bulk_id: int, limit: int) -> list[str]:
    """Accounts that have no result yet."""
    mine = (ITEM.bulk_id == bulk_id, ITEM.result.is_(None))
    query = select(ITEM.account_id).where(*mine).order_by(ITEM.account_id).limit(limit)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def take(connection: Connection, bulk_id: int, account_id: str, now: datetime) -> bool:
    """Whether an account is still to be decided on: the job was not ended, and nobody else did it meanwhile."""
    job = (JOB.bulk_id == bulk_id, holds_at(bulk_jobs, now))
    item = (ITEM.bulk_id == bulk_id, ITEM.account_id == account_id, ITEM.result.is_(None))
    runs = connection.execute(select(JOB.bulk_id).where(*job)).first() is not None
    return runs and connection.execute(select(ITEM.account_id).where(*item)).first() is not None


def note(
    connection: Connection, bulk_id: int, account_id: str, result: str, detail: str | None, decision_id: int | None
) -> None:
    """Record an account's result, in the transaction of its decision."""
    mine = (ITEM.bulk_id == bulk_id, ITEM.account_id == account_id)
    values = {"result": result, "detail": detail, "decision_id": decision_id}
    connection.execute(update(bulk_items).where(*mine).values(**values))


def finish(database: Database, bulk_id: int, now: datetime) -> None:
    """Note that all accounts have a result."""
    with database.write("audit") as connection:
        mine = (JOB.bulk_id == bulk_id, JOB.finished_at.is_(None))
        changed = connection.execute(update(bulk_jobs).where(*mine).values(finished_at=now, touched_at=now)).rowcount
        if changed:
            failed = select(func.count()).where(ITEM.bulk_id == bulk_id, ITEM.result == "failed")
            detail = {"bulk_id": bulk_id, "failed": connection.execute(failed).scalar_one()}
            audit.append(connection, "bulk", "bulk.finish", f"bulk {bulk_id}", detail)
