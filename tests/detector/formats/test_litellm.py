"""LiteLLM's rows: every field where it belongs, and the account the verified one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.event import Event
from detector.formats import FORMATS, parse_body, read
from detector.formats.base import RowError
from tests.detector.formats.bodies import encode, litellm
from tests.detector.formats.test_canonical import json_values, one


def converted(**fields: Any) -> Event:
    """The event of one row."""
    return one(parse_body(encode([litellm(**fields)])))


def with_metadata(**fields: Any) -> Event:
    """The event of a row with other metadata."""
    return converted(metadata={**litellm()["metadata"], **fields})


def test_fields() -> None:
    """Identity, parameters, usage, answer, times and client arrive in their places."""
    event = converted()
    assert event.event_id.startswith("call-1.")
    assert event.timestamp.isoformat() == "2026-09-07T10:15:00.250000+00:00"
    assert (event.account_id, event.organization_id, event.api_key_id) == ("user-dora", "team-7", "0f" * 32)
    assert (event.end_user_id, event.session_id) == ("claimed", None)
    assert (event.model, event.operation, event.status, event.latency_ms) == ("gpt-4o", "chat", 200, 750.0)
    assert [(m.role, m.content) for m in event.messages] == [("system", "Be brief."), ("user", "Name a river.")]
    assert (event.params.temperature, event.params.max_tokens, event.params.n) == (0.5, 99, 2)
    assert event.tools == ["lookup"]
    usage = event.usage
    assert (usage.input_tokens, usage.output_tokens) == (10, 20)
    assert (usage.reasoning_tokens, usage.cached_input_tokens) == (5, 3)
    assert (event.response, event.finish_reason) == ("Elbe.", "stop")
    assert (event.client.ip, event.client.user_agent) == ("198.51.100.9", "client/2")
    assert (event.account.email_domain, event.account.plan) == ("example.test", "pro")
    assert event.extra == {}


def test_array_lines_and_single_are_the_same() -> None:
    """The three log formats of the callback lead to the same events, by the fast way and the thorough one."""
    rows = [litellm(n) for n in range(3)]
    array = parse_body(encode(rows))
    assert parse_body(b"\n".join(map(encode, rows))) == array
    assert [one(parse_body(encode(r), "litellm")) for r in rows] == array.events
    assert [e for r in rows for e in FORMATS["litellm"].convert(r)] == array.events


def test_files_of_the_s3_logger(tmp_path: Path) -> None:
    """A folder of files with one request each, or of batches, holds the events that are posted."""
    rows = [litellm(n) for n in range(3)]
    posted = {e.event_id: e for e in parse_body(encode(rows)).events}
    single, batched = tmp_path / "single", tmp_path / "batched"
    for number, row in enumerate(rows):
        path = single / "team-7" / "2026-09-07" / f"{number:02}" / f"time-10-15-00-250000_{number}.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(encode(row))
    batched.mkdir()
    (batched / "batch.jsonl").write_bytes(b"\n".join(map(encode, rows)))
    for folder in (single, batched):
        found = [e for batch in read([folder], "litellm") for e in batch.events]
        assert {e.event_id: e for e in found} == posted
        assert len(found) == len(rows)


@pytest.mark.parametrize(
    ("fields", "owner"),
    [
        ({}, "user-dora"),
        ({"user_api_key_user_id": "default_user_id"}, "team-7"),
        ({"user_api_key_user_id": None, "user_api_key_team_id": None}, "0f" * 32),
        ({"user_api_key_user_id": None, "user_api_key_team_id": None, "user_api_key_org_id": "org"}, "org"),
        (
            {
                "user_api_key_user_id": "default_user_id",
                "user_api_key_team_id": None,
                "user_api_key_hash": "litellm_proxy_master_key",
            },
            "litellm_proxy_master_key",
        ),
    ],
)
def test_owner(fields: dict[str, Any], owner: str) -> None:
    """The account is the key's user, else its team or organization, else the key; never the claimed end user."""
    assert with_metadata(**fields).account_id == owner


def test_a_key_is_never_stored_as_it_is() -> None:
    """Where a key stands in place of its hash, its hash is stored."""
    event = with_metadata(user_api_key_hash="sk-1234567890", user_api_key_user_id=None, user_api_key_team_id=None)
    assert event.account_id == event.api_key_id
    assert len(event.account_id) == 64
    assert "sk-" not in event.account_id


def test_client_chosen_call_ids_do_not_hide_requests() -> None:
    """A row sent again keeps its id; another request under the same call id, which clients may choose, has another."""
    first, again = converted(), converted()
    other = converted(startTime=1788776200.0, id="chatcmpl-other")
    assert first.event_id == again.event_id != other.event_id
    assert len(converted(litellm_call_id="x" * 256).event_id) == 256


def test_nobody() -> None:
    """Without any owner a row is refused with the likely cause, or goes to the account that was given."""
    row = litellm(metadata={})
    assert "redact_user_api_key_info" in parse_body(encode(row)).rejected[0].error
    assert one(parse_body(encode(row), account="ours")).account_id == "ours"


def test_refused_key() -> None:
    """The row of a refused key is kept, under the key's hash and with the status, so that probing can be seen."""
    event = converted(
        status="failure",
        response={},
        error_information={"error_code": "401", "error_class": "ProxyException"},
        metadata={"user_api_key_hash": "ab" * 32, "user_api_key_user_id": None},
    )
    assert (event.account_id, event.status, event.response) == ("ab" * 32, 401, None)


def test_failure_without_a_code() -> None:
    """A failure that names no code counts as one."""
    assert converted(status="failure", response={}).status == 500


def test_streaming() -> None:
    """A streamed request is marked, whichever field says so."""
    assert converted(stream=True).params.stream is True
    assert converted(model_parameters={"stream": True}).params.stream is True
    assert converted(model_parameters={"stream": False}).params.stream is False


def test_responses_api() -> None:
    """The output of the Responses API is read: text, tool calls and the summary of reasoning."""
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "First thought."}]},
        {"type": "function_call", "name": "lookup", "arguments": "{}"},
        {"type": "message", "content": [{"type": "output_text", "text": "Done."}]},
    ]
    event = converted(call_type="aresponses", response={"output": output, "status": "completed"})
    assert event.response == {
        "content": "Done.",
        "tool_calls": [{"name": "lookup", "arguments": "{}"}],
        "reasoning": "First thought.",
    }
    assert (event.operation, event.finish_reason) == ("responses", "completed")


def test_anthropic_response() -> None:
    """Content blocks as Anthropic sends them are read where LiteLLM passes them on."""
    blocks = [{"type": "text", "text": "Yes."}, {"type": "tool_use", "name": "bash", "input": {"cmd": "ls"}}]
    event = converted(call_type="anthropic_messages", response={"content": blocks, "stop_reason": "tool_use"})
    assert event.response == {"content": "Yes.", "tool_calls": [{"name": "bash", "arguments": {"cmd": "ls"}}]}
    assert (event.operation, event.finish_reason) == ("chat", "tool_use")


def test_tool_turns() -> None:
    """Tool calls and results in the history keep their roles."""
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "42"},
        {"role": "user", "content": [{"type": "tool_result", "content": "43"}, {"type": "text", "text": "go on"}]},
    ]
    assert [(m.role, m.content) for m in converted(messages=turns).messages] == [
        ("assistant", None),
        ("tool", "42"),
        ("tool", "43"),
        ("user", "go on"),
    ]


def test_without_content() -> None:
    """A row whose content was switched off is an event without text."""
    event = converted(messages="redacted-by-litellm", response=None)
    assert event.response is None
    assert event.usage.output_tokens == 20


def test_bad_rows_are_named_by_index() -> None:
    """A row without an id or a time is named, the others are kept."""
    found = parse_body(encode([litellm(1), litellm(2, litellm_call_id=None, id=None), litellm(3, startTime="soon")]))
    assert [e.event_id.partition(".")[0] for e in found.events] == ["call-1"]
    assert [(r.index, r.error.partition(":")[0]) for r in found.rejected] == [(1, "litellm_call_id"), (2, "startTime")]


@settings(max_examples=200, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(sorted(litellm())), json_values))
def test_any_value_in_any_field(fields: dict[str, Any]) -> None:
    """Whatever stands in any field, the row is read or refused in words."""
    try:
        found = FORMATS["litellm"].convert(litellm(**fields))
    except RowError as error:
        reason = str(error)
        assert reason
    else:
        assert len(found) == 1
