"""OpenTelemetry's GenAI conventions, current and former names, and what LiteLLM's callback makes of them."""

from __future__ import annotations

from typing import Any

from detector.event import Message, Params, Usage
from detector.formats import chat
from detector.formats.base import count, first, flag, integer, mapping, number, parsed, sequence, text
from detector.formats.otlp.content import Attributes, Said, fill
from detector.formats.otlp.wire import Record

DETAILS = "gen_ai.client.inference.operation.details"
_MESSAGE_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE = "gen_ai.choice"
_CONTENT_EVENTS = ("gen_ai.content.prompt", "gen_ai.content.completion")  # of spans, before the message events

_RANKS = {name: rank for rank, name in enumerate((*_MESSAGE_EVENTS, CHOICE))}  # among turns of the same time

# Operations that are no call of a model but hold some
_AROUND = ("invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", "plan")
_SIGNS = (
    "gen_ai.operation.name",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
)


def is_call(attributes: Attributes) -> bool:
    """True for a call of a model; a model's name alone also stands on spans around a call."""
    return attributes.get("gen_ai.operation.name") not in _AROUND and any(name in attributes for name in _SIGNS)


def is_part(record: Record) -> bool:
    """True for a log record or span event that holds a turn of a call."""
    return record.name in _MESSAGE_EVENTS or record.name == CHOICE or record.name in _CONTENT_EVENTS


def read(attributes: Attributes) -> Said:
    """What these names say."""
    get = attributes.get
    outputs = sequence(parsed(get("gen_ai.output.messages")))
    last = mapping(outputs[-1]) if outputs else {}
    reasons = parsed(get("gen_ai.response.finish_reasons"))
    params = Params(
        temperature=number(get("gen_ai.request.temperature")),
        top_p=number(get("gen_ai.request.top_p")),
        max_tokens=integer(get("gen_ai.request.max_tokens")),
        n=integer(get("gen_ai.request.choice.count")),
        seed=integer(first(attributes, ("gen_ai.request.seed", "gen_ai.openai.request.seed"))),
        stream=flag(first(attributes, ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"))),
    )
    return Said(
        model=text(first(attributes, ("gen_ai.request.model", "gen_ai.response.model"))),
        operation=chat.operation(get("gen_ai.operation.name")),
        system=chat.system({"system": parsed(get("gen_ai.system_instructions"))}),
        messages=chat.messages(parsed(get("gen_ai.input.messages"))),
        tools=chat.tools(parsed(get("gen_ai.tool.definitions"))),
        params=params,
        usage=_usage(attributes),
        response=chat.turn_answer(last),
        finish_reason=text(reasons[0] if isinstance(reasons, list) and reasons else reasons)
        or text(last.get("finish_reason")),
        session_id=text(first(attributes, ("gen_ai.conversation.id", "session.id"))),
        end_user_id=text(first(attributes, ("gen_ai.user", "llm.user"))),
    )


def _usage(attributes: Attributes) -> Usage:
    prefix = "gen_ai.usage."
    return Usage(
        input_tokens=count(first(attributes, (f"{prefix}input_tokens", f"{prefix}prompt_tokens"))),
        output_tokens=count(first(attributes, (f"{prefix}output_tokens", f"{prefix}completion_tokens"))),
        reasoning_tokens=count(first(attributes, (f"{prefix}reasoning.output_tokens", f"{prefix}reasoning_tokens"))),
        cached_input_tokens=count(
            first(
                attributes,
                (f"{prefix}cache_read.input_tokens", f"{prefix}cache_read_input_tokens", f"{prefix}cached_tokens"),
            )
        ),
    )


def read_parts(parts: list[Record]) -> Said:
    """What the turns in log records or span events say, in the order of their times."""
    said = Said()
    turns: list[Message] = []
    for part in sorted(parts, key=lambda p: (p.start, _RANKS.get(p.name, 0))):
        if part.name in _CONTENT_EVENTS:
            turns += chat.messages(parsed(part.attributes.get("gen_ai.prompt")))
            if said.response is None:
                said.response = _completion(parsed(part.attributes.get("gen_ai.completion")))
            continue
        body = _body(part)
        if part.name == CHOICE:
            if said.response is None and not integer(body.get("index")):
                turn = body.get("message")
                said.response = chat.turn_answer(turn if isinstance(turn, dict) else {"content": turn, **body})
                said.finish_reason = text(body.get("finish_reason"))
        else:
            turns += chat.messages([{"role": _MESSAGE_EVENTS[part.name], **body}])
    return fill(said, Said(messages=turns))


def _body(part: Record) -> dict[str, Any]:
    """The content of a part: a record's body, or a span event's attributes."""
    if isinstance(part.body, dict):
        return part.body
    inner = parsed(first(part.attributes, ("gen_ai.event.content", "content")))
    body = {**part.attributes, **(inner if isinstance(inner, dict) else {"content": inner})}
    for name in ("message", "tool_calls"):
        if name in body:
            body[name] = parsed(body[name])
    if isinstance(part.body, str):
        body["content"] = part.body
    return body


def _completion(value: Any) -> Any:
    turns = value if isinstance(value, list) else [value]
    first_turn = turns[0] if turns else None
    return chat.turn_answer(first_turn) if isinstance(first_turn, dict) else first_turn
