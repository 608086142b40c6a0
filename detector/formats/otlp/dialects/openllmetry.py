"""OpenLLMetry before it took up the GenAI conventions: ``gen_ai.prompt.N``, ``gen_ai.completion.N``, ``llm.*``."""

from __future__ import annotations

from detector.event import Params, Usage
from detector.formats import chat
from detector.formats.base import count, first, flag, integer, number, parsed, text
from detector.formats.otlp.content import Attributes, Said, nested

_PROMPT, _COMPLETION = "gen_ai.prompt.", "gen_ai.completion."
_SIGNS = frozenset({"llm.request.type", f"{_PROMPT}0.content", f"{_COMPLETION}0.content"})


def is_call(attributes: Attributes) -> bool:
    """True for a call of a model."""
    return not _SIGNS.isdisjoint(attributes)


def knows(names: tuple[str, ...]) -> bool:
    """True where a record with these names may tell something."""
    return not _SIGNS.isdisjoint(names) or any(name.startswith((_PROMPT, _COMPLETION)) for name in names)


def read(attributes: Attributes) -> Said | None:
    """What these names say; None where there are none of them."""
    get = attributes.get
    prompts, completions = nested(attributes, _PROMPT), nested(attributes, _COMPLETION)
    if not is_call(attributes) and not prompts and not completions:
        return None
    answer = completions[0] if completions else {}
    functions = [f.get("name") for f in nested(attributes, "llm.request.functions.")]
    return Said(
        model=text(first(attributes, ("llm.request.model", "llm.response.model"))),
        operation=chat.operation(get("llm.request.type")),
        messages=chat.messages(
            [{"role": p.get("role"), "content": parsed(p.get("content")), "tool_calls": _calls(p)} for p in prompts]
        ),
        tools=chat.tools(functions),
        params=Params(
            temperature=number(get("llm.temperature")),
            top_p=number(first(attributes, ("llm.top_p", "gen_ai.request.top_p"))),
            max_tokens=integer(get("llm.request.max_tokens")),
            stream=flag(get("llm.is_streaming")),
        ),
        usage=Usage(
            input_tokens=count(get("llm.usage.prompt_tokens")), output_tokens=count(get("llm.usage.completion_tokens"))
        ),
        response=chat.turn_answer({"content": parsed(answer.get("content")), "tool_calls": _calls(answer)}),
        finish_reason=text(answer.get("finish_reason")),
    )


def _calls(item: Attributes) -> list[Attributes]:
    return [{"name": c.get("name"), "arguments": c.get("arguments")} for c in nested(item, "tool_calls.")]
