"""Made-up rows of the shapes that gateways send, for the tests of the formats."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from detector.event import MAX_COUNT, Account, Client, Event, Message, Params, Usage

TIME = "2026-09-07T10:15:00.250Z"


def row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A canonical row."""
    base = {
        "event_id": f"e{number}",
        "timestamp": TIME,
        "account_id": "acct_a",
        "messages": [{"role": "user", "content": f"Question {number}?"}],
        "usage": {"input_tokens": 12, "output_tokens": 34},
        "response": "An answer.",
    }
    return {**base, **fields}


def litellm(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A row as LiteLLM's generic_api callback sends it, without the parts that nobody reads."""
    base: dict[str, Any] = {
        "id": f"chatcmpl-{number}",
        "litellm_call_id": f"call-{number}",
        "trace_id": "chosen-by-the-client",
        "session_id": "",
        "call_type": "acompletion",
        "stream": None,
        "status": "success",
        "startTime": 1788776100.25,
        "endTime": 1788776101.0,
        "response_time": 0.75,
        "model": "openai/gpt-4o",
        "model_group": "gpt-4o",
        "metadata": {
            "user_api_key_hash": "0f" * 32,
            "user_api_key_user_id": "user-dora",
            "user_api_key_user_email": "dora@Example.test",
            "user_api_key_team_id": "team-7",
            "user_api_key_org_id": None,
            "user_api_key_end_user_id": "claimed",
            "user_api_key_auth_metadata": {"plan": "pro"},
            "usage_object": {
                "completion_tokens_details": {"reasoning_tokens": 5},
                "prompt_tokens_details": {"cached_tokens": 3},
            },
            "requester_metadata": {"headers": {"x-api-key": "sk-made-up-123456789"}},
        },
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "end_user": "claimed",
        "requester_ip_address": "198.51.100.9",
        "user_agent": "client/2",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."}],
        "response": {
            "choices": [{"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": "Elbe."}}]
        },
        "model_parameters": {
            "temperature": 0.5,
            "max_tokens": 99,
            "n": 2,
            "user": "claimed",
            "tools": [{"type": "function", "function": {"name": "lookup"}}],
        },
        "model_map_information": {"model_map_key": "gpt-4o", "model_map_value": {"max_tokens": 1}},
        "error_information": {"error_code": ""},
    }
    return {**base, **fields}


def encode(value: Any) -> bytes:
    """JSON as bytes."""
    return json.dumps(value).encode()


# Text without halves of surrogate pairs, which JSON cannot hold
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
times = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(2099, 12, 31),
    timezones=st.just(UTC),
)
counts = st.none() | st.integers(0, MAX_COUNT)
settings_ = st.none() | st.floats(-10, 10)
contents = st.none() | texts | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=3)

events = st.builds(
    Event,
    event_id=ids,
    timestamp=times,
    account_id=ids,
    organization_id=st.none() | texts,
    end_user_id=st.none() | texts,
    model=st.none() | texts,
    system=contents,
    messages=st.lists(st.builds(Message, role=texts, content=contents), max_size=3),
    tools=st.none() | st.lists(texts, max_size=3),
    params=st.builds(Params, temperature=settings_, max_tokens=counts, logprobs=st.none() | st.booleans()),
    usage=st.builds(Usage, input_tokens=counts, output_tokens=counts),
    response=st.none() | texts,
    status=st.none() | st.integers(100, 599),
    latency_ms=st.none() | st.floats(0, 1e9),
    client=st.builds(Client, ip=st.none() | texts, asn=counts),
    account=st.builds(Account, created_at=st.none() | times, plan=st.none() | texts),
)
