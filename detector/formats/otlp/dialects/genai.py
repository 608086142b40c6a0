"""OpenTelemetry's GenAI conventions, current and former names, and what LiteLLM's callback makes of them."""

from __future__ import annotations

from typing import Any

import msgspec

from detector.event import Message
from detector.formats import chat
from detector.formats.base import count, first, flag, integer, mapping, number, parsed, sequence, text
from detector.formats.otlp.content import Attributes, Plain, Said, fill
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

_OUTPUTS = "gen_ai.output.messages"
# Operations that are no call of a model but hold some
_AROUND = ("invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", "plan")
_SIGNS = frozenset(
    {
        "gen_ai.operation.name",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.input.messages",
        _OUTPUTS,
    }
)


class _Text(msgspec.Struct, tag="text", forbid_unknown_fields=True, gc=False):
    content: str


class _Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A turn of texts."""

    role: str
    parts: list[_Text]
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        """All of them."""
        return "\n".join([part.content for part in self.parts if part.content])


_TURNS = msgspec.json.Decoder(list[_Turn])


def is_call(attributes: Attributes) -> bool:
    """True for a call of a model; a model's name alone also stands on spans around a call."""
    return attributes.get("gen_ai.operation.name") not in _AROUND and not _SIGNS.isdisjoint(attributes)


def knows(names: tuple[str, ...]) -> bool:
    """True where a record with these names may tell something."""
    return not (_SIGNS.isdisjoint(names) and _PLAIN.names.isdisjoint(names))


def is_part(record: Record) -> bool:
    """True for a log record or span event that holds a turn of a call."""
    return record.name in _MESSAGE_EVENTS or record.name == CHOICE or record.name in _CONTENT_EVENTS


def read(attributes: Attributes) -> Said | None:
    """What these names say; None where there are none of them."""
    said = _PLAIN.read(attributes)
    answered = attributes.get(_OUTPUTS)
    if answered and (turns := _texts(answered)):
        said = said or Said()
        said.response = turns[-1].text or None
        said.finish_reason = said.finish_reason or text(turns[-1].finish_reason)
    elif outputs := sequence(parsed(answered)):
        said = said or Said()
        last = mapping(outputs[-1])
        said.response = chat.turn_answer(last)
        said.finish_reason = said.finish_reason or text(last.get("finish_reason"))
    return said


def _texts(value: Any) -> list[_Turn] | None:
    """Turns that hold text and nothing else, which most do: read several times as fast. None where there is more to them."""
    try:
        return _TURNS.decode(value) if type(value) is str else None
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _asked(value: Any) -> list[Message]:
    turns = _texts(value)
    if turns is None:
        return chat.messages(parsed(value))
    return [Message(role=chat.role(turn.role), content=turn.text) for turn in turns]


def _ended(value: Any) -> str | None:
    reasons = parsed(value)
    return text(reasons[0] if isinstance(reasons, list) and reasons else reasons)


_PLAIN = Plain(
    said={
        "model": (text, "gen_ai.request.model", "gen_ai.response.model"),
        "operation": (chat.operation, "gen_ai.operation.name"),
        "system": (lambda value: chat.system({"system": parsed(value)}), "gen_ai.system_instructions"),
        "messages": (_asked, "gen_ai.input.messages"),
        "tools": (lambda value: chat.tools(parsed(value)), "gen_ai.tool.definitions"),
        "finish_reason": (_ended, "gen_ai.response.finish_reasons"),
        "session_id": (text, "gen_ai.conversation.id", "session.id"),
        "end_user_id": (text, "gen_ai.user", "llm.user"),
    },
    params={
        "temperature": (number, "gen_ai.request.temperature"),
        "top_p": (number, "gen_ai.request.top_p"),
        "max_tokens": (integer, "gen_ai.request.max_tokens"),
        "n": (integer, "gen_ai.request.choice.count"),
        "seed": (integer, "gen_ai.request.seed", "gen_ai.openai.request.seed"),
        "stream": (flag, "gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"),
    },
    usage={
        "input_tokens": (count, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": (count, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "reasoning_tokens": (count, "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        "cached_input_tokens": (
            count,
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.cached_tokens",
        ),
    },
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
