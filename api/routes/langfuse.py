"""Langfuse's ingestion path, and what its SDK asks for beside it: with this service as its host and the key as its secret key,
an application that logs to Langfuse logs here. Its SDK from version 3 on sends OTLP instead, see ``otlp``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from api.routes.common import Sender
from api.routes.ingest import ANSWERS
from api.routes.receiving import RETRY, Account, Refusal, receive

router = APIRouter(tags=["ingestion"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A batch of Langfuse's SDK; Content-Encoding gzip, deflate, zstd or none.",
        "content": {"application/json": {}},
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    207: {"description": "What became of each item", "content": {"application/json": {}}}
}


class _Item(msgspec.Struct):
    id: Any = None


class _Batch(msgspec.Struct):
    batch: list[_Item] = []


_DECODER = msgspec.json.Decoder(_Batch)


@router.post(
    "/api/public/ingestion", status_code=207, response_class=Response, openapi_extra=_BODY,
    responses={**ANSWERS, **_ANSWERS},
)  # fmt: skip
async def post_batch(request: Request, key: Sender, account: Account = None) -> Response:
    """Store the generations of a batch. Items are joined by their trace, also those that come in later batches."""
    ids: list[Any] = []

    def note(body: bytes) -> bytes:
        with suppress(
            msgspec.MsgspecError, UnicodeError, RecursionError
        ):  # reading the batch says what is wrong with it
            ids.extend(item.id for item in _DECODER.decode(body).batch)
        return body

    try:
        done = await receive(request, key, "langfuse", account=account, amend=note)
    except Refusal as refusal:
        headers = RETRY if refusal.status == 503 else None
        raise HTTPException(refusal.status, refusal.reason, headers=headers) from refusal
    bad = {item.index: item.error for item in done.rejected}
    named = dict(enumerate(ids))
    good = [{"id": name, "status": 201} for number, name in named.items() if number not in bad]
    errors = [
        {"id": named.get(number, ""), "status": 400, "message": "Invalid item", "error": why}
        for number, why in bad.items()
    ]
    return JSONResponse({"successes": good, "errors": errors}, 207)


@router.get("/api/public/projects", responses={n: ANSWERS[n] for n in (401, 403)})
async def get_projects(key: Sender) -> dict[str, Any]:
    """What Langfuse's SDK asks to check its key: the project that the key belongs to."""
    project = {"id": key.key_id, "name": key.name, "metadata": {}, "organization": {"id": "", "name": ""}}
    return {"data": [project]}
