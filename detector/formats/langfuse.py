"""Langfuse's ingestion batches (SDK v2 and v3 clients of ``/api/public/ingestion``).

A generation arrives in parts: the trace (user and session), the generation, and its update with the answer; they are
joined by their ids. The user id is set by the application that logs and taken for the account, unless an attribute of the
trace's metadata is configured to name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from detector.event import Event
from detector.formats import chat
from detector.formats.base import (
    GIVEN,
    NOTHING_GIVEN,
    Given,
    Part,
    RowError,
    alone,
    first,
    identifier,
    kind,
    mapping,
    named_owner,
    number,
    parsed,
    shown,
    text,
    timestamp,
    unexpected,
)

NAME = "langfuse"
DESCRIPTION = "Langfuse ingestion batches (trace-create, generation-create, generation-update)"

_GENERATION = ("generation-create", "generation-update")
_TRACE = ("trace-create",)
_OTHERS = ("span-", "event-", "score-", "sdk-log", "observation-")
_OF_TRACE = ("userId", "sessionId")
_OF_GENERATION = (
    "userId", "input", "output", "model", "modelParameters", "usage", "usageDetails", "level", "startTime", "endTime",
)  # fmt: skip


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


_ENCODER = msgspec.json.Encoder()


class Item(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an item of a batch adds to a generation, or to all of a trace; the rest of it is let go at once."""

    trace: str = ""
    generation: str | None = None  # None: of the trace as a whole
    update: bool = False
    at: Any = None
    body: dict[str, Any] = {}


_DECODER = msgspec.json.Decoder(Item)


class Batches:
    """Items of traces and generations, until the generations are taken."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self._traces: dict[str, list[Item]] = {}
        self._generations: dict[tuple[str, str], list[Item]] = {}
        self._places: dict[tuple[str, str], tuple[Any, int]] = {}
        self._errors: list[tuple[Any, RowError]] = []

    def add(self, row: dict[str, Any], where: Any) -> None:
        """Take a batch, or one of its items. Raises RowError."""
        items = row["batch"] if isinstance(row.get("batch"), list) else [row]
        for number_, item in enumerate(items):
            try:
                found = _item(item, self.given)
            except RowError as error:
                self._errors.append((where, RowError(str(error), number_ if "batch" in row else None)))
                continue
            if found is not None:
                self._keep(found, where, number_)

    def take(self, keep: int = 0) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the oldest generations until ``keep`` remain."""
        yield from self._complaints()
        while len(self._generations) > keep:
            yield self._taken(next(iter(self._generations)))
        for trace in list(self._traces)[: max(0, len(self._traces) - max(keep, 1))] if keep else list(self._traces):
            del self._traces[trace]

    def whole(self) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the generations that have all they can have, and those that cannot be read; the others stay."""
        yield from self._complaints()
        used = set()
        for key in list(self._generations):
            event = self._found(key)
            if isinstance(event, RowError) or self._is_whole(key, event):
                used.add(key[0])
                yield self._taken(key)
        for trace in used - {trace for trace, _ in self._generations}:
            self._traces.pop(trace, None)

    def parts(self) -> Iterator[Part]:
        """Hand out the items of all generations that are left, and of their traces."""
        for items in (*self._generations.values(), *self._traces.values()):
            for item in items:
                patient = item.generation is None or not _ended(item.body)
                group = item.trace or item.generation or ""
                yield Part(family=NAME, group=group, patient=patient, data=_ENCODER.encode(item))
        self._generations, self._traces, self._places = {}, {}, {}

    def restore(self, data: bytes) -> None:
        """Take a part's data back."""
        self._keep(_DECODER.decode(data), None, 0)

    def _keep(self, item: Item, where: Any, number_: int) -> None:
        if item.generation is None:
            self._traces.setdefault(item.trace, []).append(item)
        else:
            key = (item.trace, item.generation)
            self._generations.setdefault(key, []).append(item)
            self._places.setdefault(key, (where, number_))

    def _complaints(self) -> Iterator[tuple[Any, RowError]]:
        yield from self._errors
        self._errors = []

    def _taken(self, key: tuple[str, str]) -> tuple[Any, Event | RowError]:
        found = self._found(key)
        del self._generations[key]
        where, number_ = self._places.pop(key)
        return where, RowError(str(found), number_) if isinstance(found, RowError) else found

    def _found(self, key: tuple[str, str]) -> Event | RowError:
        try:
            return self._event(key)
        except RowError as error:
            return error
        except Exception as error:
            return unexpected(error)

    def _is_whole(self, key: tuple[str, str], event: Event) -> bool:
        bodies = [item.body for item in self._generations[key]]
        named = event.extra["identity"] != GIVEN or not key[0]
        return named and bool(event.messages) and event.response is not None and any(map(_ended, bodies))

    def _event(self, key: tuple[str, str]) -> Event:
        items = sorted(self._generations[key], key=_order)
        trace = _merged(sorted(self._traces.get(key[0], []), key=_order))
        body = _merged(items)
        metadata = {**mapping(trace.get("metadata")), **mapping(body.get("metadata"))}
        user = text(body.get("userId")) or text(trace.get("userId"))
        chosen = named_owner({**metadata, **trace}, self.given)
        turns, system, tools = _asked(parsed(body.get("input")))
        output = parsed(body.get("output"))
        response, ended = chat.answer(output if isinstance(output, str | dict) else {"content": output})
        start, end = body.get("startTime"), body.get("endTime")
        at = next((item.at for item in items if item.at), None)
        return Event(
            event_id=f"{key[0][:100]}.{key[1][:150]}" if key[0] else key[1],
            timestamp=timestamp(first({"a": start, "b": end, "c": at}, "abc"), "body.startTime"),
            account_id=identifier(chosen or user or self.given.owner, "body.userId of the trace"),
            end_user_id=user if chosen else None,
            session_id=text(trace.get("sessionId")),
            model=text(body.get("model")),
            operation="chat",
            system=system,
            messages=turns,
            tools=tools,
            params=chat.params(mapping(body.get("modelParameters"))),
            usage=chat.usage(first(body, ("usageDetails", "usage"))),
            response=response,
            finish_reason=ended,
            status=500 if body.get("level") == "ERROR" else 200,
            latency_ms=_milliseconds(start, end),
            extra={"identity": "configured" if chosen else "userId" if user else GIVEN},
        )


def _item(item: Any, given: Given) -> Item | None:
    """What is of use in an item; None where that is nothing. Raises RowError."""
    if not isinstance(item, dict):
        raise RowError(f"batch: found {kind(item)}, expected an object")
    body, name = mapping(item.get("body")), item.get("type")
    if name in _TRACE:
        trace = identifier(body.get("id"), "body.id")
        return Item(
            trace=trace, at=item.get("timestamp"), body=_kept(body, (*_OF_TRACE, *given.account_attributes), given)
        )
    if name in _GENERATION:
        return Item(
            trace=text(body.get("traceId")) or "",
            generation=identifier(body.get("id"), "body.id"),
            update=name == _GENERATION[1],
            at=item.get("timestamp"),
            body=_kept(body, _OF_GENERATION, given),
        )
    if not isinstance(name, str) or not name.startswith(_OTHERS):
        raise RowError(f"type: found {shown(name)}, expected one of {', '.join(_TRACE + _GENERATION)}")
    return None


def _kept(body: dict[str, Any], names: tuple[str, ...], given: Given) -> dict[str, Any]:
    kept = {name: body[name] for name in names if body.get(name) is not None}
    metadata = mapping(body.get("metadata"))
    chosen = {name: metadata[name] for name in given.account_attributes if name in metadata}
    return {**kept, "metadata": chosen} if chosen else kept


def _merged(items: list[Item]) -> dict[str, Any]:
    """What several items say together; of what two of them say, the later counts."""
    return {name: value for item in items for name, value in item.body.items()}


def _order(item: Item) -> tuple[bool, str, bytes]:
    return item.update, str(item.at), _ENCODER.encode(item)


def _ended(body: dict[str, Any]) -> bool:
    return body.get("output") is not None or body.get("endTime") is not None


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
