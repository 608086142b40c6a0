"""Per-event features: everything the detector ever learns of a request, with no state kept between requests.

A *FeatureFrame* is a polars frame with one row an event (:data:`COLUMNS`). It holds hashes, counts and a quantised
embedding, never text, so that an account under zero data retention is profiled without storing a word.

Conversation state. ``state`` hashes the system prompt and all user turns so far, ``parent`` the same without the last
user turn. The two sets alone tell follow-ups (parent seen before), rollouts (same state again), restarts (same parent
again) and replayed sessions (parent never seen), whatever order the rows come in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest

from detector.canonical_text import canonical, unaccented
from detector.codebook import Codebook
from detector.encoders import Encoder
from detector.event import Event, text_of
from detector.intent import IntentModel, ends, structure

FeatureFrame = pl.DataFrame

DAY_US = 86_400_000_000
EMBEDDING_SCALE = 254.0  # unit vectors of 256 dimensions stay within +-0.5, so int8 keeps about 8 bits of each
PIECE_MIN_BYTES = 24  # shorter sentences ("Thanks!", "Answer:") are shared by chance; bytes, as one ideograph is a word
PASSAGE_CHARS = 200  # a piece this long is a passage of a document, not a sentence of a frame
MAX_PIECES = 8  # a frame stands at the head or the tail of a prompt: four pieces of each
CHARS_PER_TOKEN = 4  # rough, used only where the log has no usage
MIN_ANSWER_CHARS = 48  # an answer's sentence must be this long to be recognised when it comes back as input

_PIECE = re.compile(r"\n+|(?<=[.!?:;])\s+")  # of ASCII text
_PIECE_ANY = re.compile(r"\n+|(?<=[.!?:;])\s+|(?<=。)|(?<=[\u3040-\u30ff\u3400-\u9fff][!?:;])")
_DIGITS = re.compile(r"[0-9]+")
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


def _hash(text: str) -> int:
    """64-bit xxh3 of a text, with 0 kept for 'absent'; lone surrogates are allowed, hostile logs carry them."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) or 1


def _identity(value: object) -> int:
    return 0 if value is None or value == "" else _hash(str(value))


def normalise(text: str) -> str:
    """Text as compared between requests: disguise, case, accents and white space do not count."""
    return _plain(canonical(text))


def _plain(text: str) -> str:
    """:func:`normalise` of a text that is canonical."""
    return " ".join(unaccented(text).lower().split())


def pieces_of(text: str) -> list[str]:
    """Sentences and lines of a canonical text that may be a template's constant parts: the first and the last four of enough length.

    Digits are masked, so that a counter or a date in a frame does not hide it.
    """
    if len(text) > 12_000:  # the middle of a huge prompt is a document, not a frame
        text = text[:6_000] + "\n" + text[-6_000:]
    pieces = (_PIECE if text.isascii() else _PIECE_ANY).split(text)
    raws = [raw for raw in pieces if len(raw.encode("utf-8", "replace")) >= PIECE_MIN_BYTES]
    if len(raws) > 2 * MAX_PIECES:
        raws = raws[:MAX_PIECES] + raws[-MAX_PIECES:]
    parts = [p for raw in raws if len((p := _plain(raw)).encode("utf-8", "replace")) >= PIECE_MIN_BYTES]
    if len(parts) > MAX_PIECES:
        parts = parts[: MAX_PIECES // 2] + parts[-MAX_PIECES // 2 :]
    return [_DIGITS.sub("0", p) for p in parts]


def piece_key(piece: str) -> int:
    """Key of a piece. The lowest bit tells passages (1) from sentences (0)."""
    return (_hash(piece) & ~1 | (len(piece) >= PASSAGE_CHARS)) or 2


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
    prompts: list[str] = []
    systems: list[str] = []
    rows: list[tuple] = []
    for event in events:
        row, prompt, system = _scan(event)
        rows.append(row)
        prompts.append(prompt)
        systems.append(system)
    frame = pl.DataFrame(rows, schema=_SCAN_SCHEMA, orient="row")
    if not events:
        return frame.with_columns(
            pl.lit(0, pl.Int32).alias("cluster"),
            pl.lit(None, pl.Array(pl.Int8, encoder.dimension)).alias("embedding"),
            *(pl.lit(0, pl.Int16).alias(f"intent_{c}") for c in intent.classes),
        )
    vectors = encoder.encode(prompts)
    scores = intent.predict(ends(encoder, prompts, systems), structure(prompts, frame))
    quantised = np.clip(np.rint(vectors * EMBEDDING_SCALE), -127, 127).astype(np.int8)
    return frame.with_columns(
        pl.Series("cluster", codebook.assign(vectors), pl.Int32),
        pl.Series("embedding", quantised, pl.Array(pl.Int8, encoder.dimension)),
        *(pl.Series(f"intent_{c}", np.rint(scores[:, i] * 1000), pl.Int16) for i, c in enumerate(intent.classes)),
    )


_SCAN_SCHEMA: dict[str, Any] = {
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


def _scan(event: Event) -> tuple[tuple, str, str]:
    """Hashes and counts of one event, its last user text and its system text."""
    users: list[str] = []
    system_parts = [canonical(text_of(event.system))]
    chars = tool_turns = 0
    for message in event.messages:
        text = text_of(message.content)
        chars += len(text)
        if message.role == "user":
            users.append(canonical(text))
        elif message.role in ("system", "developer"):
            system_parts.append(canonical(text))
        elif message.role in ("tool", "function"):
            tool_turns += 1
    system = "\n".join(p for p in system_parts if p)
    prompt = users[-1] if users else ""
    system_key = _hash(system.strip()) if system else 0
    parent = 0
    state = system_key
    for text in users:
        parent = state
        state = _hash(f"{state}\x1f{text.strip()}")
    if tool_turns:  # each step of a tool loop is a state of its own
        state = _hash(f"{state}\x1ftool{len(event.messages)}")
    keys = list(dict.fromkeys(piece_key(p) for p in pieces_of(system)[: MAX_PIECES // 2] + pieces_of(prompt)))
    answer = response_text(event.response)
    answers = [piece_key(p) for p in pieces_of(canonical(answer)) if len(p) >= MIN_ANSWER_CHARS][:3] if answer else []
    usage, params, client, owner = event.usage, event.params, event.client, event.account
    created = None if owner.created_at is None else _microseconds(owner.created_at)
    network = client.asn if client.asn is not None else _prefix(client.ip)
    settings = f"{params.temperature}|{params.top_p}|{params.max_tokens}|{params.n}|{params.top_logprobs}|{params.seed is None}"
    bare = params.temperature is None and params.max_tokens is None and params.top_p is None
    output = usage.output_tokens if usage.output_tokens is not None else len(answer) // CHARS_PER_TOKEN
    row = (
        _hash(event.event_id),
        event.event_id,
        _hash(event.account_id),
        event.account_id,
        _microseconds(event.timestamp),
        created,
        state,
        parent if len(users) > 1 else 0,
        _hash(_plain(prompt)) if prompt else 0,
        system_key,
        _identity(",".join(sorted(map(_tool_name, event.tools)))) if event.tools else 0,
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
        _identity(event.session_id),
        _identity(event.end_user_id),
        _identity(client.ip),
        _identity(network),
        _identity(client.user_agent),
        _identity(client.tls_fingerprint),
        _identity(owner.payment_fingerprint),
        _identity(owner.email_domain),
        _identity(event.organization_id),
        _identity(event.model),
        0 if created is None else _hash(f"birth{created // DAY_US}"),
        0 if bare else _hash(settings),
        _identity(client.country),
        keys,
        answers,
    )
    return row, prompt, system


def _bounded(count: int) -> int:
    """A token count within what a sum of 64-bit integers can hold for any log."""
    return min(max(int(count), 0), 1_000_000_000)


def _microseconds(when: datetime) -> int:
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
