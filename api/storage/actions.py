"""Actions that gateways are to take: issued by decisions or automatically, ended by time, by people, or by later decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, func, not_, or_, select, update

from api.schemas import Capability, Measure
from api.storage import audit
from api.storage.engine import Database
from api.storage.models import actions

T = actions.c
Record = Row
Subject = Literal["account", "campaign"]
Listed = Literal["open", "pending", "all"]
_WAITS = and_(T.needs_approval.is_(True), T.approved_at.is_(None))


class NotPossible(ValueError):
    """The action is not in a state in which this can be done, or not by this person."""


class New(NamedTuple):
    """An action to issue."""

    action: Measure
    expires_at: datetime
    needs_approval: bool = False
    api_key_id: str | None = None
    model: str | None = None
    capability: Capability | None = None


def issue(
    connection: Connection, subject: Subject, subject_id: str, new: Sequence[New], by: str, now: datetime,
    decision_id: int | None = None,
) -> list[Record]:  # fmt: skip
    """Issue actions, in the transaction of the decision they follow from; without one they are automatic."""
    source = "automatic" if decision_id is None else "decision"
    common: dict[str, Any] = {
        "subject": subject,
        "subject_id": subject_id,
        "source": source,
        "decision_id": decision_id,
    }
    common |= {"issued_by": by, "issued_at": now, "touched_at": now}
    return [
        connection.execute(actions.insert().values(**one._asdict(), **common).returning(*actions.columns)).one()
        for one in new
    ]


def replace(connection: Connection, subject: Subject, subject_id: str, by: str, now: datetime) -> None:
    """End what earlier decisions issued for a subject."""
    mine = and_(T.subject == subject, T.subject_id == subject_id, open_at(now))
    values = {"ended_by": by, "ended_at": now, "touched_at": now, "end_reason": "replaced by a later decision"}
    connection.execute(update(actions).where(mine).values(**values))


def open_at(now: datetime) -> ColumnElement[bool]:
    """Neither ended nor expired; it may still wait for approval."""
    return and_(T.ended_at.is_(None), T.expires_at > now)


def live(connection: Connection, now: datetime) -> Sequence[Record]:
    """Actions that hold now."""
    return connection.execute(select(actions).where(open_at(now), not_(_WAITS))).all()


def pending(connection: Connection, now: datetime) -> int:
    """How many actions wait for a second person."""
    return connection.execute(select(func.count()).select_from(actions).where(open_at(now), _WAITS)).scalar_one()


def of_decisions(connection: Connection, decision_ids: Collection[int]) -> Sequence[Record]:
    """Actions that some decisions carry."""
    mine = T.decision_id.in_(sorted(decision_ids))
    return connection.execute(select(actions).where(mine).order_by(T.action_id)).all()


def page(database: Database, listed: Listed, now: datetime, limit: int, offset: int) -> tuple[Sequence[Record], int]:
    """Actions, the newest first, and their number."""
    conditions = {"open": [open_at(now)], "pending": [open_at(now), _WAITS], "all": []}[listed]
    query = select(actions).where(*conditions).order_by(T.action_id.desc()).limit(limit).offset(offset)
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(actions).where(*conditions)).scalar_one()
        return connection.execute(query).all(), total


def approve(database: Database, action_id: int, actor: str, reason: str, now: datetime) -> Record | None:
    """Make a pending action hold; None where there is none of this id. Raises NotPossible, e.g. for its author."""
    with database.write("audit") as connection:
        record = _get(connection, action_id)
        if record is None:
            return None
        if not record.needs_approval or record.approved_at is not None:
            raise NotPossible("it does not wait for approval")
        if record.ended_at is not None or record.expires_at <= now:
            raise NotPossible("it has ended: decide again")
        if record.issued_by == actor:
            raise NotPossible("a second person must approve it")
        return _change(connection, record, {"approved_by": actor, "approved_at": now}, actor, "approve", reason, now)


def end(database: Database, action_id: int, actor: str, reason: str, now: datetime) -> Record | None:
    """Lift an action, or refuse one that waits; None where there is none of this id. Raises NotPossible."""
    with database.write("audit") as connection:
        record = _get(connection, action_id)
        if record is None:
            return None
        if record.ended_at is not None or record.expires_at <= now:
            raise NotPossible("it has ended already")
        values = {"ended_by": actor, "ended_at": now, "end_reason": reason}
        return _change(connection, record, values, actor, "end", reason, now)


def automatic_since(connection: Connection, since: datetime) -> int:
    """How many automatic actions were issued after a time."""
    query = select(func.count()).where(T.source == "automatic", T.issued_at > since)
    return connection.execute(query).scalar_one()


def treated(connection: Connection, now: datetime) -> set[str]:
    """Accounts with an open action, or whose automatic one was lifted: that is not issued again."""
    mine = and_(T.subject == "account", or_(open_at(now), and_(T.source == "automatic", T.ended_at.is_not(None))))
    return set(connection.execute(select(T.subject_id).where(mine).distinct()).scalars())


def _get(connection: Connection, action_id: int) -> Record | None:
    return connection.execute(select(actions).where(T.action_id == action_id)).first()


def _change(
    connection: Connection, before: Record, values: dict[str, Any], actor: str, what: str, reason: str, now: datetime
) -> Record:
    mine = T.action_id == before.action_id
    statement = update(actions).where(mine).values(**values, touched_at=now).returning(*actions.columns)
    record = connection.execute(statement).one()
    detail = {"action_id": record.action_id, "action": record.action, "reason": reason, "issued_by": record.issued_by}
    audit.append(connection, actor, f"action.{what}", f"{record.subject} {record.subject_id}", detail)
    return record
