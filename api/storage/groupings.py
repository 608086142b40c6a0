"""People's word on campaigns: which accounts belong together and which do not, until somebody takes it back."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select

from api.storage import audit
from api.storage.approvals import WITHOUT_END, holds_at
from api.storage.engine import Database
from api.storage.models import groupings
from detector.regrouping import Constraint

T = groupings.c
Record = Row
What = Literal["merge", "split"]
MOST = 1000  # that are looked through


def add(
    database: Database, campaign_id: str, what: What, sides: Sequence[Collection[str]], reason: str, needs_approval: bool,
    actor: str, now: datetime,
) -> Record:  # fmt: skip
    """Keep a word on a campaign, with its audit entry."""
    with database.write("audit") as connection:
        values: dict[str, Any] = {"subject": "campaign", "subject_id": campaign_id, "what": what, "reason": reason}
        values |= {"sides": json.dumps([sorted(side) for side in sides]), "needs_approval": needs_approval}
        values |= {"issued_by": actor, "issued_at": now, "touched_at": now, "expires_at": WITHOUT_END}
        row = connection.execute(groupings.insert().values(**values).returning(*groupings.columns)).one()
        detail = {"grouping_id": row.grouping_id, "what": what, "reason": reason, "sides": json.loads(row.sides)}
        audit.append(connection, actor, "grouping.issue", f"campaign {campaign_id}", detail)
        return row


def holding(database: Database, now: datetime) -> list[Constraint]:
    """What holds now, the earliest first."""
    with database.read() as connection:
        query = select(groupings).where(holds_at(groupings, now)).order_by(T.grouping_id)
        return [constraint(row) for row in connection.execute(query)]


def page(database: Database, limit: int = MOST) -> Sequence[Record]:
    """All there ever were, the newest first."""
    with database.read() as connection:
        return connection.execute(select(groupings).order_by(T.grouping_id.desc()).limit(limit)).all()


def constraint(record: Record) -> Constraint:
    """A word as the detector takes it."""
    sides = tuple(frozenset(side) for side in json.loads(record.sides))
    return Constraint(number=record.grouping_id, together=record.what == "merge", sides=sides)
