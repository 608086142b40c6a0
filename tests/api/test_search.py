"""Accounts that ask alike, accounts at the top, saved queries."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.schemas.base import Role
from api.schemas.search import SimilarOut, TopOut
from api.services.likeness import Indexer
from api.settings import Settings
from api.storage import audit
from api.storage.engine import Database
from api.worker import Worker
from detector.likeness import Likeness
from detector.pipeline import Detector
from tests.api.test_worker import drain, put, small, traffic

Headers = dict[Role, dict[str, str]]


@pytest.fixture
def indexed(database: Database, settings: Settings, detector: Detector) -> Worker:
    """A small log, assessed and indexed."""
    put(database, traffic()[0])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    Indexer(settings, detector.codebook, lambda: worker.assessor.assessed).step()
    return worker


def test_accounts_that_ask_alike_are_found(
    http: TestClient, headers: Headers, indexed: Worker, detector: Detector
) -> None:
    """An account's own prompt leads to it; a harvester's example leads first to accounts of the same harvest."""
    events, labels = traffic()
    event = next(e for e in events if e.messages and len(str(e.messages[-1].content)) > 60)
    answer = http.post(
        "/v1/similar", headers=headers["analyst"], json={"text": str(event.messages[-1].content), "limit": 5}
    )
    by_text = SimilarOut.model_validate(answer.json())
    assert event.account_id in {m.account_id for m in by_text.items}
    assert by_text.items[0].similarity > 0.9
    assert all(m.verdict is not None for m in by_text.items)
    assert str(event.messages[-1].content)[:40] not in answer.text  # no prompt is in the answer
    example = next(a for a, n in indexed_sizes(indexed).items() if n > 10)
    found = http.post("/v1/similar", headers=headers["auditor"], json={"account_id": example}).json()["items"]
    assert example not in {m["account_id"] for m in found}
    assert [m["similarity"] for m in found] == sorted((m["similarity"] for m in found), reverse=True)
    del labels, detector


def indexed_sizes(worker: Worker) -> dict[str, int]:
    """Sampled prompts by account."""
    assert worker.assessor.assessed is not None
    likeness = Likeness.build(worker.assessor.assessed, worker._detector.codebook.centroids)
    return {name: int(n) for name, n in zip(likeness.names, likeness.sampled, strict=True)}


def test_searches_that_cannot_be_done_say_why(http: TestClient, headers: Headers, indexed: Worker) -> None:
    """Neither or both of text and account, an unknown account, a text without words, a gateway."""
    for body in (
        {},
        {"text": "a question", "account_id": "a"},
        {"account_id": "nobody"},
        {"text": "\u4e00\u4e00\u4e00 " * 2},
    ):
        answer = http.post("/v1/similar", headers=headers["analyst"], json=body)
        assert answer.status_code in (200, 422), body
        assert answer.status_code == 422 or "text" in body
    assert http.post("/v1/similar", headers=headers["gateway"], json={"text": "a question"}).status_code == 403
    assert http.get("/v1/top", headers=headers["gateway"]).status_code == 403


def test_without_an_index_the_service_says_so(http: TestClient, headers: Headers) -> None:
    """Before the worker made one, a search answers 409 with the reason, and the rest of the service is fine."""
    answer = http.post("/v1/similar", headers=headers["analyst"], json={"text": "a question"})
    assert (answer.status_code, "no index yet" in answer.json()["detail"]) == (409, True)
    assert http.get("/v1/quality", headers=headers["analyst"]).json()["drift"] is None


def test_the_top_is_of_the_period(http: TestClient, headers: Headers, indexed: Worker) -> None:
    """The sums are those of the log's last days, ranks follow them, and the period before is told."""
    events = traffic()[0]
    last = max(e.timestamp for e in events).date()
    want: dict[str, int] = {}
    for event in events:
        if event.timestamp.date() == last:
            want[event.account_id] = want.get(event.account_id, 0) + 1
    answer = http.get("/v1/top", headers=headers["analyst"], params={"by": "requests", "days": 1, "limit": 500})
    told = TopOut.model_validate(answer.json())
    assert {r.account_id: r.value for r in told.items} == want
    assert [r.rank for r in told.items] == sorted(r.rank for r in told.items)
    assert told.total == sum(want.values())
    assert told.total_before == sum((last - e.timestamp.date()).days == 1 for e in events)


def test_queries_are_ones_own_or_shared(http: TestClient, headers: Headers, database: Database) -> None:
    """Others see what is shared; a lead forgets what is shared, nobody else's own; sharing is in the trail."""
    own = http.post("/v1/queries", headers=headers["analyst"], json={"name": "mine", "text": "step by step"}).json()
    body = {"name": "ours", "account_id": "acct_1", "shared": True}
    ours = http.post("/v1/queries", headers=headers["analyst"], json=body).json()
    assert audit.page(database, 1, 0)[0][0].action == "query.share"
    assert [q["name"] for q in http.get("/v1/queries", headers=headers["analyst"]).json()] == ["mine", "ours"]
    seen = http.get("/v1/queries", headers=headers["lead"]).json()
    assert [(q["name"], q["mine"]) for q in seen] == [("ours", False)]
    assert http.post("/v1/queries", headers=headers["auditor"], json=body).status_code == 403
    assert http.delete(f"/v1/queries/{own['query_id']}", headers=headers["lead"]).status_code == 404
    assert http.delete(f"/v1/queries/{ours['query_id']}", headers=headers["lead"]).status_code == 204
    assert http.delete(f"/v1/queries/{own['query_id']}", headers=headers["analyst"]).status_code == 204
