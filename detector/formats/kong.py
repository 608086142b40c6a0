"""Kong's http-log plugin behind AI Proxy: ``kong.log.serialize()`` with usage and, where switched on, both bodies.

The account is the consumer that Kong authenticated. Request headers, API keys among them, are not kept.
"""

from __future__ import annotations

from typing import Any

from detector.event import Client, Event
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    RowError,
    first,
    identifier,
    integer,
    key_id,
    mapping,
    number,
    parsed,
    text,
    timestamp,
)

NAME = "kong"
DESCRIPTION = "Kong http-log with AI Proxy statistics and payloads"


def matches(row: dict[str, Any]) -> bool:
    """True for Kong's serialised request."""
    return "started_at" in row and "latencies" in row and isinstance(row.get("request"), dict)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row. Raises RowError."""
    request, response = mapping(row.get("request")), mapping(row.get("response"))
    consumer, entity = mapping(row.get("consumer")), mapping(row.get("authenticated_entity"))
    proxy = _proxy(mapping(row.get("ai")))
    if not proxy:
        raise RowError("ai: missing; set logging.log_statistics and logging.log_payloads of the AI Proxy plugin")
    payload, meta = mapping(proxy.get("payload")), mapping(proxy.get("meta"))
    fields = chat.exchange(parsed(payload.get("request")), parsed(payload.get("response")))
    owner = first(
        {**entity, **{f"consumer.{k}": v for k, v in consumer.items()}},
        ("consumer.id", "consumer_id", "consumer.custom_id", "consumer.username", "id"),
    )
    if isinstance(proxy.get("usage"), dict):
        fields["usage"] = chat.usage(proxy["usage"])
    fields["model"] = text(first(meta, ("request_model", "response_model"))) or fields["model"]
    return [
        Event(
            event_id=identifier(request.get("id"), "request.id"),
            timestamp=timestamp(row.get("started_at"), "started_at"),
            account_id=identifier(owner or given.owner, "consumer.id"),
            organization_id=text(row.get("workspace_name") or row.get("workspace")),
            api_key_id=key_id(entity.get("id")),
            operation=chat.operation("chat") if fields["messages"] else None,
            status=integer(response.get("status")),
            latency_ms=number(mapping(row.get("latencies")).get("request")),
            client=Client(ip=text(row.get("client_ip")), user_agent=_header(request, "user-agent")),
            extra={"consumer": {k: consumer[k] for k in ("username", "custom_id", "tags") if k in consumer}},
            **fields,
        )
    ]


def _proxy(ai: dict[str, Any]) -> dict[str, Any]:
    """What AI Proxy logged: under ``ai.proxy``, under the plugin's name, or one level up."""
    inner = mapping(first(ai, ("proxy", "ai-proxy", "ai-proxy-advanced")))
    return {**{k: ai[k] for k in ("payload", "usage", "meta") if k in ai}, **inner}


def _header(request: dict[str, Any], name: str) -> str | None:
    value = mapping(request.get("headers")).get(name)
    return text(value[0] if isinstance(value, list) and value else value)
