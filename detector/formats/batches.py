"""Providers' batch files: what was asked and what was answered, in two files, joined by ``custom_id``.

Neither names the account, which must be given. A request without an answer is an event without one, an answer without its
request an event without prompt. Ids that several batches use alike are joined in the order in which they come: read such
batches one by one.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from detector.event import Event
from detector.formats import chat
from detector.formats.base import (
    Given,
    RowError,
    fingerprint,
    first,
    identifier,
    integer,
    mapping,
    text,
    timestamp,
    unexpected,
)


class Line(NamedTuple):
    """Half of a call: the request, or the answer with its status."""

    where: Any
    body: dict[str, Any]
    received: datetime | None
    answered: bool
    event_id: str | None = None
    status: int | None = None


class Pairs:
    """Requests and answers of batches, until they are taken."""

    def __init__(self, given: Given, half: Callable[[dict[str, Any], Any, Given], Line]) -> None:
        self.given = given
        self._half = half
        self._waiting: dict[bool, dict[str, deque[Line]]] = {False: defaultdict(deque), True: defaultdict(deque)}
        self._order: deque[tuple[bool, str]] = deque()
        self._ready: list[tuple[str, Line | None, Line | None]] = []

    def add(self, row: dict[str, Any], where: Any) -> None:
        """Take a line of either file. Raises RowError."""
        if not self.given.account:
            raise RowError("account: batch files name no account; name the one that they belong to")
        custom = identifier(row.get("custom_id"), "custom_id")
        line = self._half(row, where, self.given)
        others = self._waiting[not line.answered].get(custom)
        if others:
            other = others.popleft()
            if not others:
                del self._waiting[not line.answered][custom]
            self._ready.append((custom, other, line) if line.answered else (custom, line, other))
        else:
            self._waiting[line.answered][custom].append(line)
            self._order.append((line.answered, custom))

    def take(self, keep: int = 0) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the pairs, then the oldest single halves until ``keep`` remain."""
        for custom, asked, answered in self._ready:
            yield from self._pair(custom, asked, answered)
        self._ready = []
        while len(self._order) > keep:
            is_answer, custom = self._order.popleft()
            queue = self._waiting[is_answer].get(custom)
            if not queue:
                continue  # found its other half meanwhile
            line = queue.popleft()
            if not queue:
                del self._waiting[is_answer][custom]
            yield from self._pair(custom, None if is_answer else line, line if is_answer else None)

    def _pair(self, custom: str, asked: Line | None, answered: Line | None) -> Iterator[tuple[Any, Event | RowError]]:
        line = answered or asked
        assert line is not None
        try:
            yield line.where, self._event(custom, asked, answered)
        except RowError as error:
            yield line.where, error
        except Exception as error:
            yield line.where, unexpected(error)

    def _event(self, custom: str, asked: Line | None, answered: Line | None) -> Event:
        request, response = mapping(asked and asked.body), mapping(answered and answered.body)
        fields = chat.exchange(request, response or None)
        made = first(response, ("created", "created_at"))
        line = answered or asked
        assert line is not None
        mark = fingerprint(self.given.account, custom, request, response)
        return Event(
            event_id=(answered.event_id if answered else None) or f"batch-{mark}",
            timestamp=timestamp(made if made is not None else line.received, "created"),
            account_id=identifier(self.given.account, "account"),
            operation="batch",
            status=answered.status if answered else None,
            **fields,
        )


def openai_half(row: dict[str, Any], where: Any, given: Given) -> Line:
    """A line of an OpenAI batch input or output file."""
    response = row.get("response")
    if not isinstance(response, dict) and "body" in row:
        return Line(where, mapping(row.get("body")), given.received, False)
    response = mapping(response)
    status = integer(response.get("status_code")) or (500 if row.get("error") else None)
    return Line(where, mapping(response.get("body")), given.received, True, text(row.get("id"), 256), status)


def anthropic_half(row: dict[str, Any], where: Any, given: Given) -> Line:
    """A line of an Anthropic message batch: a request or a result."""
    if isinstance(row.get("params"), dict):
        return Line(where, row["params"], given.received, False)
    result = mapping(row.get("result"))
    message = mapping(result.get("message"))
    status = 200 if result.get("type") == "succeeded" else 500
    return Line(where, message, given.received, True, text(message.get("id"), 256), status)
