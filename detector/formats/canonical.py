"""The canonical event as JSON: the design's own format."""

from __future__ import annotations

from typing import Any

import msgspec

from detector.event import Event
from detector.formats.base import RowError, identifier, timestamp
from detector.formats.redaction import redact

NAME = "canonical"
DESCRIPTION = "one event of distillwatch's own format per row"

_FIELDS = frozenset(f.name for f in msgspec.structs.fields(Event))


def matches(row: dict[str, Any]) -> bool:
    """True for a row that names an account and an event."""
    return "account_id" in row and ("event_id" in row or "messages" in row)


def convert(row: dict[str, Any], account: str | None = None) -> list[Event]:
    """The event of a row, unknown fields kept in ``extra`` without secrets. Raises RowError."""
    known = {k: v for k, v in row.items() if k in _FIELDS and v is not None}
    known["event_id"] = identifier(row.get("event_id"), "event_id")
    known["account_id"] = identifier(row.get("account_id", account), "account_id")
    known["timestamp"] = timestamp(row.get("timestamp"))
    owner = known.get("account")
    if isinstance(owner, dict) and owner.get("created_at") is not None:
        known["account"] = {**owner, "created_at": timestamp(owner["created_at"], "account.created_at")}
    unknown = {k: v for k, v in row.items() if k not in _FIELDS}
    extra = known.get("extra")
    if unknown or extra:
        known["extra"] = redact({**(extra if isinstance(extra, dict) else {}), **unknown})
    try:
        return [msgspec.convert(known, Event)]
    except msgspec.ValidationError as error:
        raise RowError(str(error)) from error
