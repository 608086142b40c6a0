"""Calls told of in several requests: one event each, through the API and the worker's joining."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.services.content import ContentPolicy
from api.services.joining import join_due
from api.settings import Settings
from api.storage import events, parts
from api.storage.engine import Database
from detector.event import Event
from tests.detector.formats import gateways
from tests.detector.formats.otlp.requests import CALL, CONTENT, log, logs, span, traces

Headers = dict[str, dict[str, str]]
SERVER = {"tenant.id": "acme", "client.address": "198.51.100.9"}
TURNS = [
    log(2, "gen_ai.user.message", body={"content": "Name a river."}),
    log(2, "gen_ai.choice", body={"message": {"role": "assistant", "content": "Elbe."}}),
]
OTLP = [traces(span(1, SERVER)), traces(span(2, CALL, parent=1)), *(logs(turn) for turn in TURNS)]
LANGFUSE = [{"batch": [item]} for item in gateways.langfuse()["batch"]]


def post(http: TestClient, headers: Headers, request: dict[str, Any]) -> None:
    """Send a request where its kind goes."""
    path = (
        "/v1/traces"
        if "resourceSpans" in request
        else "/v1/logs"
        if "resourceLogs" in request
        else "/api/public/ingestion"
    )
    answer = http.post(
        path, content=json.dumps(request), headers={**headers["gateway"], "Content-Type": "application/json"}
    )
    assert answer.is_success, answer.text
    assert answer.json().get("errors", []) == []


def join(database: Database, minutes: float = 0.5) -> None:
    """Join what is due after some time."""
    while join_due(database, ContentPolicy(database, Settings()), datetime.now(UTC) + timedelta(minutes=minutes)):
        pass


def stored(database: Database) -> list[Event]:
    """All events of the log."""
    with database.read() as connection:
        return [s.event for s in events.after(connection, 0, 10_000) if s.event]


def waiting(database: Database) -> int:
    """How many parts wait."""
    with database.read() as connection:
        return parts.count(connection)


@pytest.mark.parametrize("requests", [OTLP, LANGFUSE], ids=["otlp", "langfuse"])
def test_records_of_several_requests_are_one_event(
    requests: list[dict[str, Any]], http: TestClient, headers: Headers, database: Database
) -> None:
    """Nothing is stored before the call has waited for its other records; then there is one event with all they say."""
    for request in [*requests, requests[0], requests[-1]]:
        post(http, headers, request)
    assert stored(database) == []
    assert waiting(database) == len(requests)
    join(database, 0)
    assert stored(database) == []
    join(database)
    (event,) = stored(database)
    assert (event.account_id, event.messages[-1].content, event.response) == ("acme", "Name a river.", "Elbe.")
    join(database, minutes=60)
    assert waiting(database) == 0
    assert stored(database) == [event]


def test_a_whole_call_is_stored_at_once(http: TestClient, headers: Headers, database: Database) -> None:
    """A call with its content under its outermost span waits for nothing."""
    post(http, headers, traces(span(1, SERVER), span(2, {**CALL, **CONTENT}, parent=1)))
    assert [(e.account_id, e.response) for e in stored(database)] == [("acme", "Elbe.")]
    assert waiting(database) == 0


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_when(data: st.DataObject, http: TestClient, headers: Headers, database: Database) -> None:
    """In any order, sent again, with joins in between: one event for the call, with its content and usage."""
    trace = data.draw(st.integers(1, 2**100)).to_bytes(16, "big").hex()
    order = data.draw(st.permutations(OTLP[1:])) + data.draw(st.lists(st.sampled_from(OTLP), max_size=2))
    cut = data.draw(st.integers(0, len(order)))
    post(http, headers, json.loads(json.dumps(OTLP[0]).replace("ab" * 16, trace)))
    for number, request in enumerate(order):
        if number == cut:
            join(database)
        post(http, headers, json.loads(json.dumps(request).replace("ab" * 16, trace)))
    join(database)
    (event,) = (e for e in stored(database) if e.event_id.startswith(trace))
    assert (event.account_id, event.response, event.usage.output_tokens) == ("acme", "Elbe.", 20)
    assert event.messages[-1].content == "Name a river."


def test_a_group_that_fails_keeps_no_other_waiting(
    http: TestClient, headers: Headers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that cannot be read is logged and gone; the other calls are joined."""
    post(http, headers, OTLP[1])
    now = datetime.now(UTC)
    broken = parts.Part(family="otlp", group="broken", patient=False, data=b"{")
    with database.write("events") as connection:
        parts.insert(connection, [parts.to_row(broken, now, None, "key:g", now)])
    join(database)
    assert len(stored(database)) == 1
    assert waiting(database) == 0


def test_who_names_nobody_belongs_to_the_key(http: TestClient, headers: Headers, database: Database) -> None:
    """A call that no span names an owner for is the key's, or the account's that is given with the request."""
    post(http, headers, traces({**span(2, CALL), "traceId": "cd" * 16}))
    body = json.dumps(traces({**span(2, CALL), "traceId": "ef" * 16}))
    sent = {**headers["gateway"], "Content-Type": "application/json"}
    assert http.post("/v1/traces?account=given", content=body, headers=sent).is_success
    join(database)
    assert sorted(e.account_id for e in stored(database)) == ["given", "key:the gateway"]


def test_a_trace_that_never_ends_is_joined_piece_by_piece(
    http: TestClient, headers: Headers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many records one trace has, a bounded number of them is read at once and all become events."""
    monkeypatch.setattr(parts, "MAX_OF_A_GROUP", 10)
    post(http, headers, traces(*(span(n, CALL) for n in range(1, 96))))
    rounds = 0
    while waiting(database):
        join_due(database, ContentPolicy(database, Settings()), datetime.now(UTC) + timedelta(minutes=1))
        rounds += 1
    assert (rounds, len(stored(database))) == (10, 95)
