"""OTLP/HTTP: POST /v1/traces and /v1/logs, and the path that Langfuse's SDK sends its traces to.

Answers are of the request's own encoding, protobuf or JSON: a partial success with status 200, or a google.rpc.Status.
An exporter tries again for ten seconds on 503 and drops its batch on anything else, so whatever may pass is a 503.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from google.protobuf.json_format import MessageToJson  # type: ignore[import-untyped]
from google.protobuf.message import Message  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from api.routes.common import Sender
from api.routes.receiving import RETRY, Account, Refusal, receive
from api.services.ingest import Outcome
from api.storage.engine import StorageError

JSON, PROTOBUF = "application/json", "application/x-protobuf"
SHOWN = 3  # reasons in a partial success
_CODES = {400: 3, 401: 16, 403: 7, 413: 8, 503: 14}  # of google.rpc.Code

log = structlog.get_logger()

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OtlpRoute(APIRoute):
    """Puts every refusal, that of the key included, into the form that exporters read."""

    def get_route_handler(self) -> Handler:
        """FastAPI's handler with its errors as a Status."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except Refusal as refusal:
                return _refused(request, refusal.status, refusal.reason, {})
            except HTTPException as error:
                return _refused(request, error.status_code, str(error.detail), dict(error.headers or {}))
            except RequestValidationError as error:
                reason = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors())
                return _refused(request, 400, reason, {})
            except StorageError as error:
                log.error("database failed", path=request.url.path, error=str(error))
                return _refused(request, 503, "the database does not answer; try again", {})
            except Exception:  # an exporter drops its batch on 500
                log.exception("a request failed", path=request.url.path)
                return _refused(request, 503, "a fault of distillwatch, which is in its log; try again", {})

        return handle


router = APIRouter(tags=["ingestion"], route_class=OtlpRoute)

_STATUS: dict[str, Any] = {"content": {JSON: {}, PROTOBUF: {}}}
_DOCUMENT: dict[str, Any] = {
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "description": "An OTLP request; Content-Encoding gzip, deflate, zstd or none.",
            "content": {PROTOBUF: {"schema": {"type": "string", "format": "binary"}}, JSON: {}},
        }
    },
    "response_class": Response,
    "responses": {
        200: {"description": "Stored, but for what partialSuccess names", **_STATUS},
        400: {"description": "The body cannot be read at all", **_STATUS},
        401: {"description": "No key, or an unknown one", **_STATUS},
        403: {"description": "A key that may not send logs", **_STATUS},
        413: {"description": "The body or batch is too large", **_STATUS},
        503: {"description": "Nothing was stored; try again", **_STATUS},
    },
}


@router.post("/v1/traces", **_DOCUMENT)
async def post_traces(request: Request, key: Sender, account: Account = None) -> Response:
    """Store the calls of models among OpenTelemetry spans; they are joined with their log records and the spans around."""
    return await _traces(request, key, account)


@router.post("/api/public/otel/v1/traces", **_DOCUMENT)
async def post_langfuse_traces(request: Request, key: Sender, account: Account = None) -> Response:
    """The same, where Langfuse's SDK sends it: with this service as its host, and the key as its secret key."""
    return await _traces(request, key, account)


@router.post("/v1/logs", **_DOCUMENT)
async def post_logs(request: Request, key: Sender, account: Account = None) -> Response:
    """Store the calls of models among OpenTelemetry log records; they are joined with their spans."""
    done = await receive(request, key, "otlp_logs", account=account, protobuf=not _is_json(request))
    answer = ExportLogsServiceResponse()
    if done.refused:
        answer.partial_success.rejected_log_records = done.refused
        answer.partial_success.error_message = _reasons("log record", done)
    return _answer(request, answer)


@router.post("/v1/metrics", **_DOCUMENT)
async def post_metrics(request: Request, key: Sender) -> Response:
    """Take OpenTelemetry metrics and keep nothing of them, for exporters that cannot send traces and logs alone."""
    async for _ in request.stream():
        pass
    answer = ExportMetricsServiceResponse()
    answer.partial_success.error_message = "metrics are of no use here and are not kept: send traces and logs alone"
    return _answer(request, answer)


async def _traces(request: Request, key: Sender, account: str | None) -> Response:
    done = await receive(request, key, "otlp_traces", account=account, protobuf=not _is_json(request))
    answer = ExportTraceServiceResponse()
    if done.refused:
        answer.partial_success.rejected_spans = done.refused
        answer.partial_success.error_message = _reasons("span", done)
    return _answer(request, answer)


def _reasons(what: str, done: Outcome) -> str:
    named = [f"{what} {item.index}: {item.error}" for item in done.rejected[:SHOWN]]
    more = done.refused - len(named)
    return "; ".join([*named, *([f"and {more} more"] if more else [])])


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower().endswith("json")


def _answer(request: Request, message: Message, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    if _is_json(request):
        return Response(MessageToJson(message, indent=None), status, headers, JSON)
    return Response(message.SerializeToString(), status, headers, PROTOBUF)


def _refused(request: Request, status: int, reason: str, headers: dict[str, str]) -> Response:
    message = Status(code=_CODES.get(status, 2), message=reason)
    return _answer(request, message, status, {**headers, **(RETRY if status == 503 else {})})
