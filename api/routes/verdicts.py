"""Verdicts for gateways."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Response

from api.routes.common import Data, Gateway
from api.schemas import VerdictOut, VerdictPage
from api.services import verdicts

router = APIRouter(tags=["verdicts"])

Known = Annotated[str | None, Header(alias="If-None-Match", description="ETag of the answer you have")]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "What you have still holds, for another five minutes"}
}


@router.get("/v1/verdicts", response_model=VerdictPage, responses=_ANSWERS)
def get_changed(
    key: Gateway,
    database: Data,
    response: Response,
    since: Annotated[str, Query(max_length=400, description="RFC 3339 time, or `next` of the last answer")],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    if_none_match: Known = None,
) -> Any:
    """Verdicts that changed after ``since``, to keep a copy in the gateway."""
    try:
        page = verdicts.changed(database, since.replace("\0", ""), limit)
    except verdicts.BadSince as error:
        raise HTTPException(422, str(error)) from error
    return _unless_known(page, verdicts.tag(page.items, page.next), if_none_match, response)


@router.get("/v1/verdicts/{account_id:path}", response_model=VerdictOut, responses=_ANSWERS)
def get_one(key: Gateway, database: Data, response: Response, account_id: str, if_none_match: Known = None) -> Any:
    """What to do about an account now: ``allow`` or ``observe``. Without an answer, let the request through."""
    found = verdicts.one(database, account_id.replace("\0", "\ufffd"))
    return _unless_known(found, verdicts.tag([found]), if_none_match, response)


def _unless_known(body: Any, tag: str, known: str | None, response: Response) -> Any:
    """The body with its ETag, or 304 to who has it already. Kept copies are to be checked before use."""
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if known and (known.strip() == "*" or tag in (t.strip() for t in known.split(","))):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return body
