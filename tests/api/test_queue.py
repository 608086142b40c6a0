"""The queue: risk times spend, claims, due dates, alike cases, expected false flags; one decision on many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from api.app import create_app
from api.prices import Prices
from api.schemas.base import Role
from api.services import bulk as carrying
from api.settings import Settings
from api.storage import audit, cases, queue, segments
from api.storage.engine import Database
from api.storage.models import account_findings
from tests.api.builders import account
from tests.api.test_review import Headers, store


def rows(http: TestClient, headers: Headers, role: Any = "analyst", **parameters: Any) -> list[dict[str, Any]]:
    """A page of the queue."""
    return http.get("/v1/cases", params=parameters, headers=headers[role]).json()["items"]


def ids(http: TestClient, headers: Headers, **parameters: Any) -> list[str]:
    """The accounts on it."""
    return [r["account_id"] for r in rows(http, headers, **parameters)]


def test_risk_times_spend_comes_first(http: TestClient, headers: Headers, database: Database) -> None:
    """The product orders the queue, page by page without gap or repeat; spend follows from the prices."""
    found = [account(f"a{n}", 0.5 + n / 20, input_tokens=10**6, output_tokens=10**6 * ((n * 7) % 9)) for n in range(9)]
    store(database, found)
    expected = sorted(found, key=lambda f: -f.risk * (3 + 15 * f.output_tokens / 1e6))
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = http.get("/v1/cases", params={"sort": "priority", "limit": 2, **more}, headers=headers["lead"]).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [r["account_id"] for r in seen] == [f.account_id for f in expected]
    assert [r["spend"] for r in seen] == pytest.approx([3 + 15 * f.output_tokens / 1e6 for f in expected])


def test_other_prices_weigh_the_queue_anew(
    settings: Settings, database: Database, headers: Headers, secrets: dict[Role, str]
) -> None:
    """A service that starts with other prices than cases were weighed by orders and shows the queue by its own, in their currency."""
    tokens = {"reads": (10**6, 10**5), "writes": (10**5, 10**6)}
    store(database, [account(a, 0.9, input_tokens=i, output_tokens=o) for a, (i, o) in tokens.items()])
    for prices in ((3.0, 15.0), (15.0, 3.0)):
        worth = {a: Prices(*prices).priority(0.9, *tokens[a]) for a in tokens}
        dearest_first = sorted(worth, key=lambda a: -worth[a])
        started = settings.model_copy(update={"price_input": prices[0], "price_output": prices[1], "currency": "EUR"})
        with TestClient(create_app(started)) as http:
            assert {r["currency"] for r in rows(http, headers)} == {"EUR"}
            shown = {r["account_id"]: r["priority"] for r in rows(http, headers, sort="priority")}
        assert shown == worth
        assert list(shown) == dearest_first
        assert queue.reprice(database, Prices(*prices)) == 0


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_of_the_queue_sorts_nothing(database: Database, descending: bool) -> None:
    """The first page and the next are read from an index alone, which has the queue's order: SQLite tells how it reads."""
    if not database.is_sqlite:
        pytest.skip("SQLite tells")
    store(database, [account(f"a{n}", 0.9, output_tokens=n) for n in range(9)])
    now = datetime.now(UTC)
    query = queue.Query(sort="priority", descending=descending, limit=2, claim="free", actor="x", now=now)
    said: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *more: Any) -> None:
        said.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    first = queue.page(database, query)
    queue.page(database, query._replace(cursor=first.next_cursor))
    event.remove(database.engine, "before_cursor_execute", note)
    picking = [(s, p) for s, p in said if "sort_value" in s]
    assert len(picking) == 2
    with database.read() as connection:
        for statement, parameters in picking:
            plan = [r[3] for r in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            reading = next(i for i, step in enumerate(plan) if "ix_account_findings_priority" in step)
            assert "COVERING INDEX" in plan[reading]
            assert plan[reading + 1] != "USE TEMP B-TREE FOR ORDER BY"  # among cases of equal priority it may sort


def test_a_claim_locks_until_it_expires(http: TestClient, headers: Headers, database: Database) -> None:
    """Nobody else decides on a claimed case or claims it; leads can let it go; it ends by itself, and with the decision."""
    store(database, [account("a"), account("b")])
    decision = {"decision": "confirm", "reason": "seen"}
    assert http.post("/v1/cases/a/claim", headers=headers["analyst"]).json()["claimed_by"].startswith("the analyst (")
    for path, body in (("claim", None), ("decisions", decision)):
        refused = http.post(f"/v1/cases/a/{path}", json=body, headers=headers["lead"])
        assert (refused.status_code, "works on it until" in refused.json()["detail"]) == (409, True)
    assert ids(http, headers, claim="mine") == ids(http, headers, claim="taken") == ["a"]
    assert ids(http, headers, claim="free") == ["b"]
    http.post("/v1/cases/a/release", headers=headers["lead"])
    assert ids(http, headers, claim="taken") == []
    http.post("/v1/cases/a/claim", headers=headers["analyst"])
    assert http.post("/v1/cases/a/decisions", json=decision, headers=headers["analyst"]).status_code == 201
    assert ids(http, headers, claim="taken", state="confirmed") == []
    http.post("/v1/cases/b/claim", headers=headers["analyst"])
    with database.write() as connection:
        connection.execute(update(account_findings).values(claimed_until=datetime.now(UTC)))
    assert rows(http, headers, q="b")[0]["claimed_by"] is None
    assert http.post("/v1/cases/b/claim", headers=headers["lead"]).status_code == 200
    assert http.post("/v1/cases/nobody/claim", headers=headers["lead"]).status_code == 404


def test_cases_come_due(http: TestClient, headers: Headers, database: Database) -> None:
    """A flag is due two days after it came; a decision sets the next date or none; later findings leave dates alone."""
    long_ago = datetime.now(UTC) - timedelta(days=3)
    with database.write("findings") as connection:
        cases.store(connection, [account("old"), account("watched", 0.6)], long_ago)
    store(database, [account("new"), account("old", 0.95)])
    assert ids(http, headers, due=True) == ["old"]
    assert ids(http, headers, sort="due_at", order="asc") == ["old", "new", "watched"]
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    decision = {"decision": "need_more", "reason": "wait for the invoice", "review_at": later}
    made = http.post("/v1/cases/old/decisions", json=decision, headers=headers["analyst"]).json()
    assert ids(http, headers, due=True) == []
    http.post(f"/v1/decisions/{made['decision_id']}/undo", json={}, headers=headers["analyst"])
    assert ids(http, headers, due=True) == ["old"]


def test_alike_cases_and_false_flags(http: TestClient, headers: Headers, database: Database) -> None:
    """Each row tells how closed cases like it ended; the page how many of the matching flags are expected to be false."""
    found = [account(f"a{n}", harvest="grading", false_discovery=0.1) for n in range(4)]
    store(database, [*found, account("other", harvest="sweep", false_discovery=0.6)])
    segments.ensure(database)
    with database.write() as connection:
        segments.note_assessment(connection, 1, 0.1, 0.5, b"[]", segments.ErrorRates(2.0, 0, 4, 0.001), 0)
    for name, decision in (("a0", "confirm"), ("a1", "confirm"), ("a2", "dismiss")):
        http.post(f"/v1/cases/{name}/decisions", json={"decision": decision, "reason": "seen"}, headers=headers["lead"])
    told = {r["account_id"]: (r["alike_confirmed"], r["alike_dismissed"]) for r in rows(http, headers)}
    assert told == {"a0": (1, 1), "a1": (1, 1), "a2": (2, 0), "a3": (2, 1), "other": (0, 0)}

    def false(**parameters: Any) -> float:
        page = http.get("/v1/cases", params=parameters, headers=headers["lead"]).json()
        assert page["expected_false"] <= page["flags"]
        return page["expected_false"]

    assert false() == pytest.approx(2.0)
    assert false(q="a") == pytest.approx(0.8)
    assert false(q="other") == pytest.approx(1.0)  # no more than there are


def test_one_decision_on_many(http: TestClient, headers: Headers, database: Database, settings: Settings) -> None:
    """Preview, request, a second person, and each account's own result; what is claimed by others, or gone, is left out."""
    store(database, [account(f"a{n}", 0.9) for n in range(60)] + [account("b")])
    http.post("/v1/cases/a3/claim", headers=headers["lead"])
    body: dict[str, Any] = {
        "query": {"q": "a"},
        "decision": {"decision": "dismiss", "reason": "own test", "verdict_id": 6},
    }

    def send(**more: Any) -> Any:
        return http.post("/v1/bulk", json={**body, **more}, headers=headers["analyst"])

    told = send().json()
    assert (told["total"], told["open"], told["claimed"], told["needs_approval"]) == (60, 60, 1, True)
    assert queue.page(database, queue.Query(state="dismissed")).totals.total == 0
    refused = send(dry_run=False, expected=59)
    assert (refused.status_code, "60 cases now" in refused.json()["detail"]) == (422, True)
    made = send(dry_run=False, expected=60).json()
    assert (made["state"], carrying.step(database, settings)) == ("pending", False)
    url = f"/v1/approvals/bulk/{made['bulk_id']}/approve"
    assert http.post(url, json={"reason": "yes"}, headers=headers["analyst"]).status_code == 403
    assert http.post(url, json={"reason": "yes"}, headers=headers["lead"]).json()["state"] == "live"
    store(database, [])
    assert carrying.step(database, settings)
    (half,) = http.get("/v1/bulk", headers=headers["auditor"]).json()
    assert (half["state"], half["done"] + half["failed"]) == ("live", 50)
    while carrying.step(database, settings):
        pass
    (done,) = http.get("/v1/bulk", headers=headers["auditor"]).json()
    assert (done["state"], done["done"], done["failed"]) == ("finished", 59, 1)
    items = http.get(f"/v1/bulk/{made['bulk_id']}/items", headers=headers["auditor"]).json()
    assert (items[0]["account_id"], items[0]["result"], "works on it" in items[0]["detail"]) == ("a3", "failed", True)
    assert queue.page(database, queue.Query(state="dismissed")).totals.total == 59
    actions = [
        e["action"] for e in http.get("/v1/audit", params={"limit": 70}, headers=headers["auditor"]).json()["items"]
    ]
    assert (actions[0], actions.count("account.dismiss")) == ("bulk.finish", 59)
    assert audit.verify(database).problem is None
    for wrong in ({"query": {"q": "nobody"}}, {"decision": {**body["decision"], "verdict_id": 2}}):
        assert send(**wrong).status_code == 422


def test_a_refused_bulk_decision_does_nothing(
    http: TestClient, headers: Headers, database: Database, settings: Settings
) -> None:
    """Refused, it is not carried out; and one that is ended under way stops."""
    store(database, [account(f"a{n}") for n in range(3)])
    body = {"query": {}, "decision": {"decision": "dismiss", "reason": "own test"}, "dry_run": False, "expected": 3}
    made = http.post("/v1/bulk", json=body, headers=headers["analyst"]).json()
    http.post(f"/v1/approvals/bulk/{made['bulk_id']}/end", json={"reason": "not all of them"}, headers=headers["lead"])
    assert not carrying.step(database, settings)
    assert http.get("/v1/bulk", headers=headers["lead"]).json()[0]["state"] == "ended"
    assert queue.page(database, queue.Query(state="dismissed")).totals.total == 0
