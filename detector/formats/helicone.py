"""Helicone's manual logger (``/custom/v1/log``): a request, its answer and the timing.

User, session and properties travel as HTTP headers (``Helicone-User-Id`` and so on) or, by its Python logger, inside
``providerResponse.headers``. The user id is set by the application that logs, and taken for the account unless
a property is configured to name it; the properties are kept in ``extra``. A streamed answer comes as its chunks.
"""

from __future__ import annotations

from typing import Any

from detector.event import Event
from detector.formats import chat, streams
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    fingerprint,
    identifier,
    integer,
    mapping,
    named_owner,
    number,
    text,
    timestamp,
)

NAME = "helicone"
DESCRIPTION = "Helicone manual logger bodies"

_PROPERTY = "helicone-property-"


def matches(row: dict[str, Any]) -> bool:
    """True for the logger's body."""
    return isinstance(row.get("providerRequest"), dict) and "providerResponse" in row


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row. Raises RowError."""
    request, response, timing = (mapping(row.get(name)) for name in ("providerRequest", "providerResponse", "timing"))
    headers = {str(k).lower(): v for k, v in mapping(response.get("headers")).items()}
    headers |= {str(k).lower(): v for k, v in mapping(request.get("meta")).items()}
    told = response.get("textBody")
    body = mapping(response.get("json")) or (streams.whole(told) if isinstance(told, str) else told)
    fields = chat.exchange(request.get("json"), body)
    extra = {k.removeprefix(_PROPERTY): v for k, v in headers.items() if k.startswith(_PROPERTY)}
    user = text(headers.get("helicone-user-id"))
    started, ended = _seconds(timing.get("startTime")), _seconds(timing.get("endTime"))
    return [
        Event(
            event_id=f"helicone-{fingerprint(row)}",
            timestamp=timestamp(started, "timing.startTime"),
            account_id=identifier(named_owner(extra, given) or user or given.owner, "Helicone-User-Id"),
            session_id=text(headers.get("helicone-session-id")),
            operation=chat.operation("chat") if fields["messages"] else None,
            status=integer(response.get("status")),
            latency_ms=max(0.0, ended - started) * 1000 if started is not None and ended is not None else None,
            extra=extra,
            **fields,
        )
    ]


def _seconds(value: Any) -> float | None:
    parts = mapping(value)
    whole = number(parts.get("seconds"))
    return None if whole is None else whole + (number(parts.get("milliseconds")) or 0.0) / 1000
