"""Names of other makers: Vercel's AI SDK, MLflow, and Traceloop's entities."""

from __future__ import annotations

from typing import Any

from detector.event import Params, Usage
from detector.formats import chat
from detector.formats.base import count, first, integer, mapping, number, parsed, text
from detector.formats.otlp.content import Attributes, Said

_CALLS = (
    "ai.generateText.doGenerate",
    "ai.streamText.doStream",
    "ai.generateObject.doGenerate",
    "ai.streamObject.doStream",
)
_BODIES = (("mlflow.spanInputs", "mlflow.spanOutputs"), ("traceloop.entity.input", "traceloop.entity.output"))
_OPERATION, _TYPE = "ai.operationId", "mlflow.spanType"
_SIGNS = frozenset({_OPERATION, _TYPE, *(asked for asked, _ in _BODIES)})


def is_call(attributes: Attributes) -> bool:
    """True for the innermost span of a call."""
    return attributes.get(_OPERATION) in _CALLS or str(attributes.get(_TYPE)).strip('"') in ("CHAT_MODEL", "LLM")


def knows(names: tuple[str, ...]) -> bool:
    """True where a record with these names may tell something."""
    return not _SIGNS.isdisjoint(names)


def read(attributes: Attributes) -> Said | None:
    """What these names say; None where there are none of them."""
    if _OPERATION in attributes:
        return _vercel(attributes)
    for asked_name, answered_name in _BODIES:
        if asked_name in attributes:
            asked, answered = parsed(attributes[asked_name]), parsed(attributes.get(answered_name))
            if isinstance(asked, dict) and "kwargs" in asked:
                asked = mapping(asked["kwargs"])
            return Said(**chat.exchange(asked, answered))
    return None


def _vercel(attributes: Attributes) -> Said:
    get = attributes.get
    answer: dict[str, Any] = {"content": get("ai.response.text"), "tool_calls": parsed(get("ai.response.toolCalls"))}
    prompt = parsed(first(attributes, ("ai.prompt.messages", "ai.prompt")))
    return Said(
        model=text(get("ai.model.id")),
        operation="chat",
        system=chat.system(mapping(prompt)),
        messages=chat.messages(prompt),
        tools=chat.tools(parsed(get("ai.prompt.tools"))),
        params=Params(
            temperature=number(get("ai.settings.temperature")), max_tokens=integer(get("ai.settings.maxOutputTokens"))
        ),
        usage=Usage(
            input_tokens=count(first(attributes, ("ai.usage.promptTokens", "ai.usage.inputTokens"))),
            output_tokens=count(first(attributes, ("ai.usage.completionTokens", "ai.usage.outputTokens"))),
        ),
        response=chat.turn_answer(answer),
        finish_reason=text(get("ai.response.finishReason")),
    )
