"""Made-up OTLP requests, the same ones in JSON and in protobuf."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.formats import ParsedBody, parse_body

TRACE = "ab" * 16
START = 1788776100_250_000_000
MESSAGES = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Name a river."}]},
]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "Elbe."}], "finish_reason": "stop"}]
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 99,
    "gen_ai.request.choice.count": 2,
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.cache_read.input_tokens": 3,
}
CONTENT = {
    "gen_ai.input.messages": json.dumps(MESSAGES),
    "gen_ai.output.messages": json.dumps(ANSWER),
    "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "lookup"}]),
}


def value(of: Any) -> dict[str, Any]:
    """A value as OTLP/JSON writes it."""
    if isinstance(of, bool):
        return {"boolValue": of}
    if isinstance(of, int):
        return {"intValue": str(of)}
    if isinstance(of, float):
        return {"doubleValue": of}
    if isinstance(of, list):
        return {"arrayValue": {"values": [value(v) for v in of]}}
    if isinstance(of, dict):
        return {"kvlistValue": {"values": [{"key": k, "value": value(v)} for k, v in of.items()]}}
    return {} if of is None else {"stringValue": of}


def attributes(of: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP/JSON writes them."""
    return [{"key": k, "value": value(v)} for k, v in of.items()]


def span(number: int, of: dict[str, Any], parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """A span that takes 750 ms."""
    found = {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": f"span {number}",
        "kind": 3,
        "startTimeUnixNano": str(START + number),
        "endTimeUnixNano": str(START + number + 750_000_000),
        "attributes": attributes(of),
        "status": {},
        **fields,
    }
    return found if parent is None else {**found, "parentSpanId": f"{parent:016x}"}


def log(number: int, name: str, of: dict[str, Any] | None = None, body: Any = None, **fields: Any) -> dict[str, Any]:
    """A log record of a span."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "eventName": name,
        "observedTimeUnixNano": str(START + 1000 * number),
        "attributes": attributes(of or {}),
        **({} if body is None else {"body": value(body)}),
        **fields,
    }


def traces(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """A trace request."""
    scope = {"scope": {"name": "test"}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource or {})}, "scopeSpans": [scope]}]}


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    """A log request."""
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": "test"}, "logRecords": list(records)}]}]}


def protobuf(request: dict[str, Any]) -> bytes:
    """The same request in protobuf."""
    raw = json.loads(json.dumps(request))
    for group in ("Spans", "Logs"):
        for of_resource in raw.get(f"resource{group}", []):
            for of_scope in of_resource[f"scope{group}"]:
                for record in of_scope.get("spans", of_scope.get("logRecords", [])):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in record:
                            record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    message: Any = ExportTraceServiceRequest() if "resourceSpans" in raw else ExportLogsServiceRequest()
    return ParseDict(raw, message).SerializeToString()


def read(request: dict[str, Any], **options: Any) -> ParsedBody:
    """What a request leads to, in both encodings the same."""
    name = "otlp_traces" if "resourceSpans" in request else "otlp_logs"
    found = parse_body(json.dumps(request).encode(), name, **options)
    assert parse_body(protobuf(request), name, **options) == found
    return found
