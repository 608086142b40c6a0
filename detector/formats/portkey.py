"""Portkey's ``default.log`` and ``webhook`` hooks: the whole context of a request.

Its body holds the caller's authorization header and the provider's key inside ``x-portkey-config``; nothing of the
headers is kept but the address and the user agent. Nobody in it is verified (``metadata`` is the client's header), so the
account is the one that is given with the rows; ``metadata._user`` is the claimed end user. The only time in it is that of
an OpenAI answer; other rows have the time at which they are received. Of a streamed call there is no answer.
"""

from __future__ import annotations

from typing import Any

from detector.event import Client, Event
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    RowError,
    fingerprint,
    first,
    identifier,
    integer,
    mapping,
    named_owner,
    number,
    text,
    timestamp,
)

NAME = "portkey"
PLACED = True  # rows are told apart by their place where nothing else does it
DESCRIPTION = "Portkey gateway hook bodies (default.log, webhook)"


def matches(row: dict[str, Any]) -> bool:
    """True for a hook's context."""
    request = row.get("request")
    return isinstance(request, dict) and "requestType" in row and ("json" in request or "text" in request)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row. Raises RowError."""
    request, response = mapping(row.get("request")), mapping(row.get("response"))
    body = response.get("json") if isinstance(response.get("json"), dict) else response.get("text")
    asked = request.get("json") if isinstance(request.get("json"), dict) else request.get("text")
    fields = chat.exchange(asked, body)
    if fields["response"] is None:
        fields["response"] = text(response.get("text"), 1 << 24)
    claimed = mapping(row.get("metadata"))
    fields["end_user_id"] = text(claimed.get("_user")) or fields["end_user_id"]
    if fields["params"].stream is None and isinstance(request.get("isStreamingRequest"), bool):
        fields["params"].stream = request["isStreamingRequest"]
    headers = {str(k).lower(): v for k, v in mapping(request.get("headers")).items()}
    answered = mapping(body)
    owner = named_owner(claimed, given) or given.owner
    if not owner:
        raise RowError("account: Portkey's body names no verified owner; send it with a key that has one, or name one")
    created = first(answered, ("created", "created_at"))
    return [
        Event(
            event_id=_event_id(answered, row, owner, given),
            timestamp=timestamp(given.received if created is None else created, "response.json.created"),
            account_id=identifier(owner, "account"),
            operation=chat.operation(row.get("requestType")),
            status=integer(response.get("statusCode")),
            latency_ms=number(response.get("responseTime")),
            client=Client(ip=_address(headers), user_agent=text(headers.get("user-agent"))),
            **fields,
        )
    ]


def _event_id(answered: dict[str, Any], row: dict[str, Any], account: Any, given: Given) -> str:
    """The answer's id with a fingerprint, for providers are not bound to choose unique ones.

    Without an answer, as of a streamed call, the same prompt sent again is a request of its own: Portkey sends no row twice.
    Such rows are told apart by when they came and, in a file, by their place in it.
    """
    asked = mapping(row.get("request")).get("json")
    if not answered:
        return f"portkey.{fingerprint(account, asked, given.received, given.place)}"
    shown = text(answered.get("id"), 128) or "portkey"
    return f"{shown}.{fingerprint(account, answered, asked)}"


def _address(headers: dict[str, Any]) -> str | None:
    forwarded = text(headers.get("x-forwarded-for"))
    return forwarded.partition(",")[0].strip() if forwarded else text(headers.get("x-real-ip"))
