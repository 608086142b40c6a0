"""Requests and answers as providers shape them, which most gateways log unchanged.

Chat completions, the Responses API, Anthropic's messages, legacy completions, Gemini's contents, and the message parts
of OpenTelemetry's GenAI conventions are read by the same few functions, for no format says which of them it holds.
What is malformed is left out rather than refused: a client chooses these values and must not escape a log by them.
"""

from __future__ import annotations

from typing import Any

from detector.event import Content, Message, Params, Usage, text_of
from detector.formats.base import count, first, flag, integer, mapping, number, sequence, text

_OPERATIONS = {
    "acompletion": "chat",
    "completion": "chat",
    "chat_completion": "chat",
    "chatcomplete": "chat",
    "chat_completions": "chat",
    "anthropic_messages": "chat",
    "messages": "chat",
    "atext_completion": "text_completion",
    "complete": "text_completion",
    "aembedding": "embeddings",
    "embedding": "embeddings",
    "embed": "embeddings",
    "aresponses": "responses",
}
_CONTENT_ROLES = {"ai": "assistant", "model": "assistant", "human": "user", "bot": "assistant"}
_TEXT_PARTS = ("text", "input_text", "output_text")
MAX_ROLE_CHARS = 64
MAX_TEMPERATURE = 1e6  # bounds what sums of settings can reach


def operation(value: Any) -> str | None:
    """The kind of request by OpenTelemetry's names, where it is known, else as given."""
    name = text(value)
    return _OPERATIONS.get(name.lower(), name) if name else None


def messages(value: Any) -> list[Message]:
    """The turns of a conversation: an array of messages, one message, or a bare prompt."""
    if isinstance(value, str):
        return [Message(role="user", content=value)] if value else []
    if isinstance(value, dict):
        value = value.get("messages") if isinstance(value.get("messages"), list) else [value]
    found: list[Message] = []
    for item in sequence(value):
        if isinstance(item, str):
            found.append(Message(role="user", content=item))
        elif isinstance(item, dict):
            found += _turns(item)
    return found


def _turns(item: dict[str, Any]) -> list[Message]:
    """The turns of one array element; a part with a tool's result is a turn of its own."""
    kind = item.get("type")
    if kind in ("function_call", "custom_tool_call"):
        return [Message(role="assistant", tool_calls=[_call(item)])]
    if kind in ("function_call_output", "custom_tool_call_output"):
        return [Message(role="tool", content=_content(item.get("output")))]
    if kind == "reasoning":
        return []
    content = item.get("content")
    if content is None and isinstance(item.get("parts"), list):
        content = item["parts"]
    asked = item.get("tool_calls")
    calls = [_call(c) for c in sequence(asked) if isinstance(c, dict)] if asked else []
    results: list[Message] = []
    if isinstance(content, list):
        kept = []
        for part in content:
            fields = mapping(part)
            named = fields.get("type")
            if named in ("tool_call", "tool_use") or fields.get("functionCall"):
                calls.append(_call(part))
            elif named in ("tool_call_response", "tool_result"):
                output = first(part, ("result", "response", "content"))
                results.append(Message(role="tool", content=_content(output)))
            else:
                kept.append(part)
        content = kept
    turn = Message(role=role(item.get("role")), content=_content(content), tool_calls=calls or None)
    return [*results, turn] if turn.content or calls or not results else results


def role(value: Any) -> str:
    """Who speaks, by the usual names."""
    name = text(value, MAX_ROLE_CHARS) or "user"
    return _CONTENT_ROLES.get(name, name)


def _content(value: Any) -> Content:
    """Content as text where all its parts are text."""
    if type(value) is str:
        return value
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list) and all(isinstance(p, str) or _is_text(p) for p in value):
        return text_of(value)
    return value if isinstance(value, str | list) else None


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and (part.get("type") in _TEXT_PARTS or set(part) == {"text"})


def _call(item: Any) -> dict[str, Any]:
    """A tool call by name and arguments, from any of the shapes."""
    inner = mapping(first(item, ("function", "functionCall", "custom"))) or item
    return {
        "name": text(inner.get("name")) or "",
        "arguments": first(inner, ("arguments", "input", "args")),
    }


def system(body: dict[str, Any]) -> Content:
    """System text that stands beside the messages (Anthropic, Responses API, Gemini)."""
    value = first(body, ("system", "instructions", "systemInstruction", "system_instruction"))
    if isinstance(value, dict):
        value = value.get("parts") or value
    return _content(value)


def conversation(body: dict[str, Any]) -> list[Message]:
    """The turns of a request body."""
    return messages(first(body, ("messages", "input", "prompt", "contents")))


def exchange(request: Any, response: Any) -> dict[str, Any]:
    """The fields of an event that the bodies of a request and its answer tell."""
    asked, answered = mapping(request), mapping(response)
    turns = conversation(asked) if isinstance(request, dict) else messages(request)
    said, ended = answer(response)
    return {
        "model": text(first(asked, ("model", "modelId")) or answered.get("model")),
        "end_user_id": text(
            first({**mapping(asked.get("metadata")), **asked}, ("safety_identifier", "user", "user_id"))
        ),
        "system": system(asked),
        "messages": turns,
        "tools": tools(first(asked, ("tools", "functions"))),
        "params": params(asked),
        "usage": usage(first(answered, ("usage", "usageMetadata"))),
        "response": said,
        "finish_reason": ended,
    }


def tools(value: Any) -> list[Any] | None:
    """Names of the tools a request offers."""
    names = []
    for tool in sequence(value):
        if isinstance(tool, str):
            names.append(tool)
        elif isinstance(tool, dict):
            declared = tool.get("functionDeclarations")
            if isinstance(declared, list):
                names += tools(declared) or []
                continue
            name = first(mapping(tool.get("function")) or tool, ("name", "type"))
            if isinstance(name, str):
                names.append(name)
    return names or None


def params(body: dict[str, Any]) -> Params:
    """Sampling parameters of a request body."""
    inner = mapping(first(body, ("generationConfig", "generation_config", "sampling_params")))
    source = {**body, **inner} if inner else body
    bias = mapping(source.get("logit_bias"))
    steered = {str(k): n for k, v in bias.items() if (n := number(v)) is not None}
    logprobs = source.get("logprobs")
    return Params(
        temperature=_setting(source.get("temperature")),
        top_p=_setting(first(source, ("top_p", "topP"))),
        max_tokens=integer(
            first(
                source,
                (
                    "max_tokens",
                    "max_completion_tokens",
                    "max_output_tokens",
                    "maxOutputTokens",
                    "max_new_tokens",
                    "maxTokens",
                ),
            )
        ),
        n=integer(first(source, ("n", "candidateCount", "candidate_count"))),
        logprobs=logprobs if isinstance(logprobs, bool) else integer(logprobs),
        top_logprobs=integer(source.get("top_logprobs")),
        logit_bias=steered or None,
        seed=integer(source.get("seed")),
        stream=flag(source.get("stream")),
    )


def _setting(value: Any) -> float | None:
    found = number(value)
    return found if found is not None and abs(found) <= MAX_TEMPERATURE else None


def usage(value: Any) -> Usage:
    """Token counts, by any provider's names."""
    source = mapping(value)
    out = mapping(first(source, ("completion_tokens_details", "output_tokens_details")))
    into = mapping(first(source, ("prompt_tokens_details", "input_tokens_details")))
    return Usage(
        input_tokens=count(
            first(source, ("prompt_tokens", "input_tokens", "promptTokenCount", "promptTokens", "input"))
        ),
        output_tokens=count(
            first(source, ("completion_tokens", "output_tokens", "candidatesTokenCount", "completionTokens", "output"))
        ),
        reasoning_tokens=count(first({**source, **out}, ("reasoning_tokens", "thoughtsTokenCount"))),
        cached_input_tokens=count(
            first({**source, **into}, ("cached_tokens", "cache_read_input_tokens", "cachedContentTokenCount"))
        ),
    )


def answer(body: Any) -> tuple[Any, str | None]:
    """The answer of a response body and why it ended.

    Plain text where that is all; with tool calls or reasoning an object ``{"content", "tool_calls", "reasoning"}``.
    """
    if not isinstance(body, dict):
        return (body if isinstance(body, str) and body else None), None
    choices = first(body, ("choices", "candidates"))
    if isinstance(choices, list):
        choice = next((c for c in choices if isinstance(c, dict)), {})
        ended = first(choice, ("finish_reason", "finishReason"))
        inner = first(choice, ("message", "delta", "content"))
        turn = inner if isinstance(inner, dict) else {"content": choice.get("text")}
        return turn_answer(turn), text(ended)
    ended = first(body, ("stop_reason", "finish_reason", "status"))
    if isinstance(body.get("output"), list):
        turns = [item for item in body["output"] if isinstance(item, dict)]
        return _joined(turns), text(ended)
    return turn_answer(mapping(body.get("message")) or body), text(ended)


def _joined(turns: list[dict[str, Any]]) -> Any:
    """One answer from the items of the Responses API."""
    texts = [found for t in turns if t.get("type", "message") == "message" and (found := text_of(t.get("content")))]
    calls = [t for t in turns if t.get("type") in ("function_call", "custom_tool_call")]
    thoughts = [text_of(t.get("summary") or t.get("content")) for t in turns if t.get("type") == "reasoning"]
    return turn_answer(
        {"content": "\n".join(texts), "tool_calls": calls, "reasoning": "\n".join(filter(None, thoughts))}
    )


def turn_answer(turn: dict[str, Any]) -> Any:
    """The answer in one assistant's message."""
    content, calls, thoughts = [], [_call(c) for c in sequence(turn.get("tool_calls")) if isinstance(c, dict)], []
    parts = first(turn, ("content", "parts"))
    for part in parts if isinstance(parts, list) else [parts]:
        fields = mapping(part)
        kind = fields.get("type")
        if isinstance(part, str):
            content.append(part)
        elif kind in ("tool_use", "tool_call") or fields.get("functionCall"):
            calls.append(_call(part))
        elif kind in ("thinking", "reasoning") or fields.get("thought") is True:
            thoughts.append(first(part, ("thinking", "content", "text")))
        elif isinstance(part, dict):
            content.append(first(part, ("text", "content")))
    content = [t for t in content if isinstance(t, str) and t]
    thoughts.append(first(turn, ("reasoning_content", "reasoning")))
    thoughts = [t for t in thoughts if isinstance(t, str) and t]
    found = "\n".join(content) or None
    if not calls and not thoughts:
        return found
    whole: dict[str, Any] = {"content": found or ""}
    if calls:
        whole["tool_calls"] = calls
    if thoughts:
        whole["reasoning"] = "\n".join(thoughts)
    return whole
