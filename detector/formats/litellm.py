"""LiteLLM's ``StandardLoggingPayload``, as its generic_api callback posts it and its S3 logger files it.

The account is the verified owner of the key, never what the client claims (``end_user``, ``trace_id``, tags). The event's
id is ``litellm_call_id`` with a fingerprint of the key, the times and the answer's id: a row sent again has the same, but
a client that sets the call id itself (header ``x-litellm-call-id``) cannot pass off its requests as one. Headers, costs and
the model map, most of a row's bytes, are skipped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detector.event import MAX_ID_CHARS, Account, Client, Event, Params
from detector.formats import chat
from detector.formats.base import (
    NOTHING_GIVEN,
    Given,
    RowError,
    count,
    explain,
    fingerprint,
    first,
    flag,
    identifier,
    integer,
    key_id,
    mapping,
    number,
    text,
    timestamp,
)

NAME = "litellm"
DESCRIPTION = "LiteLLM StandardLoggingPayload (generic_api, S3 and JSONL logs)"

_NOBODY = ("default_user_id", "litellm_proxy_master_key")  # what LiteLLM writes where no user or key is meant
FAILED = 500  # status of a failure that names no code


class Payload(msgspec.Struct):
    """The fields we read; a decoder skips all others. Nothing is typed here, so that no surprise loses a row."""

    litellm_call_id: Any = None
    id: Any = None
    session_id: Any = None
    call_type: Any = None
    stream: Any = None
    status: Any = None
    startTime: Any = None
    endTime: Any = None
    response_time: Any = None
    model: Any = None
    model_group: Any = None
    metadata: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    end_user: Any = None
    requester_ip_address: Any = None
    user_agent: Any = None
    messages: Any = None
    response: Any = None
    model_parameters: Any = None
    error_information: Any = None


def matches(row: dict[str, Any]) -> bool:
    """True for a row with LiteLLM's call id, or its call type and key."""
    return "litellm_call_id" in row or (
        "call_type" in row and isinstance(row.get("metadata"), dict) and "user_api_key_hash" in row["metadata"]
    )


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a row. Raises RowError."""
    try:
        return [from_payload(msgspec.convert(row, Payload), given)]
    except (msgspec.ValidationError, RecursionError) as error:
        raise RowError(explain(error)) from error


def from_payload(row: Payload, given: Given = NOTHING_GIVEN) -> Event:
    """The event of a decoded row. Raises RowError."""
    metadata = mapping(row.metadata)
    request = mapping(row.model_parameters)
    turns = chat.messages(row.messages)
    response, finish_reason = chat.answer(row.response)
    return Event(
        event_id=_event_id(row, metadata),
        timestamp=timestamp(row.startTime if row.startTime is not None else row.endTime, "startTime"),
        account_id=_owner(metadata, given),
        organization_id=text(first(metadata, ("user_api_key_org_id", "user_api_key_team_id"))),
        api_key_id=key_id(metadata.get("user_api_key_hash")),
        end_user_id=text(row.end_user if row.end_user else metadata.get("user_api_key_end_user_id")),
        session_id=text(row.session_id),
        model=text(row.model_group or row.model),
        operation=chat.operation(row.call_type),
        system=None if any(t.role == "system" for t in turns) else chat.system(request),
        messages=turns,
        tools=chat.tools(request.get("tools")),
        params=_params(request, row.stream),
        usage=_usage(row, metadata),
        response=response,
        finish_reason=finish_reason,
        status=_status(row),
        latency_ms=_latency(row),
        client=Client(
            ip=text(row.requester_ip_address or metadata.get("requester_ip_address")),
            user_agent=text(row.user_agent or metadata.get("user_agent")),
        ),
        account=Account(
            email_domain=_domain(metadata.get("user_api_key_user_email")),
            plan=text(mapping(metadata.get("user_api_key_auth_metadata")).get("plan")),
        ),
    )


def _event_id(row: Payload, metadata: dict[str, Any]) -> str:
    call = identifier(row.litellm_call_id or row.id, "litellm_call_id")
    mark = fingerprint(metadata.get("user_api_key_hash"), row.startTime, row.endTime, row.id)
    return f"{call[: MAX_ID_CHARS - len(mark) - 1]}.{mark}"


def _owner(metadata: dict[str, Any], given: Given) -> str:
    """The verified owner: the key's user, else its team, organization or project, else the key itself.

    The row of a refused key names nobody but the key's hash, which then stands for whoever probes with it.
    """
    for field in (
        "user_api_key_user_id",
        "user_api_key_team_id",
        "user_api_key_org_id",
        "user_api_key_project_id",
        "user_api_key_hash",
    ):
        value = metadata.get(field)
        if value and value not in _NOBODY:
            owner = identifier(value, f"metadata.{field}")
            return key_id(owner) or owner
    if given.account:
        return given.account
    if metadata.get("user_api_key_hash"):
        return str(metadata["user_api_key_hash"])  # all that uses the master key is the operator's own
    if given.sender:
        return given.sender
    raise RowError("metadata: names no user, team or key; was redact_user_api_key_info switched on?")


def _params(request: dict[str, Any], streamed: Any) -> Params:
    params = chat.params(request)
    if params.stream is None or streamed is True:
        params.stream = flag(streamed)
    return params


def _usage(row: Payload, metadata: dict[str, Any]) -> Any:
    body = mapping(row.response)
    usage = chat.usage(mapping(metadata.get("usage_object")) or mapping(body.get("usage")))
    total_in, total_out = count(row.prompt_tokens), count(row.completion_tokens)
    usage.input_tokens = usage.input_tokens if total_in is None else total_in
    usage.output_tokens = usage.output_tokens if total_out is None else total_out
    return usage


def _status(row: Payload) -> int:
    if row.status != "failure":
        return 200
    return integer(mapping(row.error_information).get("error_code")) or FAILED


def _latency(row: Payload) -> float | None:
    seconds = number(row.response_time)
    if seconds is None:
        start, end = number(row.startTime), number(row.endTime)
        seconds = end - start if start is not None and end is not None else None
    return None if seconds is None or seconds < 0 else seconds * 1000


def _domain(email: Any) -> str | None:
    return text(email.rpartition("@")[2].lower()) if isinstance(email, str) and "@" in email else None
