"""Each dialect of OpenTelemetry leads to the same event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.event import Event
from detector.formats.otlp import content
from detector.formats.otlp.content import OfNames, Said
from detector.formats.otlp.dialects import DIALECTS
from tests.detector.formats.otlp.requests import ANSWER, CALL, CONTENT, MESSAGES, log, logs, read, span, traces

OWNER = {"tenant.id": "acme"}


def one(*spans: dict[str, Any], **options: Any) -> Event:
    """The only event of a trace."""
    found = read(traces(*spans), **options)
    assert found.rejected == []
    assert len(found.events) == 1
    return found.events[0]


def check(event: Event, *, usage: bool = True, tools: bool = True) -> None:
    """What all dialects of the same call agree on."""
    assert event.timestamp.isoformat() == "2026-09-07T10:15:00.250000+00:00"
    assert (event.account_id, event.model, event.operation, event.status) == ("acme", "gpt-4o", "chat", 200)
    assert [(m.role, m.content) for m in event.messages] == [("system", "Be brief."), ("user", "Name a river.")]
    assert (event.response, event.finish_reason) == ("Elbe.", "stop")
    assert (event.params.temperature, event.params.max_tokens) == (0.5, 99)
    assert event.latency_ms == 750.0
    assert (event.tools == ["lookup"]) is tools
    if usage:
        assert (event.usage.input_tokens, event.usage.output_tokens) == (10, 20)


def test_current_names() -> None:
    """The current conventions, with content as JSON text on the span."""
    event = one(span(1, {**CALL, **CONTENT, **OWNER}))
    check(event)
    assert event.event_id == f"{'ab' * 16}-{1:016x}"
    assert event.params.n == 2
    assert (event.usage.reasoning_tokens, event.usage.cached_input_tokens) == (5, 3)


def test_former_names() -> None:
    """The former names of provider and usage, with flattened prompts."""
    former = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 99,
        "llm.request.type": "chat",
        "llm.is_streaming": "False",
        "llm.user": "claimed",
        "gen_ai.usage.prompt_tokens": 10,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Name a river."}]),
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "Elbe.",
        "gen_ai.completion.0.finish_reason": "stop",
        "llm.request.functions.0.name": "lookup",
    }
    event = one(span(1, {**former, **OWNER}))
    check(event)
    assert (event.end_user_id, event.params.stream) == ("claimed", False)


def test_openinference() -> None:
    """OpenInference's flattened messages and JSON parameters."""
    names = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "llm.invocation_parameters": json.dumps({"temperature": 0.5, "max_tokens": 99, "user": "claimed"}),
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Name a river.",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Elbe.",
        "llm.tools.0.tool.json_schema": json.dumps({"type": "function", "function": {"name": "lookup"}}),
        "llm.finish_reason": "stop",
        "llm.token_count.prompt": 10,
        "llm.token_count.completion": 20,
        "session.id": "s1",
    }
    event = one(span(1, {**names, **OWNER}))
    check(event)
    assert (event.session_id, event.end_user_id) == ("s1", "claimed")
    chain = {**names, "openinference.span.kind": "CHAIN"}
    assert read(traces(span(1, chain))).events == []


def test_openinference_bodies() -> None:
    """Where the messages are not flattened, the bodies in ``input.value`` and ``output.value`` are read."""
    request = {
        "model": "gpt-4o",
        "temperature": 0.5,
        "max_tokens": 99,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."}],
        "tools": [{"type": "function", "function": {"name": "lookup"}}],
    }
    response = {"choices": [{"message": {"role": "assistant", "content": "Elbe."}, "finish_reason": "stop"}]}
    names = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "input.value": json.dumps(request),
        "output.value": json.dumps(response),
    }
    check(one(span(1, {**names, **OWNER})), usage=False)


def test_langfuse() -> None:
    """Langfuse's SDK, as LiteLLM's callback uses it: the key's owner is the account, ``user.id`` a claim."""
    prefix = "langfuse.observation."
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."}]
    names = {
        f"{prefix}type": "generation",
        f"{prefix}input": json.dumps({"messages": messages, "tools": [{"function": {"name": "lookup"}}]}),
        f"{prefix}output": json.dumps({"role": "assistant", "content": "Elbe.", "finish_reason": "stop"}),
        f"{prefix}model.name": "gpt-4o",
        f"{prefix}model.parameters": json.dumps({"temperature": 0.5, "max_tokens": 99}),
        f"{prefix}usage_details": json.dumps({"input": 10, "output": 20, "cache_read_input_tokens": 3}),
        f"{prefix}metadata.user_api_key_user_id": "acme",
        f"{prefix}metadata.user_api_key_hash": "0f" * 32,
        f"{prefix}metadata.requester_ip_address": "198.51.100.9",
        "user.id": "claimed",
    }
    event = one(span(1, names))
    check(event)
    assert (event.end_user_id, event.api_key_id, event.client.ip) == ("claimed", "0f" * 32, "198.51.100.9")


def test_cloudflare() -> None:
    """Cloudflare's bodies as JSON text; its bare attributes name the account only where that is configured."""
    request = {
        "temperature": 0.5,
        "max_tokens": 99,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."}],
        "tools": [{"function": {"name": "lookup"}}],
    }
    response = {"choices": [{"message": {"content": "Elbe."}, "finish_reason": "stop"}]}
    names = {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.model.provider": "openai",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.prompt_json": json.dumps(request),
        "gen_ai.completion_json": json.dumps(response),
        "team": "acme",
    }
    assert "configure the attribute" in read(traces(span(1, names))).rejected[0].error
    check(one(span(1, names), account_attributes=["team"]))


def test_vercel_and_mlflow() -> None:
    """The AI SDK's and MLflow's names are read as well."""
    vercel = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": "gpt-4o",
        "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]),
        "ai.response.text": "Hello",
        "ai.usage.promptTokens": 3,
        **OWNER,
    }
    event = one(span(1, vercel))
    assert (event.model, event.messages[0].content, event.response) == ("gpt-4o", "Hi", "Hello")
    mlflow = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}),
        "mlflow.spanOutputs": json.dumps({"choices": [{"message": {"content": "Hello"}}]}),
        **OWNER,
    }
    event = one(span(1, mlflow))
    assert (event.model, event.messages[0].content, event.response) == ("m", "Hi", "Hello")


def test_tool_calls() -> None:
    """Tool calls and results within the parts of messages become turns and answers."""
    turns = [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "w", "arguments": {"c": "x"}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "result": "sunny"}]},
    ]
    answer = [{"role": "assistant", "parts": [{"type": "tool_call", "name": "w", "arguments": {}}]}]
    names = {"gen_ai.input.messages": json.dumps(turns), "gen_ai.output.messages": json.dumps(answer)}
    event = one(span(1, {**CALL, **names, **OWNER}))
    assert [(m.role, m.content) for m in event.messages] == [("user", "Weather?"), ("assistant", ""), ("tool", "sunny")]
    assert event.messages[1].tool_calls == [{"name": "w", "arguments": {"c": "x"}}]
    assert event.response == {"content": "", "tool_calls": [{"name": "w", "arguments": {}}]}


def test_details_in_a_log_record() -> None:
    """The event of the current conventions holds structured values; alone it is the whole call."""
    content = {"gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": ANSWER}
    record = log(1, "gen_ai.client.inference.operation.details", {**CALL, **content, **OWNER})
    (event,) = read(logs(record)).events
    assert [(m.role, m.content) for m in event.messages] == [("system", "Be brief."), ("user", "Name a river.")]
    assert (event.response, event.model, event.usage.output_tokens) == ("Elbe.", "gpt-4o", 20)


def test_span_events() -> None:
    """Turns as events of the span, as some instrumentations have them."""
    events = [
        {"name": "gen_ai.user.message", "timeUnixNano": "1", "attributes": [_text("content", "Name a river.")]},
        {
            "name": "gen_ai.choice",
            "timeUnixNano": "2",
            "attributes": [_text("message", json.dumps({"content": "Elbe."})), _text("finish_reason", "stop")],
        },
    ]
    event = one(span(1, {**CALL, **OWNER}, events=events))
    assert ([m.content for m in event.messages], event.response) == (["Name a river."], "Elbe.")


def _text(key: str, text: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": text}}


@pytest.mark.parametrize("name", ["execute_tool", "invoke_agent"])
def test_spans_around_calls_are_none(name: str) -> None:
    """Tools and agents are no calls of a model, nor are ordinary spans; none of them is an error."""
    around = span(1, {**CALL, "gen_ai.operation.name": name})
    assert read(traces(around, span(2, {"http.route": "/x"}))) == read(traces())


def test_failure() -> None:
    """A failed call has its status."""
    failed = {"status": {"code": 2}}
    assert one(span(1, {**CALL, **OWNER}, **failed)).status == 500
    assert one(span(1, {**CALL, **OWNER, "error.type": "429"}, **failed)).status == 429


def test_access_log_outside_of_traces() -> None:
    """A log record with GenAI attributes and no trace is an event; sent again, it is the same one."""
    row = {**CALL, **OWNER, "response_code": 200}
    record = {k: v for k, v in log(1, "", row).items() if k not in ("traceId", "spanId")}
    (event,) = read(logs(record)).events
    assert (event.account_id, event.model, event.usage.output_tokens, event.status) == ("acme", "gpt-4o", 20, 200)
    assert read(logs(record, record)).events == [event]


_TOLD = st.dictionaries(
    st.sampled_from(
        [
            *CALL,
            *CONTENT,
            "openinference.span.kind",
            "llm.model_name",
            "llm.input_messages.0.message.content",
            "input.value",
            "langfuse.observation.type",
            "langfuse.observation.input",
            "llm.request.type",
            "gen_ai.prompt.0.content",
            "gen_ai.prompt.user",
            "gen_ai.completion.0.content",
            "gen_ai.prompt_json",
            "gen_ai.completion_json",
            "gen_ai.model.provider",
            "ai.operationId",
            "ai.prompt",
            "mlflow.spanType",
            "mlflow.spanInputs",
            "traceloop.entity.input",
            "session.id",
            "http.route",
        ]
    ),
    st.sampled_from(
        ["LLM", "generation", "chat", "CHAT_MODEL", "ai.streamText.doStream", "[]", '{"a": 1}', "", "x", 3]
    ),
    max_size=6,
)


@given(told=_TOLD)
def test_who_does_not_know_the_names_has_nothing_to_say(told: dict[str, Any]) -> None:
    """A dialect that is not asked, for a record's names are none of its own, would have told nothing of it."""
    for dialect in DIALECTS:
        if not dialect.knows(tuple(told)):
            assert not dialect.is_call(told)
            assert dialect.read(told) in (None, Said())


def test_what_names_decide_is_found_once_and_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same names are asked for once; names that are new each time push each other out, the longest are not kept."""
    asked: list[tuple[str, ...]] = []

    def size(names: tuple[str, ...]) -> int:
        asked.append(names)
        return len(names)

    of_names = OfNames(size)
    assert [of_names({"a": 1, "b": 2}), of_names({"a": 3, "b": 4}), of_names({"ab": 1})] == [2, 2, 1]
    assert asked == [("a", "b"), ("ab",)]
    monkeypatch.setattr(content, "MAX_REMEMBERED", 100_000)
    for number in range(1000):
        assert of_names({f"name{number}": 0}) == 1
        assert len(of_names._found) < 200
    before = len(of_names._found)
    assert (of_names({"x" * 200_000: 0}), len(of_names._found) <= before) == (1, True)
