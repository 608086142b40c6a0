"""Verdicts for gateways."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from api.routes.common import Data, Gateway
from api.schemas import VerdictOut, VerdictPage
from api.services import verdicts

router = APIRouter(tags=["verdicts"])


@router.get("/v1/verdicts")
def get_changed(
    key: Gateway,
    database: Data,
    since: Annotated[str, Query(max_length=400, description="RFC 3339 time, or `next` of the last answer")],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> VerdictPage:
    """Verdicts that changed after ``since``, to keep a copy in the gateway."""
    try:
        return verdicts.changed(database, since.replace("\0", ""), limit)
    except verdicts.BadSince as error:
        raise HTTPException(422, str(error)) from error


@router.get("/v1/verdicts/{account_id:path}")
def get_one(key: Gateway, database: Data, account_id: str) -> VerdictOut:
    """What to do about an account now."""
    return verdicts.one(database, account_id.replace("\0", "\ufffd"))
