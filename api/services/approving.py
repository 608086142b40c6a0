"""What waits for a second person, who that may be, and how it is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from api.schemas.actions import ApprovalState, Scope
from api.schemas.approvals import (
    ApprovalKind,
    ApprovalOut,
    ApprovalPage,
    Ended,
    ExceptionIn,
    ExceptionOut,
    UnmaskIn,
    UnmaskingOut,
)
from api.schemas.base import Readable, Role
from api.settings import Settings
from api.storage import approvals, decisions, exceptions, unmaskings
from api.storage.engine import Database
from api.storage.keys import Key
from detector.signals import SIGNALS

LEADS: frozenset[Role] = frozenset({"lead", "admin"})
APPROVERS: dict[ApprovalKind, frozenset[Role]] = {
    "action": LEADS,
    "exception": LEADS,
    "bulk": LEADS,
    "grouping": LEADS,
    "unmasking": LEADS | {"analyst"},  # a colleague; four eyes on a reading need no higher rank
}
CAMPAIGN = "campaign"  # membership in one, as a reason that can be excepted
EXCEPTABLE = frozenset({*(s.name for s in SIGNALS if s.direction == "for"), CAMPAIGN})

_EXCEPTION = [n for n in ExceptionOut.model_fields if n not in ("state", "account_id")]
_UNMASKING = [n for n in UnmaskingOut.model_fields if n != "state"]


class NotAllowed(ValueError):
    """What is asked for cannot be had."""


def state_of(record: Any, now: datetime | None = None) -> ApprovalState:
    """Where something stands that may need a second person and ends by time or by people."""
    if record.ended_at is not None and record.ended_by != approvals.TIME:
        return "ended"
    if record.expires_at <= (now or datetime.now(UTC)):
        return "expired"
    return "pending" if record.needs_approval and record.approved_at is None else "live"


def pending(database: Database, limit: int) -> ApprovalPage:
    """What waits for a second person, the oldest first."""
    found, total = approvals.pending(database, datetime.now(UTC), limit)
    return ApprovalPage(items=[_approval(database, p) for p in found], total=total)


def _approval(database: Database, waiting: approvals.Pending) -> ApprovalOut:
    record, columns = waiting.record, waiting.record._mapping
    reason = columns.get("reason")
    if waiting.kind == "action":
        decision = decisions.whole(database, record.decision_id) if record.decision_id else None
        reason = decision.reason if decision else ""
    what = columns[approvals.NAMED[waiting.kind]]
    return ApprovalOut(
        kind=waiting.kind,
        number=columns[f"{waiting.kind}_id"],
        what=f"{what} minutes" if waiting.kind == "unmasking" else str(what),
        reason=reason or "",
        scope=Scope(**{name: columns.get(name) for name in Scope.model_fields}),
        **{n: columns[n] for n in ("subject", "subject_id", "issued_by", "issued_at", "expires_at")},
    )


def ended(kind: ApprovalKind, record: Any) -> Ended:
    """What became of something that was approved, refused or ended."""
    number = record._mapping[f"{kind}_id"]
    return Ended(kind=kind, number=number, state=state_of(record), expires_at=record.expires_at)


def make_exception(database: Database, settings: Settings, key: Key, body: ExceptionIn, tokens: int) -> ExceptionOut:
    """Make an exception for an account that used so many tokens. Raises NotAllowed, approvals.NotPossible."""
    if body.signal not in EXCEPTABLE:
        raise NotAllowed(f"signal: one of {', '.join(sorted(EXCEPTABLE))}")
    now = datetime.now(UTC)
    if not now < body.expires_at <= now + timedelta(days=settings.max_action_days):
        raise NotAllowed(f"expires_at: a time to come, at most {settings.max_action_days} days from now")
    large = tokens >= settings.large_customer_tokens
    needs = settings.four_eyes and (large or key.role not in LEADS)
    args = (body.account_id, body.signal, body.reason, body.expires_at, needs, key.actor, now)
    return exception_out(exceptions.add(database, *args))


def exception_out(record: Any) -> ExceptionOut:
    """An exception as it is shown."""
    values = {name: getattr(record, name) for name in _EXCEPTION}
    return ExceptionOut(account_id=record.subject_id, state=state_of(record), **values)


def unmask(database: Database, settings: Settings, key: Key, body: UnmaskIn) -> UnmaskingOut:
    """Ask for leave to read. Raises approvals.NotPossible."""
    args = (body.subject, body.subject_id, body.reason, body.minutes, settings.four_eyes, key.actor, datetime.now(UTC))
    return unmasking_out(unmaskings.ask(database, *args))


def unmasking_out(record: Any) -> UnmaskingOut:
    """A leave to read as it is shown."""
    return UnmaskingOut(state=state_of(record), **{name: getattr(record, name) for name in _UNMASKING})


def leave(database: Database, subject: Readable, subject_id: str, actor: str) -> UnmaskingOut | None:
    """A person's leave to read, or their request for it, if it is open."""
    with database.read() as connection:
        record = unmaskings.open_of(connection, subject, subject_id, actor, datetime.now(UTC))
    return None if record is None else unmasking_out(record)
