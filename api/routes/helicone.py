"""Helicone's manual logger: one request and its answer a body; who made it is in the headers.

The logger sends once, does not try again, and takes any status but 200 for an error.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException, Request

from api.routes.common import Sender
from api.routes.ingest import ANSWERS
from api.routes.receiving import RETRY, Account, Refusal, receive
from api.schemas.ingest import IngestResult
from detector.formats.redaction import is_secret_name

router = APIRouter(tags=["ingestion"])

PREFIX = "helicone-"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A body of Helicone's manual logger; Content-Encoding gzip, deflate, zstd or none.",
        "content": {"application/json": {}},
    }
}


@router.post("/custom/v1/log", openapi_extra=_BODY, responses=ANSWERS)
@router.post("/oai/v1/log", openapi_extra=_BODY, responses=ANSWERS)
@router.post("/anthropic/v1/log", openapi_extra=_BODY, responses=ANSWERS)
async def post_log(request: Request, key: Sender, account: Account = None) -> IngestResult:
    """Store one request with its answer; ``Helicone-User-Id`` and the other headers say whose it is."""
    told = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower().startswith(PREFIX) and not is_secret_name(name)
    }

    def amend(body: bytes) -> bytes:
        return _with_headers(body, told)

    try:
        done = await receive(request, key, "helicone", account=account, amend=amend if told else None)
    except Refusal as refusal:
        headers = RETRY if refusal.status == 503 else None
        raise HTTPException(refusal.status, refusal.reason, headers=headers) from refusal
    if done.rejected:
        raise HTTPException(400, done.rejected[0].error)
    return IngestResult(accepted=done.accepted, duplicates=done.duplicates, rejected=[])


def _with_headers(body: bytes, told: dict[str, str]) -> bytes:
    """The body with the headers where the logger itself has a place for them."""
    try:
        row = msgspec.json.decode(body)
        asked = row["providerRequest"]
        asked["meta"] = {**(asked.get("meta") or {}), **told}
    except (msgspec.MsgspecError, UnicodeError, RecursionError, LookupError, TypeError, AttributeError):
        return body  # reading it says what is wrong with it
    return msgspec.json.encode(row)
