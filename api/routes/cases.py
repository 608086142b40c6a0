"""The queue, one account, decisions on it, and the map of clusters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from api.auth import LEAD
from api.routes.common import Configured, Data, Decider, Limit, Publishing, Reader, decided
from api.schemas.account import AccountDetail
from api.schemas.base import CaseState, Verdict
from api.schemas.decisions import DecisionIn, DecisionOut
from api.schemas.overview import ClusterPoint, Overview
from api.schemas.performance import Performance
from api.schemas.queue import CasePage, CaseSort, Claim, ClaimFilter
from api.services import overview, performance, views
from api.storage import cases, decisions, queue
from api.storage.approvals import NotPossible

router = APIRouter(tags=["review"])


@router.get("/v1/overview")
def get_overview(key: Reader, database: Data) -> Overview:
    """Figures on everything, and how far the worker is behind."""
    return overview.overview(database)


@router.get("/v1/performance")
def get_performance(key: Reader, database: Data) -> Performance:
    """How the flags fared with the people who reviewed them."""
    return performance.performance(database)


@router.get("/v1/cases")
def get_cases(
    key: Reader,
    database: Data,
    settings: Configured,
    sort: CaseSort = "risk",
    order: Literal["asc", "desc"] = "desc",
    state: CaseState | None = None,
    verdict: Verdict | None = None,
    min_risk: Annotated[float | None, Query(ge=0, le=1)] = None,
    q: Annotated[str | None, Query(max_length=256, description="Part of an account's or campaign's id")] = None,
    due: Annotated[bool, Query(description="Only those that somebody should have looked at by now")] = False,
    claim: Annotated[ClaimFilter | None, Query(description="Those that I, nobody, or anybody works on")] = None,
    pattern: Annotated[str | None, Query(max_length=200, description="Those that are alike")] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=4000, description="next_cursor of the page before")] = None,
) -> CasePage:
    """One page of the queue; without filters, all that is flagged or watched."""
    text = q.replace("\0", "") if q else None
    now = datetime.now(UTC)
    query = queue.Query(
        sort=sort,
        descending=order == "desc",
        state=state,
        verdict=verdict,
        min_risk=min_risk,
        text=text,
        limit=limit,
        cursor=cursor,
        due_before=now if due else None,
        claim=claim,
        pattern=None if pattern is None else pattern.replace("\0", ""),
        actor=key.actor,
        now=now,
    )
    try:
        page = queue.page(database, query)
    except queue.BadCursor as error:
        raise HTTPException(422, str(error)) from error
    return views.case_page(database, page, settings.prices)


@router.get("/v1/cases/{account_id:path}")
def get_case(key: Reader, database: Data, settings: Configured, account_id: str) -> AccountDetail:
    """Everything on one account."""
    known = "\0" not in account_id
    detail = views.account_detail(database, account_id, key.actor, settings.prices) if known else None
    if detail is None:
        raise _unknown(account_id)
    return detail


@router.post("/v1/cases/{account_id:path}/decisions", status_code=201)
def post_decision(
    key: Decider, database: Data, settings: Configured, publisher: Publishing, account_id: str, body: DecisionIn
) -> DecisionOut:
    """Decide on an account. The reason is kept in the audit trail."""
    record = None
    if "\0" not in account_id:
        issue, details = decided(body, "account", settings)
        given = (body.decision, body.reason, key.actor, issue, details)
        try:
            record = decisions.decide(database, "account", account_id, *given)
        except NotPossible as error:
            raise HTTPException(409, str(error)) from error
    if record is None:
        raise _unknown(account_id)
    publisher.publish_now()
    return views.decision_out(database, record)


@router.post("/v1/cases/{account_id:path}/claim")
def post_claim(key: Decider, database: Data, settings: Configured, account_id: str) -> Claim:
    """Keep a case for oneself for a while: nobody else can decide on it. Again, to keep it longer."""
    now = datetime.now(UTC)
    until = now + timedelta(minutes=settings.claim_minutes)
    try:
        record = cases.claim(database, account_id, key.actor, until, now) if "\0" not in account_id else None
    except NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if record is None:
        raise _unknown(account_id)
    return Claim(account_id=account_id, claimed_by=record.claimed_by, claimed_until=record.claimed_until)


@router.post("/v1/cases/{account_id:path}/release")
def post_release(key: Decider, database: Data, account_id: str) -> Claim:
    """Let a case go: one's own, or as a lead anybody's."""
    actor = None if key.role in LEAD else key.actor
    record = cases.release(database, account_id, actor) if "\0" not in account_id else None
    if record is None:
        raise _unknown(account_id)
    return Claim(account_id=account_id, claimed_by=record.claimed_by, claimed_until=record.claimed_until)


@router.get("/v1/clusters")
def get_clusters(
    key: Reader, database: Data, account: Annotated[str | None, Query(max_length=256)] = None
) -> list[ClusterPoint]:
    """Prompt topics in the plane with their requests, and one account's among them."""
    return overview.clusters(database, account.replace("\0", "") if account else None)


def _unknown(account_id: str) -> HTTPException:
    return HTTPException(404, f"no finding on account {account_id!r}: it sent nothing, or was not assessed yet")
