"""Actions that are issued without a person: only where the operator turned that on, few a day, never to block."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection

from api.settings import Settings
from api.storage import actions, audit, cases, enforcement
from api.storage.engine import Database

ACTOR = "automatic"
DAY = timedelta(hours=24)

log = structlog.get_logger()


def issue(database: Database, settings: Settings) -> int:
    """Issue what the settings allow for accounts that nobody decided on, the riskiest first; returns how many."""
    if settings.auto_action == "off" or settings.enforcement != "all":
        return 0
    now = datetime.now(UTC)
    with database.read() as connection:  # most of the time there is nothing to do, and no need to write
        if not _chosen(connection, settings, now):
            return 0
    new = actions.New(settings.auto_action, now + timedelta(hours=settings.auto_hours))
    with database.write("audit") as connection:
        chosen = _chosen(connection, settings, now)
        for account_id in chosen:
            (record,) = actions.issue(connection, "account", account_id, [new], ACTOR, now)
            detail = {"action_id": record.action_id, "action": record.action, "expires_at": record.expires_at}
            audit.append(connection, ACTOR, "action.issue", f"account {account_id}", detail)
    log.info("automatic actions issued", action=settings.auto_action, accounts=len(chosen))
    return len(chosen)


def _chosen(connection: Connection, settings: Settings, now: datetime) -> list[str]:
    if enforcement.mode(connection) != "all":
        return []
    room = settings.auto_daily_cap - actions.automatic_since(connection, now - DAY)
    if room <= 0:
        return []
    treated = actions.treated(connection, now)
    return [a for a in cases.suspects(connection, settings.auto_min_risk) if a not in treated][:room]
