"""OTLP as it travels: protobuf or JSON, traces or logs, into plain spans and records."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import msgspec
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from detector.formats.base import FormatError, RowError, integer, kind, mapping, sequence, text
from detector.formats.otlp import protobuf

ERROR = 2  # STATUS_CODE_ERROR
MAX_VALUE_DEPTH = 64  # protobuf itself stops at 100 levels of messages
MAX_RECORDS = 100_000  # of a request; exporters send 512 at a time
MAX_WHOLE_BYTES = 2 << 20  # decoded at once: of empty records, which take 75 times their bytes, it takes 150 MiB
MAX_RECORD_BYTES = 16 << 20  # no provider takes prompts of this size
MAX_INNER = 10_000  # attributes or events of a record; instrumentations stop at 128

Attributes = dict[str, Any]


class Record(msgspec.Struct, kw_only=True, gc=False):
    """A span, a span's event or a log record."""

    trace: str = ""  # hex; empty where there is none
    span: str = ""
    parent: str = ""
    name: str = ""  # of an event or a log record
    start: int = 0  # nanoseconds since 1970
    end: int = 0
    attributes: Attributes = {}
    body: Any = None  # of a log record
    events: list[Record] = []  # of a span
    failed: bool = False
    resource: Attributes = {}
    is_log: bool = False


def is_traces(body: bytes) -> bool:
    """True where a request in protobuf holds spans, False where it holds log records or is none."""
    try:
        return any(
            span.trace_id for span in map(_first_span, ExportTraceServiceRequest.FromString(body).resource_spans)
        )
    except (DecodeError, RecursionError):
        return False


def _first_span(of_resource: ResourceSpans) -> Span:
    return next((span for of_scope in of_resource.scope_spans for span in of_scope.spans), Span())


def spans_of_protobuf(body: bytes) -> list[Record | RowError]:
    """The spans of an ExportTraceServiceRequest, or why one is none. Raises FormatError."""
    return _at_once(body, _TRACES, _pb_span) or _one_by_one(body, "trace", Span, _pb_span)


def logs_of_protobuf(body: bytes) -> list[Record | RowError]:
    """The records of an ExportLogsServiceRequest, or why one is none. Raises FormatError."""
    return _at_once(body, _LOGS, _pb_log) or _one_by_one(body, "log", LogRecord, _pb_log)


_TRACES = (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans")
_LOGS = (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records")


def _at_once(
    body: bytes, layout: tuple[Any, str, str, str], make: Callable[[Any, Attributes], Record]
) -> list[Record | RowError]:
    """The records of a request that is good as a whole, which is faster; nothing of one that needs a closer look."""
    if len(body) > min(MAX_WHOLE_BYTES, MAX_RECORD_BYTES):
        return []
    request, of_resource, of_scope, inner = layout
    found: list[Record | RowError] = []
    try:
        for group in getattr(request.FromString(body), of_resource):
            resource = _attributes(group.resource.attributes)
            for scope in getattr(group, of_scope):
                found += [make(record, resource) for record in islice(getattr(scope, inner), MAX_RECORDS + 1)]
                if len(found) > MAX_RECORDS:
                    return []
    except (DecodeError, RecursionError, RowError):
        return []
    return found


def _one_by_one(
    body: bytes, signal: str, message: Any, make: Callable[[Any, Attributes], Record]
) -> list[Record | RowError]:
    """Each record is decoded by itself: one that is damaged, or holds text that is no UTF-8, spoils no other."""
    try:
        places = list(protobuf.records(body, MAX_RECORDS))
    except protobuf.Damaged as error:
        raise FormatError(f"the body is no OTLP {signal} request in protobuf: {error}") from error
    found: list[Record | RowError] = []
    known: tuple[bytes, Attributes] = (b"", {})
    for resource, record in places:
        try:
            if len(record) > MAX_RECORD_BYTES:
                raise RowError(f"record: longer than {MAX_RECORD_BYTES:,} bytes, the limit for one")
            if resource != known[0]:
                known = (resource, _attributes(Resource.FromString(resource).attributes))
            found.append(make(message.FromString(record), known[1]))
        except (DecodeError, RecursionError) as error:
            found.append(RowError(f"record: no valid protobuf, or holds text that is not UTF-8: {error}"))
        except RowError as error:
            found.append(error)
    return found


def _pb_span(span: Span, resource: Attributes) -> Record:
    return Record(
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=[
            Record(name=e.name, start=e.time_unix_nano, attributes=_attributes(e.attributes))
            for e in islice(span.events, MAX_INNER)
        ]
        if span.events
        else [],
        failed=span.HasField("status") and span.status.code == ERROR,
        resource=resource,
    )


def _pb_log(record: LogRecord, resource: Attributes) -> Record:
    attributes = _attributes(record.attributes)
    return Record(
        trace=record.trace_id.hex(),
        span=record.span_id.hex(),
        name=record.event_name or text(attributes.get("event.name")) or "",
        start=record.time_unix_nano or record.observed_time_unix_nano,
        attributes=attributes,
        body=_value(record.body),
        resource=resource,
        is_log=True,
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {  # texts and counts are by far the most frequent
        pair.key: (value := pair.value).string_value or value.int_value or _value(value)
        for pair in islice(pairs, MAX_INNER)
    }


def _value(value: AnyValue, depth: int = 0) -> Any:
    which = value.WhichOneof("value")
    if which is None or depth > MAX_VALUE_DEPTH:
        return None
    if which == "array_value":
        return [_value(v, depth + 1) for v in value.array_value.values]
    if which == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    if which == "bytes_value":
        return value.bytes_value.decode(errors="replace")
    return getattr(value, which)


def spans_of_json(row: dict[str, Any]) -> list[Record | RowError]:
    """The spans of a trace request in JSON, or why one is none."""
    return _records(row, "resourceSpans", ("scopeSpans", "instrumentationLibrarySpans"), "spans", _span)


def logs_of_json(row: dict[str, Any]) -> list[Record | RowError]:
    """The records of a log request in JSON, or why one is none."""
    return _records(row, "resourceLogs", ("scopeLogs", "instrumentationLibraryLogs"), "logRecords", _log)


def _records(row: dict[str, Any], of_resource: str, of_scope: tuple[str, ...], inner: str, make: Any) -> list[Any]:
    groups = row.get(of_resource)
    if not isinstance(groups, list):
        raise RowError(f"{of_resource}: found {kind(groups)}, expected an array")
    found: list[Record | RowError] = []
    for group in map(mapping, groups):
        resource = _json_attributes(mapping(group.get("resource")).get("attributes"))
        for scope in (s for name in of_scope for s in map(mapping, sequence(group.get(name)))):
            for item in sequence(scope.get(inner)):
                if not isinstance(item, dict):
                    found.append(RowError(f"{inner}: found {kind(item)}, expected an object"))
                    continue
                try:
                    found.append(make(item, resource))
                except (RowError, RecursionError) as error:
                    found.append(RowError(str(error) if isinstance(error, RowError) else "nested too deeply"))
    return found


def _span(item: dict[str, Any], resource: Attributes) -> Record:
    status = mapping(item.get("status")).get("code")
    return Record(
        trace=_id(item.get("traceId"), "traceId", 32),
        span=_id(item.get("spanId"), "spanId", 16),
        parent=_id(item.get("parentSpanId"), "parentSpanId", 16),
        name=text(item.get("name")) or "",
        start=_nanoseconds(item.get("startTimeUnixNano")),
        end=_nanoseconds(item.get("endTimeUnixNano")),
        attributes=_json_attributes(item.get("attributes")),
        events=[
            Record(
                name=text(e.get("name")) or "",
                start=_nanoseconds(e.get("timeUnixNano")),
                attributes=_json_attributes(e.get("attributes")),
            )
            for e in map(mapping, sequence(item.get("events")))
        ],
        failed=status in (ERROR, "STATUS_CODE_ERROR"),
        resource=resource,
    )


def _log(item: dict[str, Any], resource: Attributes) -> Record:
    attributes = _json_attributes(item.get("attributes"))
    return Record(
        trace=_id(item.get("traceId"), "traceId", 32),
        span=_id(item.get("spanId"), "spanId", 16),
        name=text(item.get("eventName")) or text(attributes.get("event.name")) or "",
        start=_nanoseconds(item.get("timeUnixNano")) or _nanoseconds(item.get("observedTimeUnixNano")),
        attributes=attributes,
        body=_json_value(item.get("body")),
        resource=resource,
        is_log=True,
    )


def _json_attributes(pairs: Any) -> Attributes:
    return {
        pair["key"]: _json_value(pair.get("value"))
        for pair in sequence(pairs)
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }


def _json_value(value: Any, depth: int = 0) -> Any:
    if not isinstance(value, dict) or depth > MAX_VALUE_DEPTH:
        return None
    for name, inner in value.items():
        if name in ("stringValue", "boolValue", "doubleValue"):
            return inner
        if name == "intValue":
            return integer(inner)
        if name == "arrayValue":
            return [_json_value(v, depth + 1) for v in sequence(mapping(inner).get("values"))]
        if name == "kvlistValue":
            return {
                pair["key"]: _json_value(pair.get("value"), depth + 1)
                for pair in sequence(mapping(inner).get("values"))
                if isinstance(pair, dict) and isinstance(pair.get("key"), str)
            }
        if name == "bytesValue":
            return inner if isinstance(inner, str) else None
    return None


def _id(value: Any, field: str, digits: int) -> str:
    """An id in hex, as OTLP/JSON has it; also base64, as plain protobuf JSON has it. Empty where it is absent."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        if len(value) == digits and all(c in "0123456789abcdefABCDEF" for c in value):
            return "" if not value.strip("0") else value.lower()
        try:
            raw = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) * 2 == digits:
            return raw.hex()
    raise RowError(f"{field}: found {str(value)[:40]!r}, expected {digits} hexadecimal digits")


def _nanoseconds(value: Any) -> int:
    """A time in nanoseconds, as text or number; 0 where it is absent."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 2**64 else 0
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) <= 20 else 0
