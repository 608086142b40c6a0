"""Who may do what; the queue, decisions, keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from api.schemas.account import AccountDetail
from api.schemas.base import Role
from api.schemas.campaign import CampaignDetail
from api.schemas.overview import Overview
from api.schemas.queue import CasePage, CaseSort
from api.storage import audit, campaigns, cases
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding
from tests.api.builders import START, account, body, campaign, row

Headers = dict[Role, dict[str, str]]
EVERYONE = set(get_args(Role))
READERS = EVERYONE - {"gateway"}

MATRIX: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/v1/events", [], {"gateway", "admin"}),
    ("POST", "/v1/ingest/litellm", [], {"gateway", "admin"}),
    ("POST", "/v1/traces", None, {"gateway", "admin"}),
    ("POST", "/v1/logs", None, {"gateway", "admin"}),
    ("POST", "/v1/metrics", None, {"gateway", "admin"}),
    ("POST", "/api/public/otel/v1/traces", None, {"gateway", "admin"}),
    ("POST", "/api/public/ingestion", None, {"gateway", "admin"}),
    ("GET", "/api/public/projects", None, {"gateway", "admin"}),
    ("POST", "/custom/v1/log", None, {"gateway", "admin"}),
    ("POST", "/oai/v1/log", None, {"gateway", "admin"}),
    ("POST", "/anthropic/v1/log", None, {"gateway", "admin"}),
    ("GET", "/v1/me", None, EVERYONE),
    ("GET", "/v1/verdicts/a", None, EVERYONE),
    ("GET", "/v1/verdicts", None, EVERYONE),
    ("GET", "/v1/overview", None, READERS),
    ("GET", "/v1/performance", None, READERS),
    ("GET", "/v1/cases", None, READERS),
    ("GET", "/v1/cases/a", None, READERS),
    ("GET", "/v1/campaigns", None, READERS),
    ("GET", "/v1/campaigns/c", None, READERS),
    ("GET", "/v1/clusters", None, READERS),
    ("POST", "/v1/cases/a/decisions", {"decision": "confirm", "reason": "seen"}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/campaigns/c/decisions", {"decision": "confirm", "reason": "seen"}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/decisions/1/undo", {"reason": "a slip"}, {"analyst", "lead", "admin"}),
    ("GET", "/v1/decisions/1/evidence", None, READERS),
    ("GET", "/v1/approvals", None, READERS),
    ("POST", "/v1/approvals/action/1/approve", {"reason": "seen"}, {"lead", "admin"}),
    ("POST", "/v1/approvals/exception/1/approve", {"reason": "seen"}, {"lead", "admin"}),
    ("POST", "/v1/approvals/unmasking/1/approve", {"reason": "seen"}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/approvals/action/1/end", {"reason": "seen"}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/approvals/bulk/1/approve", {"reason": "seen"}, {"lead", "admin"}),
    ("POST", "/v1/cases/a/claim", None, {"analyst", "lead", "admin"}),
    ("POST", "/v1/cases/a/release", None, {"analyst", "lead", "admin"}),
    ("GET", "/v1/bulk", None, READERS),
    ("POST", "/v1/bulk", {}, {"analyst", "lead", "admin"}),
    ("GET", "/v1/bulk/1/items", None, READERS),
    ("GET", "/v1/twins", None, READERS),
    ("GET", "/v1/reasons", None, READERS),
    ("GET", "/v1/campaigns/c/graph", None, READERS),
    ("GET", "/v1/releases", None, READERS),
    ("GET", "/v1/groupings", None, READERS),
    ("POST", "/v1/groupings/preview", {}, READERS),
    ("POST", "/v1/groupings", {}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/groupings/1/undo", {}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/approvals/grouping/1/approve", {"reason": "seen"}, {"lead", "admin"}),
    ("GET", "/v1/exceptions", None, READERS),
    ("POST", "/v1/exceptions", {}, {"analyst", "lead", "admin"}),
    ("POST", "/v1/unmaskings", {}, {"analyst", "lead", "admin"}),
    ("GET", "/v1/actions", None, READERS),
    ("POST", "/v1/actions/1/approve", {"reason": "seen"}, {"lead", "admin"}),
    ("POST", "/v1/actions/1/end", {"reason": "seen"}, {"analyst", "lead", "admin"}),
    ("GET", "/v1/enforcement", None, READERS),
    ("PUT", "/v1/enforcement", {"mode": "all", "reason": "seen"}, {"lead", "admin"}),
    ("GET", "/v1/signals", None, READERS),
    ("PUT", "/v1/signals/grading", {"state": "shadow", "reason": "seen"}, {"lead", "admin"}),
    ("GET", "/v1/webhooks", None, {"lead", "admin", "auditor"}),
    ("POST", "/v1/webhooks", {}, {"admin"}),
    ("DELETE", "/v1/webhooks/0", None, {"admin"}),
    ("POST", "/v1/webhooks/0/rotate", None, {"admin"}),
    ("POST", "/v1/webhooks/0/enable", None, {"admin"}),
    ("POST", "/v1/webhooks/0/disable", None, {"admin"}),
    ("POST", "/v1/webhooks/0/test", None, {"admin"}),
    ("GET", "/v1/webhooks/0/deliveries", None, {"lead", "admin", "auditor"}),
    ("POST", "/v1/webhooks/0/deliveries/1/again", None, {"admin"}),
    ("GET", "/v1/audit", None, {"lead", "admin", "auditor"}),
    ("GET", "/v1/keys", None, {"admin"}),
    ("POST", "/v1/keys", {"name": "n", "role": "analyst"}, {"admin"}),
    ("DELETE", "/v1/keys/none", None, {"admin"}),
    ("DELETE", "/v1/sessions", None, EVERYONE),
    ("GET", "/v1/people", None, {"lead", "admin", "auditor"}),
    ("POST", "/v1/people", {}, {"admin"}),
    ("PUT", "/v1/people/p", {}, {"admin"}),
    ("DELETE", "/v1/people/p", None, {"admin"}),
    ("GET", "/v1/retention", None, READERS),
    ("PUT", "/v1/retention", {}, {"admin"}),
    ("GET", "/v1/content", None, READERS),
    ("PUT", "/v1/content/a", {}, {"admin"}),
    ("DELETE", "/v1/content/a", None, {"admin"}),
    ("GET", "/v1/jobs", None, READERS),
    ("POST", "/v1/jobs", {}, {"analyst", "lead", "admin"}),
    ("GET", "/v1/jobs/0", None, READERS),
    ("POST", "/v1/jobs/0/cancel", None, {"analyst", "lead", "admin"}),
    ("DELETE", "/v1/jobs/0", None, {"lead", "admin"}),
    ("GET", "/v1/jobs/0/files/report.html", None, READERS),
    ("POST", "/v1/uploads", None, {"analyst", "lead", "admin"}),
    ("GET", "/v1/files", None, READERS),
    ("POST", "/v1/similar", {}, READERS),
    ("GET", "/v1/top", None, READERS),
    ("GET", "/v1/queries", None, READERS),
    ("POST", "/v1/queries", {}, {"analyst", "lead", "admin"}),
    ("DELETE", "/v1/queries/0", None, {"analyst", "lead", "admin"}),
    ("GET", "/v1/quality", None, READERS),
    ("GET", "/v1/samples", None, READERS),
    ("POST", "/v1/samples", {}, {"analyst", "lead", "admin"}),
]
OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/v1/sign-in"), ("POST", "/v1/sessions")}


def store(database: Database, accounts: Sequence[AccountFinding] = (), groups: Sequence[CampaignFinding] = ()) -> None:
    """Store findings as the worker does."""
    with database.write("findings") as connection:
        cases.store(connection, accounts, datetime.now(UTC))
        campaigns.store(connection, groups, datetime.now(UTC))


def decide(http: TestClient, headers: Headers, path: str, decision: str, reason: str = "looked at it") -> Any:
    """Decide as the analyst."""
    return http.post(f"{path}/decisions", json={"decision": decision, "reason": reason}, headers=headers["analyst"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # roles are looked at before the database is
@pytest.mark.parametrize(("method", "path", "content", "allowed"), MATRIX)
def test_roles(method: str, path: str, content: Any, allowed: set[str], http: TestClient, headers: Headers) -> None:
    """Each role may do exactly what the matrix says; without a good key it is 401."""
    for role in get_args(Role):
        status = http.request(method, path, json=content, headers=headers[role]).status_code
        assert (status == 403) == (role not in allowed), (role, status)
        assert status != 401
    for bad in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = http.request(method, path, json=content, headers=bad)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_matrix_is_whole(http: TestClient) -> None:
    """Every route of the API is in the matrix, or is open on purpose; reading prompts takes leave beside a role."""
    known = {(method, path.split("?")[0]) for method, path, _, _ in MATRIX}
    schema = http.get("/openapi.json").json()["paths"]
    samples = {
        "account_id": "a",
        "campaign_id": "c",
        "key_id": "none",
        "format": "litellm",
        "action_id": 1,
        "decision_id": 1,
        "bulk_id": 1,
        "kind": "action",
        "number": 1,
        "webhook_id": 0,
        "delivery_id": 1,
        "person": "p",
        "job_id": 0,
        "name": "report.html",
        "query_id": 0,
        "grouping_id": 1,
        "signal": "grading",
    }
    routes = {(method.upper(), path.format(**samples)) for path, methods in schema.items() for method in methods}
    assert routes - known == {*OPEN, ("GET", "/v1/prompts")}


@pytest.mark.parametrize("sort", get_args(CaseSort))
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_queue_pages(sort: str, order: str, http: TestClient, headers: Headers, database: Database) -> None:
    """Pages follow each other without gap or repeat in every order, equal values and missing times included."""
    found = [
        account(
            f"a{n:02}",
            0.5 + (n % 5) / 10,
            requests=n % 3,
            output_tokens=n % 4,
            last_seen=START + timedelta(hours=n % 6),
        )
        for n in range(23)
    ]
    store(database, [*found, account("clear", 0.1)])
    rows: list[Any] = []
    cursor = None
    while True:
        parameters = {"sort": sort, "order": order, "limit": 4, **({"cursor": cursor} if cursor else {})}
        page = CasePage.model_validate(http.get("/v1/cases", params=parameters, headers=headers["analyst"]).json())
        rows += page.items
        assert page.total == 23
        cursor = page.next_cursor
        if cursor is None:
            break
    values = [(v is not None, v) if sort == "flagged_at" else v for v in (getattr(r, sort) for r in rows)]
    present = [v for v in values if v is not None and v != (False, None)]
    assert present == sorted(present, reverse=order == "desc")
    assert sorted(r.account_id for r in rows) == [f.account_id for f in found]


def test_queue_filters(http: TestClient, headers: Headers, database: Database) -> None:
    """State, verdict, risk and text narrow the queue; a decided case is found by its state whatever its verdict."""
    store(
        database,
        [
            account("north_%1", 0.95, campaign_id="cabc"),
            account("south", 0.85),
            account("west", 0.6),
            account("east", 0.1),
        ],
    )

    def ids(**parameters: Any) -> set[str]:
        answer = http.get("/v1/cases", params=parameters, headers=headers["auditor"])
        return {item["account_id"] for item in answer.json()["items"]}

    assert ids() == {"north_%1", "south", "west"}
    assert ids(verdict="clear") == {"east"}
    assert ids(min_risk=0.85) == {"north_%1", "south"}
    assert ids(q="NORTH") == ids(q="_%") == ids(q="abc") == {"north_%1"}
    assert ids(q="x%") == set()
    decide(http, headers, "/v1/cases/south", "dismiss")
    store(database, [account("south", 0.1)])
    assert ids(state="dismissed") == {"south"}
    assert ids(state="open") == {"north_%1", "west"}


@pytest.mark.parametrize(
    ("sort", "content"),
    [
        ("risk", "nonsense"),
        ("risk", "[" * 1000),
        ("account_id", ["risk", 0.5, "a", 9, 5, 0.5]),
        ("risk", ["risk", "high", "a", 9, 5, 0.5]),
        ("risk", ["risk", True, "a", 9, 5, 0.5]),
        ("risk", ["risk", float("nan"), "a", 9, 5, 0.5]),
        ("risk", ["risk", 0.5, "a\0", 9, 5, 0.5]),
        ("requests", ["requests", 10**30, "a", 9, 5, 0.5]),
        ("account_id", ["account_id", "a\ud800", "a\ud800", 9, 5, 0.5]),
        ("risk", ["risk", 0.5, "a"]),
        ("risk", ["risk", 0.5, "a", 9.5, 5, 0.5]),
        ("risk", ["risk", 0.5, "a", 9, -5, 0.5]),
        ("risk", ["risk", 0.5, "a", 9, 5, "half"]),
    ],
)
def test_foreign_cursor_is_refused(sort: str, content: Any, http: TestClient, headers: Headers) -> None:
    """A cursor of another order, a forged one, or none at all, is answered with 422 and words."""
    text = content if isinstance(content, str) else json.dumps(content)
    parameters = {"sort": sort, "cursor": base64.urlsafe_b64encode(text.encode()).decode()}
    answer = http.get("/v1/cases", params=parameters, headers=headers["analyst"])
    assert answer.status_code == 422
    assert "start again without one" in answer.json()["detail"]


def test_a_cursor_of_the_longest_id_is_accepted(database: Database, http: TestClient, headers: Headers) -> None:
    """The next page is found behind any account, also one whose id is as long as ids may be, in any script."""
    names = [f"{n}" + "😀" * 255 for n in range(3)]
    store(database, [account(name, 0.9) for name in names])
    parameters: dict[str, Any] = {"sort": "account_id", "order": "asc", "limit": 1}
    for name in names:
        answer = http.get("/v1/cases", params=parameters, headers=headers["analyst"])
        assert [item["account_id"] for item in answer.json()["items"]] == [name]
        assert answer.json()["total"] == 3
        parameters["cursor"] = answer.json()["next_cursor"]
    assert parameters["cursor"] is None


@pytest.mark.parametrize("path", ["/v1/audit", "/v1/campaigns"])
def test_endless_offset_is_refused(path: str, http: TestClient, headers: Headers) -> None:
    """An offset that no database can count to is answered with 422, one beyond the end with an empty page."""
    assert http.get(path, params={"offset": 10**20}, headers=headers["lead"]).status_code == 422
    assert http.get(path, params={"offset": 2**53}, headers=headers["lead"]).json()["items"] == []


def test_account_with_slash_and_examples(http: TestClient, headers: Headers, database: Database) -> None:
    """Any account id can be opened, and its example prompts come from the event log, under a mask."""
    store(database, [account("org/a b", example_event_ids=["e1", "gone"])])
    http.post(
        "/v1/events", content=body(row(1, "org/a b", system="be brief", response="42")), headers=headers["gateway"]
    )
    answer = http.get("/v1/cases/org%2Fa%20b", headers=headers["analyst"])
    detail = AccountDetail.model_validate(answer.json())
    assert [(e.event_id, e.prompt, e.system, e.response) for e in detail.examples] == [
        ("e1", "•••••••• •", "•• •••••", "••")
    ]
    assert [e.text for e in detail.evidence] == ["why"]


def test_decisions_survive_assessments(http: TestClient, headers: Headers, database: Database) -> None:
    """A decision needs a reason, makes the state, is kept with its author, is audited, and later findings leave it alone."""
    store(database, [account("a", flagged_at=START + timedelta(hours=2))])
    assert decide(http, headers, "/v1/cases/a", "confirm", "  ").status_code == 422
    assert decide(http, headers, "/v1/cases/a", "burn").status_code == 422
    assert decide(http, headers, "/v1/cases/unknown", "confirm").status_code == 404
    assert decide(http, headers, "/v1/cases/a", "need_more", "which corpus?").status_code == 201
    assert decide(http, headers, "/v1/cases/a", "confirm", "it is the exam").json()["decision"] == "confirm"
    store(database, [account("a", 0.99, flagged_at=START + timedelta(hours=1))])
    store(database, [account("a", 0.3, flagged_at=None)])
    detail = AccountDetail.model_validate(http.get("/v1/cases/a", headers=headers["lead"]).json())
    assert (detail.state, detail.verdict, detail.flagged_at) == ("confirmed", "clear", START + timedelta(hours=1))
    assert [(d.decision, d.reason) for d in detail.decisions] == [
        ("confirm", "it is the exam"),
        ("need_more", "which corpus?"),
    ]
    assert detail.decisions[0].actor.startswith("the analyst (")
    entries = http.get("/v1/audit", headers=headers["auditor"]).json()["items"]
    assert [e["action"] for e in entries[:2]] == ["account.confirm", "account.need_more"]
    assert entries[0]["detail"] == {
        "decision": "confirm",
        "reason": "it is the exam",
        "decision_id": 2,
        "before": "need_more",
        "verdict_id": 2,
        "confidence": "medium",
    }
    assert audit.verify(database).problem is None


def test_campaigns(http: TestClient, headers: Headers, database: Database) -> None:
    """A campaign shows its members; a decision on it keeps it, while an undecided one goes when it is no longer found."""
    store(database, [account("a"), account("b", 0.6)], [campaign("c1", ["a", "b"]), campaign("c2", ["a", "b"], 0.5)])
    page = http.get("/v1/campaigns", params={"limit": 1}, headers=headers["analyst"]).json()
    assert ([c["campaign_id"] for c in page["items"]], page["total"]) == (["c1"], 2)
    assert decide(http, headers, "/v1/campaigns/c1", "confirm").status_code == 201
    store(database)
    assert http.get("/v1/campaigns/c2", headers=headers["analyst"]).status_code == 404
    detail = CampaignDetail.model_validate(http.get("/v1/campaigns/c1", headers=headers["analyst"]).json())
    assert [(m.account_id, m.why) for m in detail.members] == [("a", "shares a template"), ("b", "shares a template")]
    assert detail.state == "confirmed"


def test_keys(http: TestClient, headers: Headers, database: Database) -> None:
    """An admin makes and revokes keys; a revoked one stops at once; secrets are never listed; the last admin is safe."""
    made = http.post("/v1/keys", json={"name": "new", "role": "auditor"}, headers=headers["admin"]).json()
    mine = {"Authorization": f"Bearer {made['key']}"}
    assert http.get("/v1/me", headers=mine).json() == {"name": "new", "role": "auditor", "key_id": made["key_id"]}
    assert all("key" not in key for key in http.get("/v1/keys", headers=headers["admin"]).json())
    assert http.delete(f"/v1/keys/{made['key_id']}", headers=headers["admin"]).json()["revoked_at"]
    assert http.get("/v1/me", headers=mine).status_code == 401
    own = http.get("/v1/me", headers=headers["admin"]).json()["key_id"]
    assert http.delete(f"/v1/keys/{own}", headers=headers["admin"]).status_code == 409


def test_figures_and_health(http: TestClient, headers: Headers, database: Database) -> None:
    """The overview counts what waits for the worker; health and metrics need no key and name no account."""
    http.post("/v1/events", content=body(row(1), row(2)), headers=headers["gateway"])
    store(database, [account("secret_name"), account("w", 0.6)])
    figures = Overview.model_validate(http.get("/v1/overview", headers=headers["analyst"]).json())
    assert (figures.events, figures.worker_lag_events, figures.flagged, figures.watched, figures.open_cases) == (
        2,
        2,
        1,
        1,
        2,
    )
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json()["status"] == "ready"
    http.get("/v1/cases/secret_name", headers=headers["analyst"])
    text = http.get("/metrics").text
    assert "distillwatch_worker_lag_events 2.0" in text
    assert "distillwatch_unassessed_events 2.0" in text
    assert "secret_name" not in text


@pytest.mark.parametrize(
    "path", ["/v1/cases/%00", "/v1/campaigns/%00", "/v1/verdicts/%00", "/v1/cases?q=%00", "/v1/clusters?account=%00"]
)
def test_nul_in_addresses(path: str, http: TestClient, headers: Headers) -> None:
    """NUL, which PostgreSQL has no text for, is no server error."""
    assert http.get(path, headers=headers["admin"]).status_code < 500
