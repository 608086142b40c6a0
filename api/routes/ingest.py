"""POST /v1/events and /v1/ingest/{format}."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from api.routes.common import Sender
from api.schemas import IngestResult
from api.services import bodies, ingest, metrics
from api.services.writer import Busy

router = APIRouter(tags=["ingestion"])

RETRY_SECONDS = "2"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A JSON array, one object, or NDJSON; Content-Encoding gzip, deflate, zstd or none.",
        "content": {"application/json": {}, "application/x-ndjson": {}},
    }
}
# 429 is never used: LiteLLM drops a batch on it, and others retry a 503 just as well.
_ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body cannot be read at all"},
    413: {"description": "The body or batch is too large"},
    503: {"description": "Nothing was stored; try again"},
}


async def _ingest(request: Request, format: str) -> IngestResult:
    encoding = request.headers.get("content-encoding", "")
    state = request.app.state
    try:
        return await ingest.ingest(state.writer, state.settings, format, request.stream(), encoding)
    except ingest.UnknownFormat as error:
        raise HTTPException(404, str(error)) from error
    except ingest.BadBody as error:
        metrics.BODIES.labels("unreadable").inc()
        raise HTTPException(400, str(error)) from error
    except (bodies.TooLarge, ingest.TooMany) as error:
        metrics.BODIES.labels("too large").inc()
        raise HTTPException(413, str(error)) from error
    except Busy as error:
        metrics.BODIES.labels("busy").inc()
        raise HTTPException(503, str(error), headers={"Retry-After": RETRY_SECONDS}) from error


@router.post("/v1/events", openapi_extra=_BODY, responses=_ANSWERS)
async def post_events(request: Request, key: Sender) -> IngestResult:
    """Store events of distillwatch's own format. What is answered as accepted is on disk; an event_id counts once."""
    return await _ingest(request, "canonical")


@router.post("/v1/ingest/{format}", openapi_extra=_BODY, responses=_ANSWERS)
async def post_format(request: Request, format: str, key: Sender) -> IngestResult:
    """Store log rows as another product writes them, e.g. ``litellm``; ``auto`` tells by the shape of each row."""
    return await _ingest(request, format)
