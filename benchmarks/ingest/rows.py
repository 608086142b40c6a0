"""The rows: calls of about 3 kB, the same ones as JSON of our own format and as OTLP spans, each time with fresh ids."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.event import Event, Message, Params, Usage

SEED = 3
TEXT = """the harbour light falls on water and a crane lifts what ships bring from other coasts while clerks count crates
by hand before noon so that trains may leave on time with grain copper cloth tea and letters for towns along the river"""
WORDS = TEXT.split()
PROMPT_WORDS, ANSWER_WORDS, LINE_WORDS = 150, 300, 15


class Body:
    """A request body whose ids are written anew each time it is sent."""

    def __init__(self, data: bytes, ids: Sequence[bytes], as_hex: bool) -> None:
        self._data = bytearray(data)
        self._as_hex = as_hex
        self._places = []
        at = 0
        for one in ids:
            at = data.index(one, at)
            self._places.append((at, at + len(one)))

    def fresh(self) -> bytes:
        """The body with ids never sent before."""
        random_bytes = os.urandom(sum(end - start for start, end in self._places) // (2 if self._as_hex else 1))
        ids = random_bytes.hex().encode() if self._as_hex else random_bytes
        at = 0
        for start, end in self._places:
            self._data[start:end] = ids[at : at + end - start]
            at += end - start
        return bytes(self._data)


def bodies(size: int) -> tuple[Body, Body]:
    """A batch as a JSON array of our own format, and as an OTLP request of spans."""
    chance = random.Random(SEED)
    calls = [(_text(chance, PROMPT_WORDS), _text(chance, ANSWER_WORDS)) for _ in range(size)]
    return _canonical(calls), _otlp(calls)


def _text(chance: random.Random, words: int) -> str:
    lines = [" ".join(chance.choices(WORDS, k=LINE_WORDS)) for _ in range(words // LINE_WORDS)]
    return "\n".join(lines)


def _canonical(calls: Sequence[tuple[str, str]]) -> Body:
    now = datetime.now(UTC)
    ids = [f"{n:032x}" for n in range(1, len(calls) + 1)]
    rows = [
        Event(
            event_id=event_id, timestamp=now, account_id=f"acct_{n % 50}", model="gpt-4o", operation="chat",
            messages=[Message(content=prompt)], response=answer, finish_reason="stop",
            params=Params(temperature=0.7, max_tokens=1024), usage=Usage(input_tokens=200, output_tokens=400),
        )
        for n, (event_id, (prompt, answer)) in enumerate(zip(ids, calls, strict=True))
    ]  # fmt: skip
    return Body(msgspec.json.encode(rows), [i.encode() for i in ids], as_hex=True)


def _otlp(calls: Sequence[tuple[str, str]]) -> Body:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    now = time.time_ns()
    ids: list[bytes] = []
    for n, (prompt, answer) in enumerate(calls):
        trace, span = n.to_bytes(16, "big"), n.to_bytes(8, "big")
        trace, span = b"\xfe" + trace[1:], b"\xfd" + span[1:]
        ids += [trace, span]
        one = spans.add(trace_id=trace, span_id=span, name="chat gpt-4o", kind=3, start_time_unix_nano=now)
        one.end_time_unix_nano = now + 1_000_000_000
        for key, value in _attributes(n, prompt, answer):
            found = one.attributes.add(key=key).value
            if isinstance(value, int):
                found.int_value = value
            else:
                found.string_value = value
    return Body(request.SerializeToString(), ids, as_hex=False)


def _attributes(number: int, prompt: str, answer: str) -> Iterator[tuple[str, str | int]]:
    def message(role: str, text: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    yield "gen_ai.operation.name", "chat"
    yield "gen_ai.provider.name", "openai"
    yield "gen_ai.request.model", "gpt-4o"
    yield "openinference.span.kind", "LLM"
    yield "tenant.id", f"acct_{number % 50}"
    yield "gen_ai.input.messages", message("user", prompt)
    yield "gen_ai.output.messages", message("assistant", answer)
    yield "gen_ai.usage.input_tokens", 200
    yield "gen_ai.usage.output_tokens", 400
