"""POST /v1/events and /v1/ingest/{format}: our own format, and what gateways post to a path that can be chosen."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from api.routes.common import Sender
from api.routes.receiving import RETRY, Account, Refusal, receive
from api.schemas.ingest import IngestResult, ItemError

router = APIRouter(tags=["ingestion"])

# Kong sends what is answered with 300 or more again and again, for a minute, and all that follows waits behind it.
NEVER_REFUSED = frozenset({"kong"})

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A JSON array, one object, or NDJSON; Content-Encoding gzip, deflate, zstd or none.",
        "content": {"application/json": {}, "application/x-ndjson": {}},
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body cannot be read at all"},
    401: {"description": "No key, or an unknown one"},
    403: {"description": "A key that may not send logs"},
    413: {"description": "The body or batch is too large"},
    503: {"description": "Nothing was stored; try again"},
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such format"}}


async def _ingest(request: Request, key: Sender, format: str, account: str | None) -> IngestResult:
    try:
        done = await receive(request, key, format, account=account)
    except Refusal as refusal:
        if format in NEVER_REFUSED and refusal.status in (400, 413):
            return IngestResult(accepted=0, duplicates=0, rejected=[ItemError(index=0, error=refusal.reason)])
        headers = RETRY if refusal.status == 503 else None
        raise HTTPException(refusal.status, refusal.reason, headers=headers) from refusal
    return IngestResult(accepted=done.accepted, duplicates=done.duplicates, rejected=done.rejected)


@router.post("/v1/events", openapi_extra=_BODY, responses=ANSWERS)
async def post_events(request: Request, key: Sender, account: Account = None) -> IngestResult:
    """Store events of distillwatch's own format. What is answered as accepted is on disk; an event_id counts once."""
    return await _ingest(request, key, "canonical", account)


@router.post("/v1/ingest/{format}", openapi_extra=_BODY, responses={**ANSWERS, **_UNKNOWN})
async def post_format(request: Request, format: str, key: Sender, account: Account = None) -> IngestResult:
    """Store log rows as another product writes them, e.g. ``litellm``; ``auto`` tells by the shape of each row."""
    return await _ingest(request, key, format, account)
