"""The canonical event: one logged request to a model.

Field names follow the OpenTelemetry GenAI conventions where they have one. Only the first three fields are required.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Content = str | list[Any] | None

MAX_ID_CHARS = 256  # longer than any known id; bounds what an index must hold
MAX_NESTING = 8  # of parts within parts; providers accept two or three levels
MAX_COUNT = 2**53  # what a JSON number holds exactly; larger counts are errors, and would overflow sums

# Events are made of JSON and hold no cycles: without the garbage collector's eye on each (gc=False) reading is half again
# as fast. Bounds are checked where events are decoded, not where they are made in code.
Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Whole = Annotated[int, Meta(ge=-MAX_COUNT, le=MAX_COUNT)]  # some servers read -1 as "no limit"


class Message(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One turn of the conversation; ``content`` is text or a list of parts, as providers accept both."""

    role: str = msgspec.field(default_factory=lambda: "user")  # written out even where it is the default
    content: Content = None
    tool_calls: list[Any] | None = None


class Params(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Sampling parameters of the request."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: Whole | None = None
    n: Whole | None = None
    logprobs: bool | int | None = None
    top_logprobs: Whole | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    stream: bool | None = None


class Usage(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Token counts as billed."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    cached_input_tokens: Count | None = None


class Client(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Where the request came from, as the gateway saw it."""

    ip: str | None = None
    asn: Count | None = None
    country: str | None = None
    user_agent: str | None = None
    tls_fingerprint: str | None = None


class Account(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What the provider knows of the account's owner."""

    created_at: datetime | None = None
    payment_fingerprint: str | None = None
    email_domain: str | None = None
    plan: str | None = None


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One logged request. ``account_id`` is verified; ``end_user_id`` is claimed by the client and never acted on."""

    event_id: Id
    timestamp: datetime
    account_id: Id
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
    status: Whole | None = None
    latency_ms: float | None = None
    client: Client = msgspec.field(default_factory=Client)
    account: Account = msgspec.field(default_factory=Account)
    extra: dict[str, Any] = {}


def text_of(content: Any) -> str:
    """Plain text of a message's content: a string as it is, text parts joined by newlines, anything else left out.

    Parts may hold parts (tool results, documents given as text), up to MAX_NESTING deep.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(_texts(content, MAX_NESTING))


def _texts(parts: list[Any], depth: int) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            if depth:
                yield from _texts(part, depth - 1)
        elif isinstance(part, dict):
            text = part.get("text") or part.get("content") or part.get("source")
            if isinstance(text, dict):  # a wrapped text; a document whose source is plain text
                text = text.get("value") or (text.get("data") if text.get("type") == "text" else None)
            if isinstance(text, str):
                yield text
            elif isinstance(text, list) and depth:
                yield from _texts(text, depth - 1)
