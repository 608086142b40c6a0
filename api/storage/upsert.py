"""Writing findings of accounts and campaigns over earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, case, literal, or_
from sqlalchemy.dialects import postgresql, sqlite

from api.storage.models import Instant
from detector.assessment import AccountFinding, CampaignFinding

_ENCODER = msgspec.json.Encoder()
_KEPT = {"state", "verdict_id", "review_at", "changed_at", "flagged_at", "due_at"}


def common_values(finding: AccountFinding | CampaignFinding, now: datetime) -> dict[str, Any]:
    """Columns of accounts and campaigns alike. What is flagged without a time was flagged by its last request."""
    flagged_at = finding.flagged_at or (finding.last_seen if finding.verdict == "flag" else None)
    return {
        "risk": finding.risk,
        "verdict": finding.verdict,
        "requests": finding.requests,
        "input_tokens": finding.input_tokens,
        "output_tokens": finding.output_tokens,
        "harvest": finding.harvest,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "flagged_at": flagged_at,
        "finding": _ENCODER.encode(finding),
        "state": "open",
        "changed_at": now,
    }


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Insert or overwrite rows: the state stays, the earlier time of flagging stays, changes of verdict are dated."""
    if not rows:
        return
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    key = next(iter(table.primary_key.columns)).name
    new, old = insert.excluded, table.c
    changes: dict[str, Any] = {name: new[name] for name in rows[0] if name != key and name not in _KEPT}
    changes["changed_at"] = case((new.verdict != old.verdict, literal(now, Instant())), else_=old.changed_at)
    keep = or_(new.flagged_at.is_(None), old.flagged_at <= new.flagged_at)
    changes["flagged_at"] = case(
        (old.flagged_at.is_(None), new.flagged_at), (keep, old.flagged_at), else_=new.flagged_at
    )
    if "due_at" in rows[0]:  # once it is flagged somebody should look; what people set stays
        first = (new.verdict == "flag") & old.due_at.is_(None) & (old.state == "open")
        changes["due_at"] = case((first, new.due_at), else_=old.due_at)
    connection.execute(insert.on_conflict_do_update(index_elements=[key], set_=changes), list(rows))
