"""Per-event features: everything the detector ever learns of a request, with no state kept between requests.

A *FeatureFrame* is a polars frame with one row an event (:data:`COLUMNS`). It holds hashes, counts and a quantised
embedding, never text, so that an account under zero data retention is profiled without storing a word.

Conversation state. ``state`` hashes the system prompt and all user turns so far, ``parent`` the same without the last
user turn. The two sets alone tell follow-ups (parent seen before), rollouts (same state again), restarts (same parent
again) and replayed sessions (parent never seen), whatever order the rows come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from detector import ragged
from detector.canonical_text import canonical
from detector.codebook import Codebook
from detector.encoders import Encoder
from detector.event import Event, text_of
from detector.intent import IntentModel, ends, structure
from detector.pieces import MAX_PIECES, hash64, keys, plain_keys

FeatureFrame = pl.DataFrame

HOUR_US = 3_600_000_000
DAY_US = 86_400_000_000
EMBEDDING_SCALE = 254.0  # unit vectors of 256 dimensions stay within +-0.5, so int8 keeps about 8 bits of each
CHARS_PER_TOKEN = 4  # rough, used only where the log has no usage
MIN_ANSWER_CHARS = 48  # an answer's sentence must be this long to be recognised when it comes back as input
MAX_ANSWER_PIECES = 3

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

IDENTITIES = (
    "session",
    "end_user",
    "ip",
    "network",
    "user_agent",
    "tls",
    "payment",
    "email_domain",
    "organization",
    "model",
    "birth",
    "settings",
    "country",
)


def _identity(value: object) -> int:
    return 0 if value is None or value == "" else hash64(str(value))


def response_text(response: object) -> str:
    """Text of a response, in the shapes that providers log."""
    if isinstance(response, str):
        return response
    if isinstance(response, list):
        return text_of(response)
    if isinstance(response, dict):
        for choice in response.get("choices") or ():
            message = choice.get("message") if isinstance(choice, dict) else None
            if isinstance(message, dict):
                return text_of(message.get("content"))
        return text_of(response.get("content") or response.get("text"))
    return ""


def extract(events: Sequence[Event], encoder: Encoder, codebook: Codebook, intent: IntentModel) -> FeatureFrame:
    """Features of a batch of events.

    Returns a frame of ``len(events)`` rows, in their order; each row depends on its own event alone.
    """
    frame, texts = scan(events)
    if not events:
        return frame.with_columns(
            pl.lit(0, pl.Int32).alias("cluster"),
            pl.lit(None, pl.Array(pl.Int8, encoder.dimension)).alias("embedding"),
            *(pl.lit(0, pl.Int16).alias(f"intent_{c}") for c in intent.classes),
        )
    prompts, of_prompt = distinct(texts.prompts)
    parts = ends(texts.prompts, texts.systems)
    number: dict[str, int] = {p: i for i, p in enumerate(prompts)}
    of_part = np.fromiter((number.setdefault(p, len(number)) for p in parts), np.int64, len(parts))
    vectors = encoder.encode(list(number))
    scores = intent.predict(vectors, of_part.reshape(-1, len(events)), structure(texts.prompts, frame))
    vectors = vectors[: len(prompts)]
    quantised = np.clip(np.rint(vectors * EMBEDDING_SCALE), -127, 127).astype(np.int8)
    return frame.with_columns(
        pl.Series("cluster", codebook.assign(vectors)[of_prompt], pl.Int32),
        pl.Series("embedding", quantised[of_prompt], pl.Array(pl.Int8, encoder.dimension)),
        *(pl.Series(f"intent_{c}", np.rint(scores[:, i] * 1000), pl.Int16) for i, c in enumerate(intent.classes)),
    )


class Texts(NamedTuple):
    """What is read of each event, without disguise: its last user turn and its system text."""

    prompts: Sequence[str]
    systems: Sequence[str]


def scan(events: Sequence[Event]) -> tuple[pl.DataFrame, Texts]:
    """Hashes and counts of events, a row each, and the texts that are to be embedded."""
    plainly, hashed = _Remembered(canonical), _Remembered(_identity)
    rows = [_scan(event, plainly, hashed) for event in events]
    columns = dict(zip((*_SCANNED, *_TEXTS), zip(*rows, strict=True) if rows else [()] * 99, strict=False))
    prompts, systems, answers = (columns.pop(name) for name in _TEXTS)
    table = pl.DataFrame({name: pl.Series(name, columns[name], kind) for name, kind in _SCANNED.items()})
    by_prompt, by_system, by_answer = distinct(prompts), distinct(systems), distinct(answers)
    prompt_keys = plain_keys(by_prompt[0])
    answer_keys = ragged.heads(*keys(by_answer[0], MIN_ANSWER_CHARS), MAX_ANSWER_PIECES)
    table = table.with_columns(
        pl.Series("prompt", prompt_keys[by_prompt[1]], pl.UInt64),
        _frames(by_system, by_prompt).alias("pieces"),
        _lists(*ragged.take(*answer_keys, by_answer[1])).alias("answers"),
    )
    return table.select(*_SCHEMA), Texts(prompts, systems)


def distinct(texts: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """The different texts in order of appearance, and the number of each text among them."""
    number: dict[str, int] = {}
    of = np.fromiter((number.setdefault(t, len(number)) for t in texts), np.int64)
    return list(number), of


def _frames(systems: tuple[list[str], np.ndarray], prompts: tuple[list[str], np.ndarray]) -> pl.Series:
    """Each event's pieces: the first of its system text, then those of its prompt, each once."""
    heads, of_head = ragged.take(*ragged.heads(*keys(systems[0]), MAX_PIECES // 2), systems[1])
    tails, of_tail = ragged.take(*keys(prompts[0]), prompts[1])
    both = ragged.bounds(np.diff(of_head) + np.diff(of_tail))
    flat = np.empty(both[-1], np.uint64)
    flat[np.arange(len(heads)) + np.repeat(of_tail[:-1], np.diff(of_head))] = heads
    flat[np.arange(len(tails)) + np.repeat(of_head[1:], np.diff(of_tail))] = tails
    return _lists(flat, both).list.unique(maintain_order=True)


def _lists(flat: np.ndarray, edges: np.ndarray) -> pl.Series:
    """Rows of different lengths as a column of lists."""
    return pl.Series(pa.LargeListArray.from_arrays(edges, flat))


class _Remembered(dict[Any, Any]):
    """A function's values, each computed once."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __missing__(self, key: Any) -> Any:
        value = self[key] = self._function(key)
        return value


_SCHEMA: dict[str, Any] = {
    "event_key": pl.UInt64,
    "event_id": pl.String,
    "acct": pl.UInt64,
    "account_id": pl.String,
    "ts": pl.Int64,
    "created": pl.Int64,
    "state": pl.UInt64,
    "parent": pl.UInt64,
    "prompt": pl.UInt64,
    "system": pl.UInt64,
    "tools": pl.UInt64,
    "user_turns": pl.Int32,
    "tool_turns": pl.Int32,
    "prompt_chars": pl.Int32,
    "system_chars": pl.Int32,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "reasoning_tokens": pl.Int64,
    "n": pl.Int32,
    "logprobs": pl.Int32,
    "temperature": pl.Int32,
    "failed": pl.Boolean,
    **dict.fromkeys(IDENTITIES, pl.UInt64),
    "pieces": pl.List(pl.UInt64),
    "answers": pl.List(pl.UInt64),
}
_SCANNED = {name: kind for name, kind in _SCHEMA.items() if name not in ("prompt", "pieces", "answers")}
_TEXTS = ("prompts", "systems", "answers")


def _scan(event: Event, plainly: _Remembered, hashed: _Remembered) -> tuple:
    """One event's columns of _SCANNED and _TEXTS: hashes, counts, last user text, system text and answer."""
    users: list[str] = []
    system_parts = [plainly[text_of(event.system)]]
    chars = tool_turns = 0
    for message in event.messages:
        text = text_of(message.content)
        chars += len(text)
        if message.role == "user":
            users.append(plainly[text])
        elif message.role in ("system", "developer"):
            system_parts.append(plainly[text])
        elif message.role in ("tool", "function"):
            tool_turns += 1
    system = "\n".join(p for p in system_parts if p)
    prompt = users[-1] if users else ""
    system_key = hashed[system.strip()] if system else 0
    parent = 0
    state = system_key
    for text in users:
        parent = state
        state = hash64(f"{state}\x1f{text.strip()}")
    if tool_turns:  # each step of a tool loop is a state of its own
        state = hash64(f"{state}\x1ftool{len(event.messages)}")
    answer = response_text(event.response)
    usage, params, client, owner = event.usage, event.params, event.client, event.account
    created = None if owner.created_at is None else microseconds(owner.created_at)
    network = client.asn if client.asn is not None else _prefix(client.ip)
    settings = f"{params.temperature}|{params.top_p}|{params.max_tokens}|{params.n}|{params.top_logprobs}|{params.seed is None}"
    bare = params.temperature is None and params.max_tokens is None and params.top_p is None
    output = usage.output_tokens if usage.output_tokens is not None else len(answer) // CHARS_PER_TOKEN
    return (
        hash64(event.event_id),
        event.event_id,
        hashed[event.account_id],
        event.account_id,
        microseconds(event.timestamp),
        created,
        state,
        parent if len(users) > 1 else 0,
        system_key,
        hashed[",".join(sorted(map(_tool_name, event.tools)))] if event.tools else 0,
        len(users),
        tool_turns,
        min(len(prompt), 2**31 - 1),
        len(system),
        _bounded(usage.input_tokens if usage.input_tokens is not None else (chars + len(system)) // CHARS_PER_TOKEN),
        _bounded(output),
        _bounded(usage.reasoning_tokens or 0),
        min(max(params.n or 1, 1), 1000),
        min(max(int(params.top_logprobs or bool(params.logprobs)) + (5 if params.logit_bias else 0), 0), 1000),
        -1 if params.temperature is None else int(min(max(params.temperature, 0.0), 10.0) * 1000),
        bool(event.status and event.status >= 400),
        hashed[event.session_id],
        hashed[event.end_user_id],
        hashed[client.ip],
        hashed[network],
        hashed[client.user_agent],
        hashed[client.tls_fingerprint],
        hashed[owner.payment_fingerprint],
        hashed[owner.email_domain],
        hashed[event.organization_id],
        hashed[event.model],
        0 if created is None else hashed[f"birth{created // DAY_US}"],
        0 if bare else hashed[settings],
        hashed[client.country],
        prompt,
        system,
        plainly[answer],
    )


def _bounded(count: int) -> int:
    """A token count within what a sum of 64-bit integers can hold for any log."""
    return min(max(int(count), 0), 1_000_000_000)


def microseconds(when: datetime) -> int:
    """Microseconds since 1970; a time without a zone is taken for UTC."""
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    delta = when - _EPOCH
    return delta.days * DAY_US + delta.seconds * 1_000_000 + delta.microseconds


def _prefix(ip: str | None) -> str | None:
    """The network part of an address where the gateway names no autonomous system: /24, or /48 for IPv6."""
    if not ip:
        return None
    return ":".join(ip.split(":")[:3]) if ":" in ip else ip.rpartition(".")[0] or ip


def _tool_name(tool: object) -> str:
    if isinstance(tool, dict):
        function = tool.get("function")
        name = tool.get("name") or (function.get("name") if isinstance(function, dict) else None)
        return str(name or "")
    return str(tool)
