"""What a gateway should do about an account: allow or observe.

A person's decision lifts or keeps an observation. Confirming says that it looks like harvesting, not what is to follow from
it: as long as a decision names no action, nothing stronger than ``observe`` is issued, and the reasons tell that it was confirmed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from api.schemas import Action, VerdictOut, VerdictPage
from api.storage import campaigns, cases
from api.storage.engine import Database
from detector.assessment import AccountFinding

LIFETIME = timedelta(minutes=5)  # how long a gateway may go by an answer
MAX_REASONS = 5
_SEPARATOR = "|"


class BadSince(ValueError):
    """``since`` is neither a time nor the ``next`` of an earlier answer."""


def one(database: Database, account_id: str) -> VerdictOut:
    """The verdict on an account; an account without findings is allowed."""
    expires = datetime.now(UTC) + LIFETIME
    found = cases.get(database, account_id)
    if found is None:
        return VerdictOut(account_id=account_id, action="allow", verdict="clear", risk=0.0, expires_at=expires)
    record, finding = found
    known = campaigns.confirmed(database, [record.campaign_id]) if record.campaign_id else set()
    return _verdict(record, record.campaign_id in known, _codes(finding), expires)


def changed(database: Database, since: str, limit: int) -> VerdictPage:
    """Verdicts that changed after ``since``. Raises BadSince."""
    when, _, account_id = since.partition(_SEPARATOR)
    try:
        start = datetime.fromisoformat(when.replace(" ", "+"))  # an unescaped plus of a query string
        start = start.replace(tzinfo=UTC) if start.tzinfo is None else start
    except ValueError as error:
        raise BadSince("since: give a time such as 2026-09-07T10:15:00Z, or the `next` of the last answer") from error
    records = cases.changed_after(database, start, account_id, limit + 1)
    more, records = len(records) > limit, records[:limit]
    known = campaigns.confirmed(database, {r.campaign_id for r in records if r.campaign_id})
    expires = datetime.now(UTC) + LIFETIME
    items = [_verdict(r, r.campaign_id in known, [], expires) for r in records]
    following = f"{records[-1].changed_at.isoformat()}{_SEPARATOR}{records[-1].account_id}" if records else since
    return VerdictPage(items=items, next=following, more=more)


def tag(items: Iterable[VerdictOut], following: str = "") -> str:
    """An ETag of verdicts. Weak: it leaves out when they expire, which is different each time."""
    text = "\n".join([following, *(v.model_dump_json(exclude={"expires_at"}) for v in items)])
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _verdict(record: Any, campaign_confirmed: bool, codes: list[str], expires: datetime) -> VerdictOut:
    action: Action = "allow" if record.verdict == "clear" else "observe"
    if record.state == "dismissed":
        action, codes = "allow", ["dismissed"]
    elif record.state == "confirmed":
        action, codes = "observe", ["confirmed", *codes]
    elif campaign_confirmed:
        action, codes = "observe", ["campaign_confirmed", *codes]
    return VerdictOut(
        account_id=record.account_id,
        action=action,
        verdict=record.verdict,
        risk=record.risk,
        reasons=codes,
        expires_at=expires,
    )


def _codes(finding: AccountFinding) -> list[str]:
    return [e.signal for e in finding.evidence if e.direction == "for"][:MAX_REASONS]
