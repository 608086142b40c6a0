"""OTLP logs: ``POST /v1/logs`` in protobuf or JSON, and the lines of the collector's file exporter.

Events of the GenAI conventions, messages of its former ones, and access logs of Envoy AI Gateway; joined with the spans of
the same calls where they come along in the same files.
"""

from __future__ import annotations

from typing import Any

from detector.event import Event
from detector.formats.base import NOTHING_GIVEN, Given, alone
from detector.formats.otlp.join import FAMILY, Traces

NAME = "otlp_logs"
DESCRIPTION = "OpenTelemetry logs (GenAI events, access logs), protobuf or JSON"
JOINED = FAMILY  # rows of formats under one such name are joined with one another


def matches(row: dict[str, Any]) -> bool:
    """True for a log request in JSON."""
    return "resourceLogs" in row


def collector(given: Given) -> Traces:
    """A joiner of spans and log records."""
    return Traces(given)


def add_binary(traces: Traces, body: bytes, where: Any) -> None:
    """Take a request in protobuf. Raises FormatError."""
    traces.add_logs(body, where)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The calls of one request by itself. Raises RowError."""
    return alone(collector(given), row)
