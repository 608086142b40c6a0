"""LiteLLM: the account is the verified owner, whatever the client claims."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detector.formats import parse_body


def payload(**changes: Any) -> dict[str, Any]:
    """A row in the shape of StandardLoggingPayload, made for the test."""
    metadata = {
        "user_api_key_hash": "0" * 64,
        "user_api_key_user_id": "user-a",
        "user_api_key_team_id": "team-a",
        "user_api_key_org_id": None,
        "user_api_key_user_email": "a@corp.example",
        "user_api_key_auth_metadata": {"plan": "pro"},
        "usage_object": {"completion_tokens_details": {"reasoning_tokens": 3}},
    }
    row = {
        "litellm_call_id": "call-1",
        "call_type": "acompletion",
        "stream": True,
        "status": "success",
        "startTime": 1788776100.5,
        "response_time": 0.25,
        "model": "openai/m",
        "model_group": "m",
        "metadata": {**metadata, **changes.pop("metadata", {})},
        "prompt_tokens": 7,
        "completion_tokens": 11,
        "end_user": "claimed",
        "requester_ip_address": "192.0.2.1",
        "user_agent": "curl",
        "messages": [{"role": "user", "content": "hi"}],
        "response": {"choices": [{"message": {"role": "assistant", "content": "hello"}}]},
        "model_parameters": {"temperature": 0.5, "max_tokens": 9, "n": 2},
    }
    return {**row, **changes}


def one(row: dict[str, Any]) -> Any:
    """The only event of a row."""
    (event,) = parse_body(json.dumps(row).encode(), "litellm").events
    return event


def test_fields_arrive() -> None:
    """Identity, usage, parameters, answer and client are mapped."""
    event = one(payload())
    assert (event.event_id, event.account_id, event.api_key_id, event.end_user_id, event.model) == (
        "call-1",
        "user-a",
        "0" * 64,
        "claimed",
        "m",
    )
    assert (event.usage.input_tokens, event.usage.output_tokens, event.usage.reasoning_tokens) == (7, 11, 3)
    assert (event.params.temperature, event.params.max_tokens, event.params.n, event.params.stream) == (0.5, 9, 2, True)
    assert (event.response, event.status, event.latency_ms, event.client.ip, event.account.email_domain) == (
        "hello",
        200,
        250.0,
        "192.0.2.1",
        "corp.example",
    )


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"user_api_key_user_id": "default_user_id"}, "team-a"),
        ({"user_api_key_user_id": None, "user_api_key_team_id": None}, "0" * 64),
        ({"user_api_key_user_id": "user-b"}, "user-b"),
    ],
)
def test_the_owner_is_verified(metadata: dict[str, Any], owner: str) -> None:
    """User, else team, else key; the claimed end user is never the account."""
    assert one(payload(metadata=metadata)).account_id == owner


def test_failures_and_responses_api() -> None:
    """A failed call keeps its status; the Responses API's output is the answer."""
    assert one(payload(status="failure", response={}, error_information={"error_code": "429"})).status == 429
    assert (
        one(payload(response={"output": [{"content": [{"type": "output_text", "text": "well"}]}]})).response == "well"
    )


def test_without_an_owner_the_row_is_refused() -> None:
    """A row that names nobody is rejected with a hint at the setting that hides the owner."""
    body = json.dumps(
        [
            payload(metadata={"user_api_key_user_id": None, "user_api_key_team_id": None, "user_api_key_hash": None}),
            payload(),
        ]
    ).encode()
    parsed = parse_body(body, "auto")
    assert [r.index for r in parsed.rejected] == [0]
    assert "redact_user_api_key_info" in parsed.rejected[0].error
    assert len(parsed.events) == 1
