"""Answers logged as the pieces of their stream: put together as the provider would have answered at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.formats import chat, parse_body, streams
from tests.detector.formats import gateways
from tests.detector.formats.bodies import encode
from tests.detector.formats.test_canonical import one

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1788776100, "model": "gpt-4o"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


def chunk(**delta: Any) -> dict[str, Any]:
    """One chunk of a chat completion."""
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def call(number: int, **function: str) -> dict[str, Any]:
    """A chunk with a piece of a tool call."""
    return chunk(tool_calls=[{"index": number, "function": function}])


END = [
    {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {**HEAD, "choices": [], "usage": USAGE},
]
TEXT = [chunk(role="assistant", content=""), chunk(content="Elbe"), chunk(content=" – long."), *END]
TOOLS = [
    chunk(reasoning_content="A "), chunk(reasoning_content="map."),
    call(0, name="find", arguments=""), call(1, name="look", arguments="{}"), call(0, arguments='{"q":'), call(0, arguments="1}"),
    *END,
]  # fmt: skip
ANTHROPIC = [
    {"type": "message_start", "message": {"id": "m1", "model": "claude", "content": [], "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "A map."}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "El"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "be."}},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "name": "find", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"q":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]
DONE = {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Elbe."}]}], "status": "completed"}
RESPONSES = [{"type": "response.output_text.delta", "delta": "El"}, {"type": "response.completed", "response": DONE}]

NAMES = [
    "type", "object", "choices", "delta", "index", "message", "content", "content_block", "usage", "tool_calls", "function", "text"
]  # fmt: skip
CALLS = [{"name": "find", "arguments": '{"q":1}'}, {"name": "look", "arguments": "{}"}]
STREAMS = {
    "text": (TEXT, "Elbe – long.", "stop"),
    "tools": (TOOLS, {"content": "", "tool_calls": CALLS, "reasoning": "A map."}, "stop"),
    "anthropic": (ANTHROPIC, {"content": "Elbe.", "tool_calls": CALLS[:1], "reasoning": "A map."}, "tool_use"),
    "responses": (RESPONSES, "Elbe.", "completed"),
}


def as_lines(pieces: list[dict[str, Any]]) -> str:
    """JSON, one object a line."""
    return "\n".join(map(json.dumps, pieces))


def as_pretty(pieces: list[dict[str, Any]]) -> str:
    """JSON over several lines, as ``to_json`` of OpenAI's library writes it."""
    return "\n".join(json.dumps(piece, indent=2, ensure_ascii=False) for piece in pieces)


def as_events(pieces: list[dict[str, Any]]) -> str:
    """Server-sent events."""
    return "".join(f"event: x\ndata: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"


@pytest.mark.parametrize("write", [as_lines, as_pretty, as_events])
@pytest.mark.parametrize("name", STREAMS)
def test_pieces_are_put_together(name: str, write: Any) -> None:
    """However the pieces are written: the answer and the reason of its end."""
    pieces, answer, ended = STREAMS[name]
    assert chat.answer(streams.whole(write(pieces))) == (answer, ended)


@pytest.mark.parametrize("pieces", [TEXT, ANTHROPIC])
def test_tokens_are_those_of_the_end(pieces: list[dict[str, Any]]) -> None:
    """The usage that a stream tells, at its start or its end, is the answer's."""
    body = streams.whole(as_lines(pieces))
    assert isinstance(body, dict)
    usage = chat.usage(body["usage"])
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)


@pytest.mark.parametrize(
    "text", ["", "Elbe.", "{not json", "data: none", '{"a": 1}\nand more', '{"a": 1}{"b": 2}', '["a"]']
)
def test_what_is_no_stream_stays_text(text: str) -> None:
    """Text is not touched, also where it looks like JSON."""
    assert streams.whole(text) == text


def test_one_object_is_a_body() -> None:
    """An answer that was not streamed, as JSON text."""
    assert streams.whole(json.dumps(gateways.RESPONSE)) == gateways.RESPONSE


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "x", *(p["type"] for p in ANTHROPIC)]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@given(pieces=st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), max_size=3))
def test_any_pieces_can_be_read(pieces: list[dict[str, Any]]) -> None:
    """Whatever the pieces are, nothing fails."""
    mixed = [*pieces, chunk(content="x"), *pieces]
    for text in (as_lines(pieces), as_lines(mixed), as_lines([*ANTHROPIC[:2], *pieces])):
        found = streams.whole(text)
        chat.exchange({}, found)


def test_helicone_streams() -> None:
    """The chunks that Helicone's builder logs are an answer with its tokens."""
    told = {"status": 200, "headers": {"Helicone-User-Id": "acme"}, "json": {}, "textBody": as_lines(TEXT)}
    event = one(parse_body(encode(gateways.helicone(providerResponse=told))))
    assert (event.response, event.finish_reason, event.usage.output_tokens) == ("Elbe – long.", "stop", 4)
