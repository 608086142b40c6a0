"""What one person asks for and a second one approves: actions, exceptions, unmasking. All end by time or by people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, not_, select, update

from api.schemas.approvals import ApprovalKind
from api.storage import audit
from api.storage.engine import Database
from api.storage.models import actions, bulk_jobs, exceptions, groupings, unmaskings

TABLES: dict[ApprovalKind, Table] = {
    "action": actions, "exception": exceptions, "unmasking": unmaskings, "bulk": bulk_jobs,
    "grouping": groupings,
}  # fmt: skip
NAMED: dict[ApprovalKind, str] = {
    "action": "action", "exception": "signal", "unmasking": "minutes", "bulk": "what", "grouping": "what",
}  # fmt: skip
"""The column that says what is asked for."""
LOGGED_ENDS: tuple[ApprovalKind, ...] = ("exception", "unmasking")  # whose end by time is in the audit trail
RUNNING = timedelta(days=7)  # for an approved bulk decision to be carried out
WITHOUT_END = datetime(9999, 12, 31, tzinfo=UTC)  # expires_at of what holds until people end it

TIME = "time"  # who ended what ran out


class NotPossible(ValueError):
    """It is not in a state in which this can be done, or not by this person."""


class Pending(NamedTuple):
    """Something that waits for a second person."""

    kind: ApprovalKind
    record: Row[Any]


def open_at(table: Table, now: datetime) -> ColumnElement[bool]:
    """Neither ended nor expired; it may still wait for approval."""
    return and_(table.c.ended_at.is_(None), table.c.expires_at > now)


def waits(table: Table) -> ColumnElement[bool]:
    """Still needs a second person."""
    return and_(table.c.needs_approval.is_(True), table.c.approved_at.is_(None))


def holds_at(table: Table, now: datetime) -> ColumnElement[bool]:
    """Holds now."""
    return and_(open_at(table, now), not_(waits(table)))


def key_of(table: Table) -> ColumnElement[Any]:
    """The table's primary key."""
    key: ColumnElement[Any] = next(iter(table.primary_key.columns))
    return key


def pending(database: Database, now: datetime, limit: int) -> tuple[list[Pending], int]:
    """What waits, the oldest first, and how much that is."""
    found: list[Pending] = []
    total = 0
    with database.read() as connection:
        for kind, table in TABLES.items():
            mine = and_(open_at(table, now), waits(table))
            total += connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
            rows = connection.execute(select(table).where(mine).order_by(table.c.issued_at).limit(limit))
            found += [Pending(kind, row) for row in rows]
    return sorted(found, key=lambda p: p.record.issued_at)[:limit], total


def record(database: Database, kind: ApprovalKind, number: int) -> Row[Any] | None:
    """One of them by its number; None where there is none."""
    with database.read() as connection:
        return _get(connection, kind, number)


def approve(
    database: Database, kind: ApprovalKind, number: int, actor: str, reason: str, now: datetime
) -> Row[Any] | None:
    """Make what waits hold; None where there is none of this number. Raises NotPossible, e.g. for its author."""
    with database.write("audit") as connection:
        before = _get(connection, kind, number)
        if before is None:
            return None
        if not before.needs_approval or before.approved_at is not None:
            raise NotPossible("it does not wait for approval")
        if before.ended_at is not None or before.expires_at <= now:
            raise NotPossible("it has ended: ask or decide again")
        if before.issued_by == actor:
            raise NotPossible("a second person must approve it")
        values: dict[str, Any] = {"approved_by": actor, "approved_at": now}
        if kind == "unmasking":  # its time begins when it can be used
            values["expires_at"] = now + timedelta(minutes=before.minutes)
        if kind == "bulk":
            values["expires_at"] = now + RUNNING
        return _change(connection, kind, before, values, actor, "approve", reason, now)


def end(database: Database, kind: ApprovalKind, number: int, actor: str, reason: str, now: datetime) -> Row[Any] | None:
    """End it before its time, or refuse it while it waits; None where there is none of this number. Raises NotPossible."""
    with database.write("audit") as connection:
        before = _get(connection, kind, number)
        if before is None:
            return None
        if before.ended_at is not None or before.expires_at <= now:
            raise NotPossible("it has ended already")
        values = {"ended_by": actor, "ended_at": now, "end_reason": reason}
        return _change(connection, kind, before, values, actor, "end", reason, now)


def log_ends(database: Database, now: datetime) -> int:
    """Record in the audit trail which exceptions and unmaskings have run out since the last call; returns how many."""
    ran_out = {k: and_(TABLES[k].c.ended_at.is_(None), TABLES[k].c.expires_at <= now) for k in LOGGED_ENDS}
    with database.read() as connection:
        if not any(connection.execute(select(key_of(TABLES[k])).where(c).limit(1)).first() for k, c in ran_out.items()):
            return 0
    count = 0
    with database.write("audit") as connection:
        for kind, condition in ran_out.items():
            for row in connection.execute(select(TABLES[kind]).where(condition)).all():
                values = {"ended_by": TIME, "ended_at": row.expires_at}
                _change(connection, kind, row, values, TIME, "end", "its time is over", now)
                count += 1
    return count


def _get(connection: Connection, kind: ApprovalKind, number: int) -> Row[Any] | None:
    table = TABLES[kind]
    return connection.execute(select(table).where(key_of(table) == number)).first()


def _change(
    connection: Connection, kind: ApprovalKind, before: Row[Any], values: Mapping[str, Any], actor: str, what: str,
    reason: str, now: datetime,
) -> Row[Any]:  # fmt: skip
    table, named = TABLES[kind], NAMED[kind]
    number = before._mapping[f"{kind}_id"]
    changing = update(table).where(key_of(table) == number).values(**values, touched_at=now)
    row = connection.execute(changing.returning(*table.columns)).one()
    detail = {f"{kind}_id": number, named: row._mapping[named], "reason": reason, "issued_by": row.issued_by}
    audit.append(connection, actor, f"{kind}.{what}", f"{row.subject} {row.subject_id}", detail)
    return row
