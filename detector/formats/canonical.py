"""The canonical event as JSON: the design's own format.

Well-formed rows are decoded straight into events, in C; ``convert`` reads what differs (times without an offset or as
numbers, ids as numbers, nulls, unknown fields) and finds the words for what cannot be read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from detector.event import Event
from detector.formats.base import EARLIEST, NOTHING_GIVEN, Given, RowError, explain, identifier, timestamp
from detector.formats.redaction import redact

NAME = "canonical"
DESCRIPTION = "one event of distillwatch's own format per row"

_FIELDS = frozenset(f.name for f in msgspec.structs.fields(Event))
_OPTIONAL = tuple(sorted(_FIELDS - {"event_id", "timestamp", "account_id", "messages", "extra", "account"}))


class Complete(Event, forbid_unknown_fields=True):
    """An event without fields that would have to be kept in ``extra``; decoding refuses other rows."""


class Named(msgspec.Struct):
    """What tells an event of this format and its id; the rest is stepped over."""

    event_id: str
    account_id: str


def matches(row: dict[str, Any]) -> bool:
    """True for a row that names an event and its account or its time."""
    return ("account_id" in row and ("event_id" in row or "messages" in row)) or (
        "event_id" in row and "timestamp" in row
    )


def settle(events: list[Event], keep_extra: bool, latest: datetime) -> bool:
    """Finish decoded events in place: times in UTC, ``extra`` without secrets. False where one needs ``convert``."""
    for event in events:
        when = event.timestamp
        if when.tzinfo is not UTC:
            if not 1970 < when.year < 2100:
                return False
            event.timestamp = when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        if not EARLIEST <= when < latest:
            return False
        created = event.account.created_at
        if created is not None and created.tzinfo is not UTC:
            return False
        if event.extra:
            event.extra = redact(event.extra) if keep_extra else {}
        if keep_extra:
            event.__class__ = Event  # the layout of Complete is that of Event
    return True


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row, unknown fields kept in ``extra`` without secrets. Raises RowError."""
    known = {name: row[name] for name in _OPTIONAL if row.get(name) is not None}
    known["event_id"] = identifier(row.get("event_id"), "event_id")
    owner_id = row.get("account_id")
    known["account_id"] = identifier(given.account if owner_id in (None, "") else owner_id, "account_id")
    known["timestamp"] = timestamp(row.get("timestamp"))
    for name in ("organization_id", "api_key_id", "end_user_id", "session_id"):
        if isinstance(known.get(name), int) and not isinstance(known[name], bool):
            known[name] = identifier(known[name], name)
    for name in ("params", "usage", "client"):
        if isinstance(known.get(name), dict):
            known[name] = _without_nulls(known[name])
    if row.get("messages") is not None:
        turns = row["messages"]
        known["messages"] = (
            [_without_nulls(t) if isinstance(t, dict) else t for t in turns] if isinstance(turns, list) else turns
        )
    owner = row.get("account")
    if isinstance(owner, dict):
        owner = _without_nulls(owner)
        if "created_at" in owner:
            owner["created_at"] = timestamp(owner["created_at"], "account.created_at")
    if owner is not None:
        known["account"] = owner
    unknown = {name: value for name, value in row.items() if name not in _FIELDS}
    extra = row.get("extra")
    if isinstance(extra, dict):
        unknown = {**extra, **unknown}
    elif extra is not None:
        unknown["extra"] = extra
    if unknown:
        known["extra"] = redact(unknown)
    try:
        return [msgspec.convert(known, Event, strict=False)]
    except (msgspec.ValidationError, RecursionError) as error:
        raise RowError(explain(error)) from error


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
