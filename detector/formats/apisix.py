"""Apache APISIX's http-logger with the ai-proxy plugin's summaries and payloads.

The account is the consumer that APISIX authenticated; ``end_user_id`` is the client's claim. Rows carry no id that the
client could not choose, so a fingerprint of the row is the event's id. Request headers are not kept.
"""

from __future__ import annotations

from typing import Any

from detector.event import Client, Event
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    RowError,
    fingerprint,
    flag,
    identifier,
    integer,
    mapping,
    number,
    text,
    timestamp,
)

NAME = "apisix"
DESCRIPTION = "APISIX http-logger with ai-proxy summaries and payloads"


def matches(row: dict[str, Any]) -> bool:
    """True for APISIX's log entry of a route."""
    return (
        "start_time" in row and "route_id" in row and ("llm_summary" in row or "llm_request" in row or "server" in row)
    )


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row. Raises RowError."""
    summary, request = mapping(row.get("llm_summary")), mapping(row.get("llm_request"))
    if not summary and not request:
        raise RowError("llm_summary: missing; set logging.summaries and logging.payloads of the ai-proxy plugin")
    consumer = row.get("consumer")
    owner = consumer.get("username") if isinstance(consumer, dict) else consumer
    fields = chat.exchange(request, {})
    headers = mapping(mapping(row.get("request")).get("headers"))
    fields["model"] = text(summary.get("request_model") or summary.get("model")) or fields["model"]
    fields["end_user_id"] = text(summary.get("end_user_id")) or fields["end_user_id"]
    fields["usage"] = chat.usage(summary)
    streamed = flag(summary.get("stream"))
    fields["params"].stream = streamed if streamed is not None else fields["params"].stream
    fields["response"] = text(mapping(row.get("llm_response_text")).get("content"), 1 << 24)
    return [
        Event(
            event_id=f"apisix-{fingerprint(row)}",
            timestamp=timestamp(row.get("start_time"), "start_time"),
            account_id=identifier(owner or given.owner, "consumer.username"),
            operation=chat.operation("chat"),
            status=integer(mapping(row.get("response")).get("status")),
            latency_ms=number(row.get("latency")),
            client=Client(ip=text(row.get("client_ip")), user_agent=text(headers.get("user-agent"))),
            **fields,
        )
    ]
