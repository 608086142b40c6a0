"""An answer that was logged as the pieces of its stream, put together again.

Loggers that sit in an application hand on what they see: chunks of chat completions, events of Anthropic's messages or of the
Responses API, as JSON values one after another or as server-sent events. What is no such stream stays the text it is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detector.formats.base import first, mapping, sequence
from detector.formats.items import split

_DONE = b"[DONE]"
Texts = dict[str, list[str]]  # fields that come piece by piece

_BROKEN = (msgspec.MsgspecError, UnicodeError, RecursionError)


def whole(text: str) -> dict[str, Any] | str:
    """The response body that a stream's pieces make together, or that the text holds; the text itself where it is neither."""
    pieces = _pieces(text)
    for read in (_chat, _anthropic, _responses):
        if (body := read(pieces)) is not None:
            return body
    return pieces[0] if len(pieces) == 1 else text


def _pieces(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a stream in their order; none where something of it is no object."""
    start = text.lstrip()
    if not start.startswith(("{", "data:", "event:")):
        return []
    data = text.encode(errors="replace")
    if start.startswith("{"):
        parts = [part for part in split([data], len(data)) if part is not None]
    else:
        lines = (line.strip() for line in data.splitlines())
        parts = [line[5:].strip() for line in lines if line.startswith(b"data:")]
    try:
        found = [msgspec.json.decode(part) for part in parts if part.strip() not in (b"", _DONE)]
    except _BROKEN:
        return []
    return found if all(isinstance(piece, dict) for piece in found) else []


def _chat(pieces: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Chunks of a chat completion; of several answers the first."""
    if not any(piece.get("object") == "chat.completion.chunk" for piece in pieces):
        return None
    body = {name: value for name in ("id", "created", "model") if (value := _last(pieces, name)) is not None}
    message: Texts = {"content": []}
    calls: dict[str, Texts] = {}
    ended = None
    for piece in pieces:
        for choice in map(mapping, sequence(piece.get("choices"))):
            if choice.get("index"):
                continue
            ended = choice.get("finish_reason") or ended
            delta = mapping(choice.get("delta"))
            _note(message, delta, ("content", "reasoning_content", "reasoning"))
            for call in map(mapping, sequence(delta.get("tool_calls"))):
                known = calls.setdefault(str(call.get("index")), {})
                _note(known, mapping(call.get("function")), ("name", "arguments"))
    turn = {**_joined(message), "tool_calls": [_joined(call) for call in calls.values()]}
    return {**body, "choices": [{"message": turn, "finish_reason": ended}], "usage": _last(pieces, "usage")}


def _anthropic(pieces: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Events of Anthropic's messages."""
    body = next((mapping(p.get("message")) for p in pieces if p.get("type") == "message_start"), None)
    if body is None:
        return None
    usage = mapping(body.get("usage"))
    blocks: dict[str, dict[str, Any]] = {}
    texts: dict[str, Texts] = {}
    for piece in pieces:
        place, delta = str(piece.get("index")), mapping(piece.get("delta"))
        if piece.get("type") == "content_block_start":
            blocks[place] = mapping(piece.get("content_block"))
        elif piece.get("type") == "content_block_delta":
            _note(texts.setdefault(place, {}), delta, ("text", "thinking", "partial_json"))
        elif piece.get("type") == "message_delta":
            body = {**body, **delta}
            usage = {**usage, **mapping(piece.get("usage"))}
    for place, found in texts.items():
        told = _joined(found)
        if "partial_json" in told:
            told["input"] = told.pop("partial_json")
        blocks[place] = {"type": "text", **blocks.get(place, {}), **told}
    return {**body, "content": list(blocks.values()), "usage": usage}


def _responses(pieces: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Events of the Responses API, of which the last repeats the whole."""
    ends = ("response.completed", "response.incomplete", "response.failed")
    return next((mapping(p.get("response")) for p in reversed(pieces) if p.get("type") in ends), None)


def _note(into: Texts, source: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if isinstance(source.get(name), str):
            into.setdefault(name, []).append(source[name])


def _joined(found: Texts) -> dict[str, str]:
    return {name: "".join(parts) for name, parts in found.items()}


def _last(pieces: list[dict[str, Any]], name: str) -> Any:
    return next((value for p in reversed(pieces) if (value := first(p, (name,))) is not None), None)
