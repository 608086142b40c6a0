"""Every way in: its path, a body as its client sends it, and how it answers. Tests go through all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.api.builders import row
from tests.detector.formats import gateways
from tests.detector.formats.bodies import litellm
from tests.detector.formats.otlp.requests import CALL, CONTENT, log, logs, protobuf, span, traces

JSON, PROTOBUF = "application/json", "application/x-protobuf"
OWNED = {**CALL, **CONTENT, "tenant.id": "acme"}


class Way(NamedTuple):
    """One way in."""

    path: str
    rows: Callable[[int], list[Any]]  # so many good rows
    wrap: Callable[[list[Any]], bytes]  # rows as a body
    bad: Any  # a row that cannot be read
    content_type: str = JSON
    good: int = 200  # status of success
    unreadable: int = 400  # status of a body that cannot be read
    errors: Callable[[bytes], list[str]] = lambda body: [e["error"] for e in json.loads(body)["rejected"]]
    reason: Callable[[bytes], str] = lambda body: json.loads(body)["detail"]


def _array(rows: list[Any]) -> bytes:
    return json.dumps(rows).encode()


def _lines(rows: list[Any]) -> bytes:
    return b"\n".join(json.dumps(r).encode() for r in rows)


def _one(rows: list[Any]) -> bytes:
    return json.dumps(rows[0]).encode()


def _numbered(make: Callable[..., dict[str, Any]], name: str) -> Callable[[int], list[Any]]:
    return lambda count: [make(**{name: f"id-{n}"}) for n in range(count)]


def _kong(count: int) -> list[Any]:
    return [gateways.kong(request={**gateways.kong()["request"], "id": f"kong-{n}"}) for n in range(count)]


def _portkey(count: int) -> list[Any]:
    asked = gateways.portkey()["request"]
    return [gateways.portkey(request={**asked, "json": {**gateways.REQUEST, "seed": n}}) for n in range(count)]


def _anthropic(count: int) -> list[Any]:
    found = [gateways.anthropic_output(f"r{n}") for n in range(count)]
    for number, row_ in enumerate(found):
        row_["result"]["message"]["id"] = f"msg_{number}"
    return found


def _spans(count: int) -> list[Any]:
    return [span(n + 1, OWNED) for n in range(count)]


def _records(count: int) -> list[Any]:
    names = {"gen_ai.operation.name": "chat", "tenant.id": "acme"}
    return [log(n + 1, "gen_ai.client.inference.operation.details", names) for n in range(count)]


def _langfuse(count: int) -> list[Any]:
    found = []
    for n in range(count):
        text = json.dumps(gateways.langfuse()["batch"])
        found += json.loads(text.replace('"t1"', f'"t{n}"').replace('"g1"', f'"g{n}"'))
    return found


def _langfuse_errors(body: bytes) -> list[str]:
    errors = json.loads(body)["errors"]
    assert all(e["status"] == 400 and e["message"] for e in errors)
    return [e["error"] for e in errors]


def _partial(answer: Any, count: str) -> Callable[[bytes], list[str]]:
    def read(body: bytes) -> list[str]:
        partial = answer.FromString(body).partial_success
        reasons = partial.error_message.split("; ") if partial.error_message else []
        assert getattr(partial, count) == len(reasons)
        return reasons

    return read


def _json_partial(count: str) -> Callable[[bytes], list[str]]:
    def read(body: bytes) -> list[str]:
        partial = json.loads(body).get("partialSuccess", {})
        reasons = partial["errorMessage"].split("; ") if partial else []
        assert int(partial.get(count, 0)) == len(reasons)  # 64-bit integers are text in protobuf's JSON
        return reasons

    return read


_SPAN = {**span(9, OWNED), "traceId": "ab"}
_RECORD = {**log(9, "gen_ai.choice", body={"content": "x"}), "traceId": "ab"}
_STATUS: dict[str, Any] = {"reason": lambda body: json.loads(body)["message"]}
_PB_STATUS: dict[str, Any] = {"reason": lambda body: Status.FromString(body).message}
_PB_TRACES = _partial(ExportTraceServiceResponse, "rejected_spans")
_PB_LOGS = _partial(ExportLogsServiceResponse, "rejected_log_records")


def _bad_protobuf(request: Callable[..., dict[str, Any]]) -> Callable[[list[Any]], bytes]:
    """Rows in protobuf, in which a mark stands for text that is no UTF-8."""
    return lambda rows: protobuf(request(*rows)).replace(b"broken-text", b"\xff" * 11)


WAYS: dict[str, Way] = {
    "events": Way("/v1/events", lambda n: [row(i) for i in range(n)], _array, {"event_id": "x"}),
    "lines": Way("/v1/events", lambda n: [row(i) for i in range(n)], _lines, {"event_id": "x"}),
    "auto": Way("/v1/ingest/auto", _kong, _array, {"what": "is this"}),
    "litellm": Way(
        "/v1/ingest/litellm", lambda n: [litellm(i) for i in range(n)], _array, litellm(99, startTime="soon")
    ),
    "litellm lines": Way(
        "/v1/ingest/litellm", lambda n: [litellm(i) for i in range(n)], _lines, litellm(99, startTime="soon")
    ),
    "kong": Way("/v1/ingest/kong", _kong, _array, gateways.kong(ai=None), unreadable=200),
    "apisix": Way(
        "/v1/ingest/apisix",
        lambda n: [gateways.apisix(latency=i) for i in range(n)],
        _array,
        gateways.apisix(start_time="?"),
    ),
    "portkey": Way(
        "/v1/ingest/portkey",
        _portkey,
        _array,
        gateways.portkey(response={"json": {"created": "?"}}),
    ),
    "envoy": Way(
        "/v1/ingest/envoy",
        lambda n: [gateways.envoy(duration=i) for i in range(n)],
        _lines,
        gateways.envoy(start_time="?"),
    ),
    "sglang": Way(
        "/v1/ingest/sglang?account=acme", _numbered(gateways.sglang, "rid"), _lines, gateways.sglang(timestamp="?")
    ),
    "openai batch": Way(
        "/v1/ingest/openai_batch?account=acme",
        lambda n: [gateways.openai_output(f"r{i}", i) for i in range(n)],
        _lines,
        gateways.openai_output(""),
    ),
    "anthropic batch": Way(
        "/v1/ingest/anthropic_batch?account=acme",
        _anthropic,
        _lines,
        gateways.anthropic_output(""),
    ),
    "helicone": Way("/custom/v1/log", lambda n: [gateways.helicone()], _one, gateways.helicone(timing={})),
    "langfuse": Way(
        "/api/public/ingestion",
        _langfuse,
        lambda rows: json.dumps({"batch": rows}).encode(),
        {"id": "bad", "type": "generation-create", "timestamp": "soon", "body": {"id": "bad", "traceId": "t0"}},
        good=207,
        errors=_langfuse_errors,
    ),
    "langfuse otlp": Way(
        "/api/public/otel/v1/traces",
        _spans,
        _bad_protobuf(traces),
        span(9, {**OWNED, "x": "broken-text"}),
        PROTOBUF,
        errors=_PB_TRACES,
        **_PB_STATUS,
    ),
    "traces": Way(
        "/v1/traces",
        _spans,
        _bad_protobuf(traces),
        span(9, {**OWNED, "x": "broken-text"}),
        PROTOBUF,
        errors=_PB_TRACES,
        **_PB_STATUS,
    ),
    "traces json": Way(
        "/v1/traces",
        _spans,
        lambda rows: json.dumps(traces(*rows)).encode(),
        _SPAN,
        errors=_json_partial("rejectedSpans"),
        **_STATUS,
    ),
    "logs": Way(
        "/v1/logs",
        _records,
        _bad_protobuf(logs),
        log(9, "gen_ai.choice", {"x": "broken-text"}),
        PROTOBUF,
        errors=_PB_LOGS,
        **_PB_STATUS,
    ),
    "logs json": Way(
        "/v1/logs",
        _records,
        lambda rows: json.dumps(logs(*rows)).encode(),
        _RECORD,
        errors=_json_partial("rejectedLogRecords"),
        **_STATUS,
    ),
}
