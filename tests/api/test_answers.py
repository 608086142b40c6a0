"""What answers carry beside their body: headers for browsers, tags for gateways."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from api.schemas.base import Role
from api.storage import cases, decisions
from api.storage.engine import Database
from tests.api.builders import account

Headers = dict[Role, dict[str, str]]


def store(database: Database, account_id: str, risk: float) -> None:
    """Store a finding as the worker does."""
    with database.write("findings") as connection:
        cases.store(connection, [account(account_id, risk)], datetime.now(UTC))


def publish(http: TestClient) -> None:
    """Publish as the worker does."""
    http.app.state.publisher.publish()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", ["/healthz", "/metrics", "/openapi.json", "/v1/cases", "/v1/cases/unknown", "/v1/me", "/nothing"]
)
def test_every_answer_is_guarded(path: str, http: TestClient, headers: Headers) -> None:
    """Good or bad, no answer is run, framed, guessed at or kept by a browser."""
    for sent in (headers["admin"], {}):
        answer = http.get(path, headers=sent)
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_requests_are_measured_by_pattern(http: TestClient, headers: Headers) -> None:
    """Times are kept by route and status; neither ids, unknown paths nor invented methods make labels."""
    http.get("/v1/cases/some_account", headers=headers["analyst"])
    http.get("/some_path")
    http.request("INVENT", "/v1/me")
    text = http.get("/metrics").text
    assert 'distillwatch_request_seconds_count{method="GET",route="/v1/cases/{account_id:path}",status="404"}' in text
    assert all(word not in text for word in ("some_account", "some_path", "INVENT"))


@pytest.mark.parametrize("path", ["/v1/verdicts/a", "/v1/verdicts", "/v1/verdicts?since=2026-01-01T00:00:00Z"])
def test_verdicts_are_sent_once(path: str, http: TestClient, headers: Headers, database: Database) -> None:
    """Who has the verdict is answered 304 until an assessment or a person changes it."""
    store(database, "a", 0.9)
    publish(http)
    tags: list[str] = []

    def ask(known: str) -> int:
        answer = http.get(path, headers={**headers["gateway"], "If-None-Match": known})
        tags.append(answer.headers["ETag"])
        return answer.status_code

    assert ask('"other"') == 200
    assert ask(tags[-1]) == 304
    assert ask(f'"other", {tags[-1]}') == 304
    store(database, "a", 0.6)
    publish(http)
    assert ask(tags[-1]) == 200
    assert ask(tags[-1]) == 304
    decisions.decide(database, "account", "a", "dismiss", "known customer", "me")
    publish(http)
    assert ask(tags[-1]) == 200
    assert len(set(tags)) == 3
