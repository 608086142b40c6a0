"""Langfuse's SDK from version 3 on, and LiteLLM's callback that uses it: ``langfuse.observation.*``."""

from __future__ import annotations

from detector.formats import chat
from detector.formats.base import first, mapping, parsed, sequence, text
from detector.formats.otlp.content import Attributes, Said, json_object

_PREFIX = "langfuse.observation."
_TYPE = f"{_PREFIX}type"


def is_call(attributes: Attributes) -> bool:
    """True for a generation or an embedding."""
    return attributes.get(_TYPE) in ("generation", "embedding")


def knows(names: tuple[str, ...]) -> bool:
    """True where a record with these names may tell something."""
    return _TYPE in names


def read(attributes: Attributes) -> Said | None:
    """What these names say; None where it is no call."""
    if not is_call(attributes):
        return None
    get = attributes.get
    asked = parsed(get(f"{_PREFIX}input"))
    output = parsed(get(f"{_PREFIX}output"))
    if isinstance(output, list):
        output = next((turn for turn in output if isinstance(turn, dict)), None)
    response, ended = chat.answer(output)
    body = mapping(asked)
    usage = chat.usage(json_object(get(f"{_PREFIX}usage_details")))
    told = json_object(get(f"{_PREFIX}metadata.usage_object"))
    if told:
        details = chat.usage(told)
        usage.reasoning_tokens = details.reasoning_tokens
    in_messages = any(mapping(m).get("role") == "system" for m in sequence(body.get("messages")))
    return Said(
        model=text(first(attributes, (f"{_PREFIX}model.name", f"{_PREFIX}metadata.model_group"))),
        operation="embeddings" if get(_TYPE) == "embedding" else "chat",
        system=None if in_messages else chat.system(body),
        messages=(chat.conversation(body) or chat.messages(body)) if body else chat.messages(asked),
        tools=chat.tools(body.get("tools")),
        params=chat.params(json_object(get(f"{_PREFIX}model.parameters"))),
        usage=usage,
        response=response,
        finish_reason=ended,
        session_id=text(first(attributes, ("session.id", "langfuse.session.id"))),
        end_user_id=text(get(f"{_PREFIX}metadata.user_api_key_end_user_id")),
    )
