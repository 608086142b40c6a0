"""Splitting and merging campaigns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from api.routes.common import Configured, Data, Decider, Reader
from api.schemas.base import RecordId
from api.schemas.decisions import UndoIn
from api.schemas.groupings import GroupingIn, GroupingOut, GroupingPreview, Regrouping
from api.services import grouping
from api.storage import approvals

router = APIRouter(tags=["review"])

Number = Annotated[int, Path(ge=1, le=2**53)]


@router.get("/v1/groupings")
def get_groupings(
    key: Reader, database: Data, campaign: Annotated[RecordId | None, Query()] = None
) -> list[GroupingOut]:
    """What people said of groups, the newest first: of all, or of one campaign and its members."""
    return grouping.listed(database, campaign)


@router.post("/v1/groupings/preview")
def post_preview(key: Reader, database: Data, settings: Configured, body: Regrouping) -> GroupingPreview:
    """What splitting or merging would do. Nothing is done."""
    try:
        return grouping.preview(database, settings, body)
    except grouping.NotPossible as error:
        raise HTTPException(422, str(error)) from error


@router.post("/v1/groupings", status_code=201)
def post_grouping(key: Decider, database: Data, settings: Configured, body: GroupingIn) -> GroupingOut:
    """Split a campaign or merge it with others, from the next assessment on. Where an action holds for a whole campaign,
    it waits for a second person."""
    try:
        return grouping.keep(database, settings, key, body)
    except grouping.NotPossible as error:
        raise HTTPException(422, str(error)) from error


@router.post("/v1/groupings/{grouping_id}/undo")
def post_undo(key: Decider, database: Data, grouping_id: Number, body: UndoIn) -> GroupingOut:
    """Take it back: from the next assessment on the groups are as if nobody had said it."""
    try:
        record = approvals.end(database, "grouping", grouping_id, key.actor, body.reason, datetime.now(UTC))
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if record is None:
        raise HTTPException(404, f"no grouping {grouping_id}")
    return grouping.grouping_out(record)
