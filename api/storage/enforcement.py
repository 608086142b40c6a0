"""The enforcement switch: what of all actions is told to gateways."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from api.schemas.verdicts import EnforcementMode
from api.storage import audit, webhooks
from api.storage.engine import Database
from api.storage.models import enforcement

STRICTER: list[EnforcementMode] = ["all", "decisions", "none"]


def last(connection: Connection) -> Row[Any] | None:
    """The last use of the switch; None where it was never used."""
    return connection.execute(select(enforcement).order_by(enforcement.c.enforcement_id.desc()).limit(1)).first()


def mode(connection: Connection) -> EnforcementMode:
    """What the switch says."""
    row = last(connection)
    return row.mode if row else "all"


def stricter(one: EnforcementMode, other: EnforcementMode) -> EnforcementMode:
    """The one of two modes that lets less through."""
    return max(one, other, key=STRICTER.index)


def switch(database: Database, to: EnforcementMode, reason: str, actor: str, now: datetime) -> None:
    """Use the switch; recorded in the audit trail in the same transaction."""
    with database.write("audit") as connection:
        before = mode(connection)
        connection.execute(enforcement.insert().values(mode=to, reason=reason, actor=actor, at=now))
        audit.append(
            connection, actor, "enforcement.switch", "enforcement", {"mode": to, "before": before, "reason": reason}
        )
        told = {"mode": to, "before": before, "actor": actor, "reason": reason}
        webhooks.enqueue(connection, "enforcement.changed", [told], now)
