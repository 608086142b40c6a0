"""OTLP traces: ``POST /v1/traces`` in protobuf or JSON, and the lines of the collector's file exporter.

A row holds many spans; log records of the same calls are joined where they come along in the same files.
"""

from __future__ import annotations

from typing import Any

from detector.event import Event
from detector.formats.base import NOTHING_GIVEN, Given, alone
from detector.formats.otlp.join import FAMILY, Traces

NAME = "otlp_traces"
DESCRIPTION = "OpenTelemetry traces (GenAI, OpenInference, OpenLLMetry, Langfuse, Cloudflare), protobuf or JSON"
JOINED = FAMILY  # rows of formats under one such name are joined with one another


def matches(row: dict[str, Any]) -> bool:
    """True for a trace request in JSON."""
    return "resourceSpans" in row


def collector(given: Given) -> Traces:
    """A joiner of spans and log records."""
    return Traces(given)


def add_binary(traces: Traces, body: bytes, where: Any) -> None:
    """Take a request in protobuf. Raises FormatError."""
    traces.add_spans(body, where)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The calls of one request by itself. Raises RowError."""
    return alone(collector(given), row)
