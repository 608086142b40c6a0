"""Beside decisions: undoing them, exceptions, reading prompts, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from api.routes.common import Configured, Data, Decider, Limit, Offset, Publishing, Reader
from api.schemas.approvals import (
    ApprovalKind,
    ApprovalPage,
    Because,
    Ended,
    ExceptionIn,
    ExceptionOut,
    UnmaskIn,
    UnmaskingOut,
)
from api.schemas.base import Readable, RecordId, Subject
from api.schemas.decisions import DecisionOut, Snapshot, UndoIn
from api.schemas.evidence import ExamplePrompt, RequestsBehind
from api.services import approving, reading, views
from api.storage import approvals, campaigns, cases, decisions, exceptions, jobs
from api.storage.engine import Database

router = APIRouter(tags=["review"])

Number = Annotated[int, Path(ge=1, le=2**53)]
Step = Callable[[Database, ApprovalKind, int, str, str, datetime], Any]


@router.post("/v1/decisions/{decision_id}/undo")
def post_undo(key: Decider, database: Data, publisher: Publishing, decision_id: Number, body: UndoIn) -> DecisionOut:
    """Take back the last decision on an account or campaign: state and actions are as they were before it."""
    try:
        record = decisions.undo(database, decision_id, key.actor, body.reason)
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if record is None:
        raise HTTPException(404, f"no decision {decision_id}")
    publisher.publish_now()
    return views.decision_out(database, record)


@router.get("/v1/decisions/{decision_id}/evidence")
def get_snapshot(key: Reader, database: Data, decision_id: Number) -> Snapshot:
    """The evidence as it was when the decision was made."""
    found = views.snapshot(database, decision_id)
    if found is None:
        raise HTTPException(404, f"no evidence is kept of decision {decision_id}")
    return found


@router.get("/v1/approvals")
def get_approvals(key: Reader, database: Data, limit: Limit = 100) -> ApprovalPage:
    """What waits for a second person, the oldest first."""
    return approving.pending(database, limit)


@router.post("/v1/approvals/{kind}/{number}/approve")
def post_approval(
    key: Decider, database: Data, publisher: Publishing, kind: ApprovalKind, number: Number, body: Because
) -> Ended:
    """Approve what another person asked for: leads anything, analysts a colleague's reading of prompts."""
    if key.role not in approving.APPROVERS[kind]:
        raise HTTPException(403, f"a key of role {key.role} may not approve this; ask a lead")
    return _finish(database, publisher, kind, number, key.actor, body.reason, approvals.approve)


@router.post("/v1/approvals/{kind}/{number}/end")
def post_refusal(
    key: Decider, database: Data, publisher: Publishing, kind: ApprovalKind, number: Number, body: Because
) -> Ended:
    """Refuse what waits, or end what holds."""
    return _finish(database, publisher, kind, number, key.actor, body.reason, approvals.end)


@router.get("/v1/exceptions")
def get_exceptions(
    key: Reader,
    database: Data,
    account: Annotated[str | None, Query(max_length=256)] = None,
    open: Annotated[bool, Query(description="Only those that hold or wait")] = True,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[ExceptionOut]:
    """Exceptions, the newest first."""
    name = account.replace("\0", "") if account is not None else None
    records = exceptions.page(database, name, datetime.now(UTC), open, limit, offset)
    return [approving.exception_out(r) for r in records]


@router.post("/v1/exceptions", status_code=201)
def post_exception(key: Decider, database: Data, settings: Configured, body: ExceptionIn) -> ExceptionOut:
    """Let a signal not count in an account's risk, from the next assessment on. An analyst's, and any for a large
    customer, waits for a second person."""
    found = cases.get(database, body.account_id)
    if found is None:
        raise HTTPException(404, f"no finding on account {body.account_id!r}")
    try:
        tokens = found[0].input_tokens + found[0].output_tokens
        return approving.make_exception(database, settings, key, body, tokens)
    except approving.NotAllowed as error:
        raise HTTPException(422, str(error)) from error
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error


@router.post("/v1/unmaskings", status_code=201)
def post_unmasking(key: Decider, database: Data, settings: Configured, body: UnmaskIn) -> UnmaskingOut:
    """Ask for leave to read example prompts, or the full reports of an audit, for some minutes from the approval on."""
    get: dict[Readable, Callable[[Database, str], Any]] = {
        "account": cases.get,
        "campaign": campaigns.get,
        "job": jobs.get,
    }
    if get[body.subject](database, body.subject_id) is None:
        raise HTTPException(404, f"no {body.subject} {body.subject_id!r}")
    try:
        return approving.unmask(database, settings, key, body)
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error


@router.get("/v1/reasons")
def get_behind(
    key: Reader,
    database: Data,
    subject: Subject,
    subject_id: Annotated[RecordId, Query()],
    signal: Annotated[str, Query(max_length=64, description="The reason's")],
) -> RequestsBehind:
    """Some of the requests behind one reason, masked: those that show it, or lack it where it speaks by its absence."""
    found = reading.behind(database, subject, subject_id, signal)
    if found is None:
        raise HTTPException(404, f"no reason {signal!r} on the {subject} {subject_id!r}")
    return found


@router.get("/v1/prompts")
def get_prompts(
    key: Decider,
    database: Data,
    subject: Subject,
    subject_id: Annotated[RecordId, Query()],
    signal: Annotated[str | None, Query(max_length=64, description="The reason's")] = None,
) -> list[ExamplePrompt]:
    """Example requests, or those behind one reason, in full, with leave to read them. Every reading is in the audit trail."""
    found = reading.in_full(database, subject, subject_id, key.actor, signal)
    if found is None:
        raise HTTPException(403, "no leave to read these prompts: ask with POST /v1/unmaskings and a reason")
    return found


def _finish(
    database: Data, publisher: Publishing, kind: ApprovalKind, number: int, actor: str, reason: str, do: Step
) -> Ended:
    try:
        record = do(database, kind, number, actor, reason, datetime.now(UTC))
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if record is None:
        raise HTTPException(404, f"no {kind} {number}")
    if kind == "action":
        publisher.publish_now()
    return approving.ended(kind, record)
