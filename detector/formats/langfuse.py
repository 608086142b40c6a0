"""Langfuse's ingestion batches (SDK v2 and v3 clients of ``/api/public/ingestion``).

A generation arrives in parts: the trace (user and session), the generation, and its update with the answer; they are
joined by their ids. The user id is set by the application that logs and taken for the account, unless an attribute of the
trace's metadata is configured to name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detector.event import Event
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    RowError,
    alone,
    first,
    identifier,
    kind,
    mapping,
    named_owner,
    number,
    parsed,
    text,
    timestamp,
)

NAME = "langfuse"
DESCRIPTION = "Langfuse ingestion batches (trace-create, generation-create, generation-update)"

_GENERATION = ("generation-create", "generation-update")
_TRACE = ("trace-create",)
_OTHERS = ("span-", "event-", "score-", "sdk-log", "observation-")


def matches(row: dict[str, Any]) -> bool:
    """True for a batch, or one of its items."""
    if isinstance(row.get("batch"), list):
        return all(isinstance(i, dict) and "type" in i and "body" in i for i in row["batch"][:3])
    return isinstance(row.get("body"), dict) and isinstance(row.get("type"), str) and "timestamp" in row


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The events of one batch by itself. Raises RowError for the first that is none."""
    return alone(collector(given), row)


def collector(given: Given) -> Batches:
    """A joiner of batches."""
    return Batches(given)


class Batches:
    """Traces and generations, until they are taken."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self._traces: dict[str, dict[str, Any]] = {}
        self._generations: dict[tuple[str, str], tuple[Any, int, dict[str, Any]]] = {}
        self._errors: list[tuple[Any, RowError]] = []

    def add(self, row: dict[str, Any], where: Any) -> None:
        """Take a batch, or one of its items. Raises RowError."""
        items = row["batch"] if isinstance(row.get("batch"), list) else [row]
        for number_, item in enumerate(items):
            try:
                self._item(item, where, number_)
            except RowError as error:
                self._errors.append((where, RowError(str(error), number_ if "batch" in row else None)))

    def _item(self, item: Any, where: Any, number_: int) -> None:
        if not isinstance(item, dict):
            raise RowError(f"batch: found {kind(item)}, expected an object")
        body, name = mapping(item.get("body")), item.get("type")
        if name in _TRACE:
            trace = identifier(body.get("id"), "body.id")
            known = self._traces.setdefault(trace, {})
            known.update({k: v for k, v in body.items() if v is not None})
        elif name in _GENERATION:
            trace = text(body.get("traceId")) or ""
            key = (trace, identifier(body.get("id"), "body.id"))
            place = self._generations.setdefault(key, (where, number_, {"timestamp": item.get("timestamp")}))
            place[2].update({k: v for k, v in body.items() if v is not None})
        elif not isinstance(name, str) or not name.startswith(_OTHERS):
            raise RowError(f"type: found {name!r}, expected one of {', '.join(_TRACE + _GENERATION)}")

    def take(self, keep: int = 0) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the oldest generations until ``keep`` remain."""
        yield from self._errors
        self._errors = []
        while len(self._generations) > keep:
            key = next(iter(self._generations))
            where, item, body = self._generations.pop(key)
            try:
                yield where, self._event(key, body)
            except RowError as error:
                yield where, RowError(str(error), item)
        for trace in list(self._traces)[: max(0, len(self._traces) - max(keep, 1))] if keep else list(self._traces):
            del self._traces[trace]

    def _event(self, key: tuple[str, str], body: dict[str, Any]) -> Event:
        trace = self._traces.get(key[0], {})
        metadata = {**mapping(trace.get("metadata")), **mapping(body.get("metadata"))}
        user = first({**trace, **{k: v for k, v in body.items() if k == "userId"}}, ("userId",))
        chosen = named_owner({**metadata, **trace}, self.given)
        turns, system, tools = _asked(parsed(body.get("input")))
        output = parsed(body.get("output"))
        response, ended = chat.answer(output if isinstance(output, str | dict) else {"content": output})
        start, end = body.get("startTime"), body.get("endTime")
        began = timestamp(first({"a": start, "b": end, "c": body.get("timestamp")}, "abc"), "body.startTime")
        usage = chat.usage(first(body, ("usageDetails", "usage")))
        return Event(
            event_id=f"{key[0][:100]}.{key[1][:150]}" if key[0] else key[1],
            timestamp=began,
            account_id=identifier(chosen or user or self.given.account, "body.userId of the trace"),
            end_user_id=text(user) if chosen else None,
            session_id=text(trace.get("sessionId")),
            model=text(body.get("model")),
            operation="chat",
            system=system,
            messages=turns,
            tools=tools,
            params=chat.params(mapping(body.get("modelParameters"))),
            usage=usage,
            response=response,
            finish_reason=ended,
            status=500 if body.get("level") == "ERROR" else 200,
            latency_ms=_milliseconds(start, end),
        )


def _asked(value: Any) -> tuple[list[Any], Any, list[Any] | None]:
    """Turns, system text and tools of a generation's input: an array of messages, a request body, or text."""
    if isinstance(value, dict) and first(value, ("messages", "input", "prompt", "contents")) is not None:
        return chat.conversation(value), chat.system(value), chat.tools(value.get("tools"))
    return chat.messages(value), None, None


def _milliseconds(start: Any, end: Any) -> float | None:
    if start is None or end is None:
        return None
    try:
        seconds = (timestamp(end) - timestamp(start)).total_seconds()
    except RowError:
        return None
    return number(max(0.0, seconds * 1000))
