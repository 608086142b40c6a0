"""SGLang's request log (``--log-requests-format json``, level 2 or 3): one line when a request arrives, one when it ends.

Only the second is an event; it repeats the request. The log knows no caller: an account must be given. Its times have no
zone and are taken as UTC: run the server in UTC.
"""

from __future__ import annotations

from typing import Any

from detector.event import Event, Usage
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    RowError,
    count,
    fingerprint,
    first,
    identifier,
    mapping,
    number,
    sequence,
    text,
    timestamp,
)

NAME = "sglang"
DESCRIPTION = "SGLang request log (JSON lines); needs an account"


def matches(row: dict[str, Any]) -> bool:
    """True for a line of the request log."""
    return isinstance(row.get("event"), str) and row["event"].startswith("request.") and "rid" in row


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a line; none for the arrival of a request. Raises RowError."""
    if row.get("event") != "request.finished":
        return []
    if not given.account:
        raise RowError("account: SGLang logs no caller; name the account that these rows belong to")
    asked, out = mapping(row.get("obj")), mapping(row.get("out"))
    meta = mapping(out.get("meta_info"))
    prompt = first(asked, ("messages", "text", "prompt"))
    ended = meta.get("finish_reason")
    seconds = number(first(meta, ("e2e_latency", "latency")))
    params = chat.params(mapping(asked.get("sampling_params")))
    streamed = asked.get("stream")
    params.stream = streamed if isinstance(streamed, bool) else None
    params.logprobs = True if asked.get("return_logprob") is True else None
    return [
        Event(
            event_id=_event_id(row),
            timestamp=timestamp(row.get("timestamp")),
            account_id=identifier(given.account, "account"),
            model=text(first(asked, ("model", "model_path"))),
            operation="chat" if isinstance(prompt, list) and not _texts(prompt) else "text_completion",
            messages=chat.messages(prompt if not _texts(prompt) else "\n".join(sequence(prompt))),
            params=params,
            usage=Usage(
                input_tokens=count(meta.get("prompt_tokens")),
                output_tokens=count(meta.get("completion_tokens")),
                cached_input_tokens=count(meta.get("cached_tokens")),
            ),
            response=text(out.get("text"), 1 << 24),
            finish_reason=text(ended.get("type") if isinstance(ended, dict) else ended),
            status=200,
            latency_ms=None if seconds is None else seconds * 1000,
        )
    ]


def _event_id(row: dict[str, Any]) -> str:
    """The request's id, which a client may choose, with a fingerprint."""
    return f"{identifier(row.get('rid'), 'rid')[:200]}.{fingerprint(row.get('timestamp'), row.get('out'))}"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)
