"""Actions that gateways are to take: issued by decisions or automatically, ended by time, by people, or by later decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, and_, func, not_, or_, select, update

from api.schemas.actions import Capability, Measure
from api.storage.approvals import holds_at, open_at, waits
from api.storage.engine import Database
from api.storage.models import actions

T = actions.c
Record = Row
Subject = Literal["account", "campaign"]
Listed = Literal["open", "pending", "all"]
REPLACED, UNDONE = "replaced by a later decision", "the decision was undone"


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


def replace(
    connection: Connection, subject: Subject, subject_id: str, decision_id: int, by: str, now: datetime
) -> None:
    """End what earlier decisions issued for a subject, because of a later one."""
    mine = and_(T.subject == subject, T.subject_id == subject_id, open_at(actions, now))
    values = {"ended_by": by, "ended_at": now, "touched_at": now, "end_reason": REPLACED, "replaced_by": decision_id}
    connection.execute(update(actions).where(mine).values(**values))


def undo(connection: Connection, decision_id: int, by: str, now: datetime) -> list[int]:
    """End what a decision issued, and let hold again what it replaced; returns the numbers of the latter."""
    issued = and_(T.decision_id == decision_id, open_at(actions, now))
    ended = {"ended_by": by, "ended_at": now, "touched_at": now, "end_reason": UNDONE}
    connection.execute(update(actions).where(issued).values(**ended))
    replaced = and_(T.replaced_by == decision_id, T.expires_at > now)
    again = {"ended_by": None, "ended_at": None, "end_reason": None, "replaced_by": None, "touched_at": now}
    statement = update(actions).where(replaced).values(**again).returning(T.action_id)
    return sorted(connection.execute(statement).scalars())


def live(connection: Connection, now: datetime) -> Sequence[Record]:
    """Actions that hold now."""
    return connection.execute(select(actions).where(holds_at(actions, now))).all()


def pending(connection: Connection, now: datetime) -> int:
    """How many actions wait for a second person."""
    return connection.execute(
        select(func.count()).select_from(actions).where(open_at(actions, now), waits(actions))
    ).scalar_one()


def of_campaigns(connection: Connection, campaign_ids: Collection[str], now: datetime) -> Sequence[Record]:
    """Actions on whole campaigns that hold or wait, beyond observing."""
    mine = and_(T.subject == "campaign", T.subject_id.in_(sorted(campaign_ids)), T.action != "observe")
    return connection.execute(select(actions).where(mine, open_at(actions, now)).order_by(T.action_id)).all()


def stopped(connection: Connection, account_ids: Collection[str]) -> dict[str, datetime]:
    """From when on people's actions first held accounts up, beyond observing."""
    mine = and_(T.subject == "account", T.subject_id.in_(sorted(account_ids)), T.action != "observe")
    started = not_(waits(actions))
    query = select(T.subject_id, func.min(func.coalesce(T.approved_at, T.issued_at)).label("at"))
    rows = connection.execute(query.where(mine, started).group_by(T.subject_id))
    return {row.subject_id: row.at for row in rows}


def of_decisions(connection: Connection, decision_ids: Collection[int]) -> Sequence[Record]:
    """Actions that some decisions carry."""
    mine = T.decision_id.in_(sorted(decision_ids))
    return connection.execute(select(actions).where(mine).order_by(T.action_id)).all()


def page(database: Database, listed: Listed, now: datetime, limit: int, offset: int) -> tuple[Sequence[Record], int]:
    """Actions, the newest first, and their number."""
    conditions = {"open": [open_at(actions, now)], "pending": [open_at(actions, now), waits(actions)], "all": []}[
        listed
    ]
    query = select(actions).where(*conditions).order_by(T.action_id.desc()).limit(limit).offset(offset)
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(actions).where(*conditions)).scalar_one()
        return connection.execute(query).all(), total


def automatic_since(connection: Connection, since: datetime) -> int:
    """How many automatic actions were issued after a time."""
    query = select(func.count()).where(T.source == "automatic", T.issued_at > since)
    return connection.execute(query).scalar_one()


def treated(connection: Connection, now: datetime) -> set[str]:
    """Accounts with an open action, or whose automatic one was lifted: that is not issued again."""
    mine = and_(
        T.subject == "account", or_(open_at(actions, now), and_(T.source == "automatic", T.ended_at.is_not(None)))
    )
    return set(connection.execute(select(T.subject_id).where(mine).distinct()).scalars())
