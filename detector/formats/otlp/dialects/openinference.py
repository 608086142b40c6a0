"""OpenInference (Arize Phoenix, Envoy AI Gateway): flattened messages under ``llm.``, bodies in ``input.value``."""

from __future__ import annotations

from typing import Any

from detector.event import Usage
from detector.formats import chat
from detector.formats.base import count, first, mapping, parsed, text
from detector.formats.otlp.content import Attributes, OfNames, Said, json_object, nested

_KIND = "openinference.span.kind"

_MODEL = "llm.model_name"

_TELLING = ("llm.", "input.value", "output.value")
_has_more = OfNames(lambda names: any(name.startswith(_TELLING) for name in names))  # than the kind


def is_call(attributes: Attributes) -> bool:
    """True for a span of the kind LLM or EMBEDDING."""
    return attributes.get(_KIND) in ("LLM", "EMBEDDING")


def knows(names: tuple[str, ...]) -> bool:
    """True where a record with these names may tell something."""
    return _KIND in names or _MODEL in names


def read(attributes: Attributes) -> Said | None:
    """What these names say; None where there are none of them."""
    if _KIND not in attributes and _MODEL not in attributes:
        return None
    get = attributes.get
    if text(get("gen_ai.operation.name")) and not _has_more(attributes):
        return None  # the kind alone, written beside another dialect
    asked = json_object(get("llm.invocation_parameters"))
    request, answered = parsed(get("input.value")), parsed(get("output.value"))
    turns = [_turn(m) for m in nested(attributes, "llm.input_messages.")]
    outputs = nested(attributes, "llm.output_messages.")
    response, ended = chat.answer(answered)
    if outputs:
        response = chat.turn_answer(_turn(outputs[0]))
    body = mapping(request)
    tools = [json_object(t.get("tool.json_schema")) for t in nested(attributes, "llm.tools.")]
    return Said(
        model=text(first({**asked, "llm": get(_MODEL)}, ("model", "llm"))),
        operation=_operation(attributes),
        system=None if turns else chat.system(body),
        messages=chat.messages(turns) if turns else _asked(request),
        tools=chat.tools(tools) or chat.tools(body.get("tools")),
        params=chat.params({**body, **asked}),
        usage=Usage(
            input_tokens=count(get("llm.token_count.prompt")),
            output_tokens=count(get("llm.token_count.completion")),
            reasoning_tokens=count(get("llm.token_count.completion_details.reasoning")),
            cached_input_tokens=count(get("llm.token_count.prompt_details.cache_read")),
        ),
        response=response,
        finish_reason=text(get("llm.finish_reason")) or ended,
        session_id=text(get("session.id")),
        end_user_id=text(first({**body, **asked}, ("safety_identifier", "user"))),
    )


def _operation(attributes: Attributes) -> str:
    return "embeddings" if attributes.get(_KIND) == "EMBEDDING" else "chat"


def _asked(request: Any) -> list[Any]:
    return chat.conversation(request) if isinstance(request, dict) else chat.messages(request)


def _turn(item: Attributes) -> dict[str, Any]:
    """A flattened message as a message."""
    message = {k.removeprefix("message."): v for k, v in item.items()}
    parts = [
        {"type": p.get("message_content.type", "text"), "text": p.get("message_content.text")}
        for p in nested(message, "contents.")
    ]
    calls = [
        {"name": c.get("tool_call.function.name"), "arguments": c.get("tool_call.function.arguments")}
        for c in nested(message, "tool_calls.")
    ]
    content = message.get("content")
    return {
        "role": message.get("role"),
        "content": parts if content is None and parts else content,
        "tool_calls": calls,
    }
