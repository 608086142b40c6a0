"""LiteLLM's ``StandardLoggingPayload``, as its generic_api callback posts it and its S3 logger files it.

The account is the verified owner of the key, never what the client claims (``end_user``); ``litellm_call_id`` makes
redelivery harmless.
"""

from __future__ import annotations

from typing import Any

from detector.event import Account, Client, Event, Message, Params, Usage
from detector.formats.base import RowError, identifier, integer, timestamp

NAME = "litellm"
DESCRIPTION = "LiteLLM StandardLoggingPayload (generic_api, S3 and JSONL logs)"

_NOBODY = {"default_user_id", "litellm_proxy_master_key"}


def matches(row: dict[str, Any]) -> bool:
    """True for a row with LiteLLM's call id and metadata."""
    return "litellm_call_id" in row or (
        "call_type" in row and isinstance(row.get("metadata"), dict) and "user_api_key_hash" in row["metadata"]
    )


def convert(row: dict[str, Any], account: str | None = None) -> list[Event]:
    """The event of a row. Raises RowError."""
    metadata = _dict(row.get("metadata"))
    parameters = _dict(row.get("model_parameters"))
    usage = _dict(metadata.get("usage_object"))
    failed = row.get("status") == "failure"
    error = _dict(row.get("error_information"))
    messages = row.get("messages")
    return [
        Event(
            event_id=identifier(row.get("litellm_call_id") or row.get("id"), "litellm_call_id") or "",
            timestamp=timestamp(row.get("startTime"), "startTime"),
            account_id=_owner(metadata, account),
            organization_id=_text(metadata.get("user_api_key_org_id") or metadata.get("user_api_key_team_id")),
            api_key_id=_text(metadata.get("user_api_key_hash")),
            end_user_id=_text(row.get("end_user")),
            session_id=_text(row.get("session_id")),
            model=_text(row.get("model_group") or row.get("model")),
            operation=_text(row.get("call_type")),
            messages=_messages(messages),
            tools=parameters.get("tools") if isinstance(parameters.get("tools"), list) else None,
            params=Params(
                temperature=_number(parameters.get("temperature")),
                top_p=_number(parameters.get("top_p")),
                max_tokens=integer(
                    parameters.get("max_tokens")
                    or parameters.get("max_completion_tokens")
                    or parameters.get("max_output_tokens")
                ),
                n=integer(parameters.get("n")),
                logprobs=parameters["logprobs"] if isinstance(parameters.get("logprobs"), bool | int) else None,
                top_logprobs=integer(parameters.get("top_logprobs")),
                seed=integer(parameters.get("seed")),
                logit_bias=parameters["logit_bias"] if _is_bias(parameters.get("logit_bias")) else None,
                stream=bool(row.get("stream")),
            ),
            usage=Usage(
                input_tokens=integer(row.get("prompt_tokens")),
                output_tokens=integer(row.get("completion_tokens")),
                reasoning_tokens=integer(_dict(usage.get("completion_tokens_details")).get("reasoning_tokens")),
                cached_input_tokens=integer(_dict(usage.get("prompt_tokens_details")).get("cached_tokens")),
            ),
            response=_response(row.get("response")),
            status=integer(error.get("error_code")) or 500 if failed else 200,
            latency_ms=_milliseconds(row),
            client=Client(ip=_text(row.get("requester_ip_address")), user_agent=_text(row.get("user_agent"))),
            account=Account(
                email_domain=_domain(metadata.get("user_api_key_user_email")),
                plan=_text(_dict(metadata.get("user_api_key_auth_metadata")).get("plan")),
            ),
        )
    ]


def _owner(metadata: dict[str, Any], account: str | None) -> str:
    """The verified owner: user, else team, else key."""
    for field in ("user_api_key_user_id", "user_api_key_team_id", "user_api_key_hash"):
        value = metadata.get(field)
        if value and value not in _NOBODY:
            return identifier(value, f"metadata.{field}") or ""
    if metadata.get("user_api_key_hash"):
        return str(metadata["user_api_key_hash"])
    if account:
        return account
    raise RowError("metadata: names no user, team or key; was redact_user_api_key_info switched on?")


def _messages(messages: Any) -> list[Message]:
    if isinstance(messages, str):
        return [Message(role="user", content=messages)]
    if not isinstance(messages, list):
        return []
    out = []
    for message in messages:
        if isinstance(message, dict):
            content = message.get("content")
            out.append(
                Message(
                    role=str(message.get("role") or "user"),
                    content=content if isinstance(content, str | list) else None,
                )
            )
    return out


def _response(response: Any) -> Any:
    if not isinstance(response, dict):
        return response or None
    for choice in response.get("choices") or ():
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict) and message.get("content"):
            return message["content"]
    texts = [
        part.get("text")
        for item in response.get("output") or ()
        if isinstance(item, dict)
        for part in item.get("content") or ()
        if isinstance(part, dict)
    ]
    return "\n".join(t for t in texts if isinstance(t, str)) or None


def _milliseconds(row: dict[str, Any]) -> float | None:
    seconds = _number(row.get("response_time"))
    return None if seconds is None else seconds * 1000


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return str(value)[:1024] if value not in (None, "") else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_bias(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(v, int | float) for v in value.values())


def _domain(email: Any) -> str | None:
    return email.rpartition("@")[2].lower() or None if isinstance(email, str) and "@" in email else None
