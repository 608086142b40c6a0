"""Envoy AI Gateway's access log: JSON whose fields the operator chose, here under the names of its own example.

It holds no prompts: events without text, good for volume, timing and tokens. The account comes from a field that the
operator maps from a verified source (``tenant.id``, ``consumer.id``, ``user.id``, or a name given to the reader); Envoy
passes on client headers unchecked, so map from what authentication set. ``x-request-id`` may be the client's and is not
the event's id.
"""

from __future__ import annotations

from typing import Any

from detector.event import Client, Event, Params, Usage
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    count,
    fingerprint,
    first,
    identifier,
    integer,
    named_owner,
    number,
    text,
    timestamp,
)

NAME = "envoy"
DESCRIPTION = "Envoy AI Gateway access log (JSON, gen_ai.* fields)"

TIMES = ("start_time", "timestamp", "@timestamp", "time")
OWNERS = ("tenant.id", "consumer.id", "user.id", "enduser.id", "account_id")


def matches(row: dict[str, Any]) -> bool:
    """True for a flat row with GenAI fields and a time."""
    return any(name.startswith("gen_ai.") for name in row) and any(name in row for name in TIMES)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row. Raises RowError."""
    row = {name: None if value == "-" else value for name, value in row.items()}  # Envoy's sign for "nothing"
    tenant = named_owner(row, given) or first(row, ("tenant.id", "consumer.id"))
    forwarded = text(first(row, ("client.address", "x-forwarded-for", "downstream_remote_address")))
    return [
        Event(
            event_id=f"envoy-{fingerprint(row)}",
            timestamp=timestamp(first(row, TIMES), "start_time"),
            account_id=identifier(named_owner(row, given) or first(row, OWNERS) or given.owner, "tenant.id"),
            end_user_id=text(first(row, ("user.id", "enduser.id"))) if tenant else None,
            session_id=text(row.get("session.id")),
            model=text(first(row, ("gen_ai.request.model", "gen_ai.response.model"))),
            operation=chat.operation(row.get("gen_ai.operation.name")),
            params=Params(),
            usage=Usage(
                input_tokens=count(row.get("gen_ai.usage.input_tokens")),
                output_tokens=count(row.get("gen_ai.usage.output_tokens")),
                reasoning_tokens=count(
                    first(row, ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"))
                ),
                cached_input_tokens=count(
                    first(row, ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cached_input_tokens"))
                ),
            ),
            status=integer(first(row, ("response_code", "status"))),
            latency_ms=number(row.get("duration")),
            client=Client(
                ip=forwarded.partition(",")[0].strip() if forwarded else None,
                user_agent=text(first(row, ("user-agent", "user_agent"))),
            ),
        )
    ]
