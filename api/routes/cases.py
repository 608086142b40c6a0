"""The queue, one account, decisions on it, and the map of clusters."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from api.routes.common import Configured, Data, Decider, Limit, Publishing, Reader, decided
from api.schemas import (
    AccountDetail,
    CasePage,
    CaseSort,
    CaseState,
    ClusterPoint,
    DecisionIn,
    DecisionOut,
    Overview,
    Performance,
    Verdict,
)
from api.services import overview, performance, views
from api.storage import cases, decisions

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
    sort: CaseSort = "risk",
    order: Literal["asc", "desc"] = "desc",
    state: CaseState | None = None,
    verdict: Verdict | None = None,
    min_risk: Annotated[float | None, Query(ge=0, le=1)] = None,
    q: Annotated[str | None, Query(max_length=256, description="Part of an account's or campaign's id")] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=2000, description="next_cursor of the page before")] = None,
) -> CasePage:
    """One page of the queue; without filters, all that is flagged or watched."""
    text = q.replace("\0", "") if q else None
    query = cases.Query(sort, order == "desc", state, verdict, min_risk, text, limit, cursor)
    try:
        page = cases.page(database, query)
    except cases.BadCursor as error:
        raise HTTPException(422, str(error)) from error
    return CasePage(
        items=[views.case_row(r) for r in page.rows],
        total=page.total,
        next_cursor=page.next_cursor,
    )


@router.get("/v1/cases/{account_id:path}")
def get_case(key: Reader, database: Data, account_id: str) -> AccountDetail:
    """Everything on one account."""
    detail = views.account_detail(database, account_id, key.actor) if "\0" not in account_id else None
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
        record = decisions.decide(database, "account", account_id, *given)
    if record is None:
        raise _unknown(account_id)
    publisher.publish_now()
    return views.decision_out(database, record)


@router.get("/v1/clusters")
def get_clusters(
    key: Reader, database: Data, account: Annotated[str | None, Query(max_length=256)] = None
) -> list[ClusterPoint]:
    """Prompt topics in the plane with their requests, and one account's among them."""
    return overview.clusters(database, account.replace("\0", "") if account else None)


def _unknown(account_id: str) -> HTTPException:
    return HTTPException(404, f"no finding on account {account_id!r}: it sent nothing, or was not assessed yet")
