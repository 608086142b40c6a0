"""Verdicts for gateways: one by one from memory, and as a feed to keep a copy of."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, HTTPException, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from api.routes.common import Data, Gateway, Verdicts
from api.schemas.actions import Capability
from api.schemas.verdicts import VerdictOut, VerdictPage
from api.services import feed, metrics
from api.services.board import Stale
from api.services.verdicts import ANY, Request, lasting, tag

router = APIRouter(tags=["verdicts"])

Known = Annotated[str | None, Header(alias="If-None-Match", description="ETag of the answer you have")]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "What you have still holds, for another five minutes"},
    503: {"description": "Nothing is known for sure; let the request through"},
}
_ENCODER = msgspec.json.Encoder()


@router.get("/v1/verdicts", response_model=VerdictPage, responses=_ANSWERS)
async def get_changed(
    key: Gateway,
    database: Data,
    board: Verdicts,
    since: Annotated[
        str,
        Query(max_length=400, description="`next` of the last answer, an RFC 3339 time, or nothing: all that holds"),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    if_none_match: Known = None,
) -> Response:
    """Verdicts that changed after ``since``, to keep a copy in the gateway. Ask again with ``next`` every few seconds."""
    try:
        page, tagged = await run_in_threadpool(feed.changed, database, board, since.replace("\0", ""), limit)
    except feed.BadSince as error:
        raise HTTPException(422, str(error)) from error
    return _unless_known(page, tagged, if_none_match)


@router.get("/v1/verdicts/{account_id:path}", response_model=VerdictOut, responses=_ANSWERS)
async def get_one(
    key: Gateway,
    board: Verdicts,
    account_id: Annotated[str, Path(max_length=256)],
    api_key_id: Annotated[str | None, Query(max_length=256, description="The key that the request came with")] = None,
    model: Annotated[str | None, Query(max_length=256)] = None,
    capability: Annotated[list[Capability] | None, Query(description="What it asks for beside an answer")] = None,
    if_none_match: Known = None,
) -> Response:
    """What to do about an account's request now. Without an answer, let the request through."""
    request = Request(api_key_id, model, tuple(capability or ())) if api_key_id or model or capability else ANY
    try:
        found = board.answer(account_id.replace("\0", "\ufffd"), request)
    except Stale as error:
        raise HTTPException(503, str(error)) from error
    metrics.VERDICTS.labels(found.action).inc()
    return _unless_known(_ENCODER.encode(found), tag(lasting(found)), if_none_match)


def _unless_known(body: bytes, tag: str, known: str | None) -> Response:
    """The body with its ETag, or 304 to who has it already. Kept copies are to be checked before use."""
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if known and (known.strip() == "*" or tag in (t.strip() for t in known.split(","))):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
