"""Protobuf record by record: what is wrong with one costs no other, and small bytes cannot become large memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.formats import FormatError, parse_body
from detector.formats.otlp import protobuf, wire
from tests.detector.formats.otlp.requests import CALL, CONTENT, log, logs, span, traces
from tests.detector.formats.otlp.requests import protobuf as encoded

SPANS = [span(n, {**CALL, **CONTENT, "tenant.id": "t", "mark": f"mark-{n}"}) for n in (1, 2, 3)]


def field(tag: int, content: bytes) -> bytes:
    """A length-delimited field."""
    size, length = bytearray(), len(content)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([tag, *size, length]) + content


def test_text_that_is_no_utf8_costs_one_record() -> None:
    """A record with broken text is refused by its place and with the reason; its neighbours are read."""
    body = encoded(traces(*SPANS)).replace(b"mark-2", b"\xff\xfe-2!!")
    found = parse_body(body, "otlp_traces", protobuf=True)
    assert [e.event_id[-1] for e in found.events] == ["1", "3"]
    assert [(r.index, "UTF-8" in r.error) for r in found.rejected] == [(1, True)]


@settings(max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(0, 4), max_size=5))
def test_every_record_is_found(counts: list[int]) -> None:
    """However records are spread over resources, the same ones are found as by protobuf itself, with their resources."""
    request = {"resourceSpans": []}
    for number, count in enumerate(counts):
        request["resourceSpans"] += traces(
            *(span(10 * number + n + 1, {}) for n in range(count)), resource={"n": str(number)}
        )["resourceSpans"]
    body = encoded(request)
    expected = [
        (of_resource.resource.attributes[0].value.string_value, span_.span_id.hex())
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for of_scope in of_resource.scope_spans
        for span_ in of_scope.spans
    ]
    found = wire.spans_of_protobuf(body)
    assert [(r.resource["n"], r.span) for r in found if isinstance(r, wire.Record)] == expected
    assert len(expected) == sum(counts)


@pytest.mark.parametrize(
    ("request_", "read"),
    [
        (traces(*SPANS, resource={"n": 1}), wire.spans_of_protobuf),
        (logs(log(1, "gen_ai.choice", {"a": [1, 0.5, True, "", 0]}, {"k": "v"}), log(2, "x")), wire.logs_of_protobuf),
    ],
)
def test_a_body_is_read_the_same_at_once_and_record_by_record(
    request_: dict[str, Any], read: Callable[[bytes], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a body is decoded as a whole or each of its records by itself, the records are the same."""
    body = encoded(request_)
    at_once = read(body)
    monkeypatch.setattr(wire, "MAX_WHOLE_BYTES", 0)
    assert read(body) == at_once
    assert len(at_once) > 1


@pytest.mark.parametrize(
    "bomb",
    [
        field(0x0A, field(0x12, b"\x12\x00" * 2_000_000)),  # two million empty spans
        field(0x0A, b"\x12\x00" * 2_000_000),  # scopes
        b"\x0a\x00" * 2_000_000,  # resources
        field(0x0A, b"\x0a\x00" * 2_000_000),  # parts of one resource
    ],
    ids=["records", "scopes", "resources", "parts"],
)
def test_millions_of_nothings_are_refused(bomb: bytes) -> None:
    """Empty messages by the million are refused before they are made."""
    for format in ("otlp_traces", "otlp_logs"):
        with pytest.raises(FormatError, match="send smaller batches"):
            parse_body(bomb, format, protobuf=True)


def test_millions_of_attributes_are_cut() -> None:
    """A record with two million attributes or events is read without them."""
    call = ExportTraceServiceRequest.FromString(encoded(traces(SPANS[0]))).resource_spans[0].scope_spans[0].spans[0]
    record = call.SerializeToString() + b"\x4a\x00" * 2_000_000 + b"\x5a\x00" * 2_000_000
    found = parse_body(field(0x0A, field(0x12, field(0x12, record))), "otlp_traces", protobuf=True)
    assert [e.account_id for e in found.events] == ["t"]


def test_too_large_a_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record beyond the limit is refused by its place, the others are read."""
    monkeypatch.setattr(wire, "MAX_RECORD_BYTES", 1500)
    large = span(2, {**CALL, "tenant.id": "t", "gen_ai.input.messages": "x" * 2000})
    found = parse_body(encoded(traces(SPANS[0], large)), "otlp_traces", protobuf=True)
    assert (len(found.events), [r.index for r in found.rejected]) == (1, [1])
    assert "limit" in found.rejected[0].error


def test_what_is_no_protobuf_says_so() -> None:
    """JSON sent as protobuf, and the other way round, is refused in words."""
    with pytest.raises(FormatError, match="no OTLP trace request in protobuf"):
        parse_body(b'{"resourceSpans": []}', "otlp_traces", protobuf=True)
    with pytest.raises(FormatError, match="no JSON"):
        parse_body(encoded(logs(log(1, "gen_ai.choice", body={"content": "x"}))), "otlp_logs", protobuf=False)


@pytest.mark.parametrize("size", [91, 123])
def test_a_length_that_looks_like_a_bracket(size: int) -> None:
    """A request whose first length is the byte of a bracket is still protobuf where the caller knows that it is."""
    inner = field(0x12, field(0x12, b""))
    body = field(0x0A, inner + field(0x1A, b"u" * (size - len(inner) - 2)))
    assert body[1:2] in (b"[", b"{")
    found = parse_body(body, "otlp_traces", protobuf=True)
    assert [r.error for r in found.rejected] == ["traceId: missing, expected 32 hexadecimal digits"]


def test_walking_needs_no_recursion() -> None:
    """A thousand levels are no deeper than three: what lies inside records is not walked."""
    inner = b""
    for _ in range(1000):
        inner = field(0x12, inner)
    assert len(list(protobuf.records(field(0x0A, inner), 10))) == 1
