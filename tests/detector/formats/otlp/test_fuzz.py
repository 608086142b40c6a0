"""Damaged and hostile requests: errors in words, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from detector.formats import FormatError, parse_body
from tests.detector.formats.otlp.requests import CALL, CONTENT, log, logs, protobuf, span, traces
from tests.detector.formats.test_canonical import json_values

WHOLE = {
    "otlp_traces": protobuf(traces(span(1, {**CALL, **CONTENT, "tenant.id": "t"}))),
    "otlp_logs": protobuf(logs(log(1, "gen_ai.user.message", body={"content": "x"}))),
}


def harmless(body: bytes, format: str) -> None:
    """Reading gives events, rejections or a FormatError."""
    try:
        found = parse_body(body, format, account="a")
    except FormatError as error:
        reason = str(error)
        assert reason
    else:
        assert all(r.error for r in found.rejected)


@pytest.mark.parametrize("format", sorted(WHOLE))
def test_cut_off_anywhere(format: str) -> None:
    """Cut off after any byte, a request is read up to there or refused."""
    for end in range(len(WHOLE[format])):
        harmless(WHOLE[format][:end], format)


@settings(max_examples=300, deadline=None)
@given(format=st.sampled_from(sorted(WHOLE)), place=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=6))
def test_damaged_anywhere(format: str, place: int, junk: bytes) -> None:
    """With any bytes overwritten, a request is read or refused."""
    whole = WHOLE[format]
    place %= len(whole)
    harmless(whole[:place] + junk + whole[place + len(junk) :], format)


@settings(max_examples=200, deadline=None)
@given(format=st.sampled_from(sorted(WHOLE)), body=st.binary(max_size=300))
def test_random_bytes(format: str, body: bytes) -> None:
    """Random bytes are refused or read as something."""
    harmless(body, format)


NAMES = st.sampled_from(
    [
        *CALL,
        *CONTENT,
        "openinference.span.kind",
        "llm.input_messages.0.message.content",
        "llm.input_messages.99999999999.message.content",
        "llm.invocation_parameters",
        "input.value",
        "langfuse.observation.type",
        "langfuse.observation.input",
        "langfuse.observation.output",
        "langfuse.observation.usage_details",
        "gen_ai.prompt.0.content",
        "gen_ai.prompt_json",
        "gen_ai.completion_json",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "ai.operationId",
        "ai.prompt",
        "llm.request.type",
        "tenant.id",
        "user.id",
        "metadata.user_api_key_hash",
    ]
)
VALUES = json_values | json_values.map(json.dumps) | st.sampled_from(["LLM", "generation", "CHAT_MODEL"])


@settings(max_examples=300, deadline=None)
@given(of=st.dictionaries(NAMES, VALUES, max_size=8), fields=st.dictionaries(NAMES, VALUES, max_size=2))
def test_any_value_of_any_attribute(of: dict[str, Any], fields: dict[str, Any]) -> None:
    """Whatever instrumentations write into their attributes, no request fails by it."""
    request = traces(span(1, of), span(2, {**CALL, **fields}, parent=1))
    harmless(json.dumps(request).encode(), "otlp_traces")
    record = {**log(1, "gen_ai.choice", of), "body": {"stringValue": json.dumps(of)}}
    harmless(json.dumps(logs(record)).encode(), "auto")


@settings(max_examples=200, deadline=None)
@given(value=json_values, name=st.sampled_from([*span(1, {}, parent=2), "events"]))
def test_any_value_of_any_field(value: Any, name: str) -> None:
    """The fields of a span in JSON may hold anything."""
    harmless(json.dumps(traces({**span(1, CALL), name: value})).encode(), "otlp_traces")
    harmless(json.dumps({"resourceSpans": value}).encode(), "auto")
    harmless(json.dumps({"resourceLogs": [{"scopeLogs": value}]}).encode(), "auto")


@pytest.mark.parametrize("levels", [30, 90, 2000])
def test_deep_values(levels: int) -> None:
    """Values nested beyond reason are cut or refused, in JSON as in protobuf."""
    deep = '{"stringValue": "x"}'
    packed = AnyValue(string_value="x").SerializeToString()
    for _ in range(levels):
        deep = f'{{"arrayValue": {{"values": [{deep}]}}}}'
        packed = _field(0x2A, _field(0x0A, packed))  # AnyValue.array_value, ArrayValue.values
    request = json.dumps(traces(span(1, {**CALL, "gen_ai.input.messages": "deep"})))
    harmless(request.replace('{"stringValue": "deep"}', deep).encode(), "otlp_traces")
    pair = _field(0x0A, b"gen_ai.input.messages") + _field(0x12, packed)
    harmless(_field(0x0A, _field(0x12, _field(0x12, _field(0x4A, pair)))), "otlp_traces")
    assert ExportTraceServiceRequest.FromString(_field(0x0A, _field(0x12, _field(0x12, _field(0x4A, b"")))))


def _field(tag: int, content: bytes) -> bytes:
    """A length-delimited field in protobuf."""
    size, length = bytearray(), len(content)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([tag, *size, length]) + content


def test_times_out_of_range() -> None:
    """A span without a time, or from the year 2500, is refused in words."""
    for start in ("0", str(2**64 - 1), "-5", "x"):
        body = json.dumps(traces({**span(1, {**CALL, "tenant.id": "t"}), "startTimeUnixNano": start})).encode()
        found = parse_body(body)
        assert found.events == []
        assert "startTimeUnixNano" in found.rejected[0].error
