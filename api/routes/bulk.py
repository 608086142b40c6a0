"""Bulk decisions: one decision on all cases that match a query."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from api.routes.common import Configured, Data, Decider, Limit, Offset, Reader
from api.schemas.bulk import BulkIn, BulkItem, BulkOut, BulkPreview
from api.services import bulk as service
from api.storage import bulk

router = APIRouter(tags=["review"])

BulkId = Annotated[int, Path(ge=1, le=2**53)]


@router.post("/v1/bulk")
def post_bulk(key: Decider, database: Data, settings: Configured, body: BulkIn) -> BulkPreview | BulkOut:
    """Decide on all cases that match: first a dry run that tells what would happen, then with the number that it told.

    It waits for a second person, and is carried out beside the worker, account by account.
    """
    try:
        if body.dry_run:
            return service.preview(database, settings, key, body)[0]
        return service.ask(database, settings, key, body)
    except service.NotAsked as error:
        raise HTTPException(422, str(error)) from error


@router.get("/v1/bulk")
def get_bulks(key: Reader, database: Data, limit: Limit = 20, offset: Offset = 0) -> list[BulkOut]:
    """Bulk decisions with their progress, the newest first."""
    records = bulk.page(database, limit, offset)
    progress = bulk.progress(database, [r.bulk_id for r in records])
    return [service.bulk_out(r, progress[r.bulk_id]) for r in records]


@router.get("/v1/bulk/{bulk_id}/items")
def get_items(key: Reader, database: Data, bulk_id: BulkId, limit: Limit = 100, offset: Offset = 0) -> list[BulkItem]:
    """The accounts of a bulk decision, each with its result; what failed comes first."""
    if bulk.get(database, bulk_id) is None:
        raise HTTPException(404, f"no bulk decision {bulk_id}")
    return [service.item_out(r) for r in bulk.items(database, bulk_id, limit, offset)]
