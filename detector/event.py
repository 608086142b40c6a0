"""The canonical event: one logged request to a model.

Field names follow the OpenTelemetry GenAI conventions where they have one. Only the first three fields are required.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

Content = str | list[Any] | None


class Message(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One turn of the conversation; ``content`` is text or a list of parts, as providers accept both."""

    role: str = msgspec.field(default_factory=lambda: "user")  # written out even where it is the default
    content: Content = None
    tool_calls: list[Any] | None = None


class Params(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Sampling parameters of the request."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    n: int | None = None
    logprobs: bool | int | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    stream: bool | None = None


class Usage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Token counts as billed."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_input_tokens: int | None = None


class Client(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the request came from, as the gateway saw it."""

    ip: str | None = None
    asn: int | None = None
    country: str | None = None
    user_agent: str | None = None
    tls_fingerprint: str | None = None


class Account(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the provider knows of the account's owner."""

    created_at: datetime | None = None
    payment_fingerprint: str | None = None
    email_domain: str | None = None
    plan: str | None = None


class Event(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One logged request. ``account_id`` is verified; ``end_user_id`` is claimed by the client and never acted on."""

    event_id: str
    timestamp: datetime
    account_id: str
    organization_id: str | None = None
    api_key_id: str | None = None
    end_user_id: str | None = None
    session_id: str | None = None
    model: str | None = None
    operation: str | None = None
    system: Content = None
    messages: list[Message] = []
    tools: list[Any] | None = None
    params: Params = msgspec.field(default_factory=Params)
    usage: Usage = msgspec.field(default_factory=Usage)
    response: Any = None
    finish_reason: str | None = None
    status: int | None = None
    latency_ms: float | None = None
    client: Client = msgspec.field(default_factory=Client)
    account: Account = msgspec.field(default_factory=Account)
    extra: dict[str, Any] = {}


def text_of(content: Any) -> str:
    """Plain text of a message's content: a string as it is, text parts joined by newlines, anything else left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, dict):
            text = part.get("text") or part.get("content")
            if isinstance(text, str):
                parts.append(text)
    return "\n".join(parts)
