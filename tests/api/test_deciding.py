"""Decisions with OCSF verdicts and their undoing; exceptions, reading prompts, and the second person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.schemas.account import AccountDetail
from api.schemas.base import Role
from api.schemas.decisions import Snapshot
from api.storage import approvals, audit, cases, exceptions
from api.storage.engine import Database
from api.storage.models import unmaskings
from detector.assessment import Evidence
from tests.api.builders import START, account, body, campaign, row
from tests.api.test_review import Headers, store

LATER = (datetime.now(UTC) + timedelta(days=10)).isoformat()


def decide(http: TestClient, headers: Headers, path: str, role: Role = "analyst", **given: Any) -> Any:
    """Decide with all that a decision may say."""
    content = {"decision": "confirm", "reason": "looked at it", **given}
    return http.post(f"/v1/{path}/decisions", json=content, headers=headers[role])


def detail(http: TestClient, headers: Headers, name: str = "a", role: Role = "analyst") -> AccountDetail:
    """An account as a person sees it."""
    return AccountDetail.model_validate(http.get(f"/v1/cases/{name}", headers=headers[role]).json())


def action(http: TestClient, headers: Headers, name: str = "a") -> str:
    """What a gateway is told to do."""
    return http.get(f"/v1/verdicts/{name}", headers=headers["gateway"]).json()["action"]


@pytest.mark.parametrize(
    ("decision", "verdict", "said"),
    [("confirm", 5, "one of 2"), ("dismiss", 2, "one of 1, 3, 5, 6"), ("need_more", 1, "7, 4")],
)
def test_a_verdict_belongs_to_its_decision(
    decision: str, verdict: int, said: str, http: TestClient, headers: Headers, database: Database
) -> None:
    """A verdict of another decision is refused with those that fit, and so is a review in the past."""
    store(database, [account("a")])
    refused = decide(http, headers, "cases/a", decision=decision, verdict_id=verdict)
    assert (refused.status_code, said in refused.json()["detail"]) == (422, True)
    assert decide(http, headers, "cases/a", review_at=START.isoformat()).status_code == 422


def test_a_decision_keeps_all_it_says(http: TestClient, headers: Headers, database: Database) -> None:
    """Verdict, confidence, next review and appeal note are kept, shown and audited; later findings leave them alone."""
    store(database, [account("a")])
    given = {
        "decision": "dismiss",
        "verdict_id": 5,
        "confidence": "high",
        "review_at": LATER,
        "appeal_note": "contract 7",
    }
    made = decide(http, headers, "cases/a", **given).json()
    assert {k: made[k] for k in given if k != "review_at"} == {k: v for k, v in given.items() if k != "review_at"}
    store(database, [account("a", 0.95)])
    seen = detail(http, headers)
    assert (seen.state, seen.verdict_id) == ("dismissed", 5)
    assert seen.review_at is not None
    entry = http.get("/v1/audit", headers=headers["auditor"]).json()["items"][0]["detail"]
    assert (entry["verdict_id"], entry["confidence"], entry["appeal_note"]) == (5, "high", "contract 7")


@pytest.mark.parametrize(("verdict", "honest"), [(1, True), (5, True), (6, False), (3, False)])
def test_only_good_customers_count_as_honest(
    verdict: int, honest: bool, http: TestClient, headers: Headers, database: Database
) -> None:
    """A false positive and a benign account move the thresholds; a test of our own does not."""
    store(database, [account("a", score=3.0)])
    decide(http, headers, "cases/a", decision="dismiss", verdict_id=verdict)
    assert bool(cases.honest(database)) == honest


def test_undo_brings_back_state_and_actions(http: TestClient, headers: Headers, database: Database) -> None:
    """Undoing a dismissal lets the throttle hold again that it ended; undoing twice, or under a later decision, is refused."""
    store(database, [account("a")])
    throttle = [{"action": "throttle", "expires_at": LATER}]
    first = decide(http, headers, "cases/a", actions=throttle).json()["decision_id"]
    second = decide(http, headers, "cases/a", decision="dismiss").json()["decision_id"]
    assert action(http, headers) == "allow"
    url = "/v1/decisions/{}/undo".format
    refused = http.post(url(first), json={}, headers=headers["analyst"])
    assert (refused.status_code, "later decision" in refused.json()["detail"]) == (409, True)
    undone = http.post(url(second), json={"reason": "wrong tab"}, headers=headers["analyst"]).json()
    assert (undone["undo_reason"], undone["undone_by"].startswith("the analyst (")) == ("wrong tab", True)
    assert (detail(http, headers).state, action(http, headers)) == ("confirmed", "throttle")
    assert http.post(url(second), json={}, headers=headers["analyst"]).status_code == 409
    assert http.post(url(first), json={}, headers=headers["lead"]).status_code == 200
    seen = detail(http, headers)
    assert (seen.state, seen.verdict_id, action(http, headers)) == ("open", None, "observe")
    assert [d.undone_at is not None for d in seen.decisions] == [True, True]
    entries = http.get("/v1/audit", headers=headers["auditor"]).json()["items"]
    assert [e["action"] for e in entries[:2]] == ["account.undo", "account.undo"]
    assert http.post(url(99), json={}, headers=headers["lead"]).status_code == 404
    assert audit.verify(database).problem is None


def test_the_evidence_stays_as_it_was(http: TestClient, headers: Headers, database: Database) -> None:
    """What a decision was made on can be seen after the findings have changed, of accounts and of campaigns."""
    store(database, [account("a", 0.9, requests=412), account("b")], [campaign("c", ["a", "b"])])
    made = [decide(http, headers, path).json()["decision_id"] for path in ("cases/a", "campaigns/c")]
    store(database, [account("a", 0.2, requests=500)], [])
    kept = [
        Snapshot.model_validate(http.get(f"/v1/decisions/{i}/evidence", headers=headers["auditor"]).json())
        for i in made
    ]
    assert (kept[0].risk, kept[0].requests, [e.text for e in kept[0].evidence]) == (0.9, 412, ["why"])
    assert kept[1].accounts == ["a", "b"]
    assert http.get("/v1/decisions/99/evidence", headers=headers["auditor"]).status_code == 404


def test_exceptions_take_a_second_person(http: TestClient, headers: Headers, database: Database) -> None:
    """An analyst's exception waits for a lead; a lead's own holds at once, but not for a large customer."""
    store(database, [account("a"), account("large", input_tokens=4_000_000, output_tokens=1_000_000)])

    def ask(role: Role, name: str, signal: str = "logprobs", **more: Any) -> Any:
        content = {
            "account_id": name,
            "signal": signal,
            "reason": "their product shows it",
            "expires_at": LATER,
            **more,
        }
        return http.post("/v1/exceptions", json=content, headers=headers[role])

    made = ask("analyst", "a").json()
    assert (made["state"], exceptions.holding(database, datetime.now(UTC))) == ("pending", {})
    assert ask("lead", "a").status_code == 409  # the same is open already
    waiting = http.get("/v1/approvals", headers=headers["lead"]).json()
    assert [(i["kind"], i["subject_id"], i["what"]) for i in waiting["items"]] == [("exception", "a", "logprobs")]
    url = f"/v1/approvals/exception/{made['exception_id']}"
    assert http.post(f"{url}/approve", json={"reason": "I agree"}, headers=headers["analyst"]).status_code == 403
    assert http.post(f"{url}/approve", json={"reason": "I agree"}, headers=headers["lead"]).json()["state"] == "live"
    assert exceptions.holding(database, datetime.now(UTC)) == {"a": {"logprobs"}}
    assert [e.signal for e in detail(http, headers).exceptions] == ["logprobs"]
    assert http.post(f"{url}/end", json={"reason": "over"}, headers=headers["analyst"]).json()["state"] == "ended"
    assert exceptions.holding(database, datetime.now(UTC)) == {}
    assert ask("lead", "a", "even_pace").json()["state"] == "live"
    own = ask("lead", "large").json()
    assert own["state"] == "pending"
    itself = f"/v1/approvals/exception/{own['exception_id']}/approve"
    assert "second person" in http.post(itself, json={"reason": "mine"}, headers=headers["lead"]).json()["detail"]
    for wrong in ({"signal": "follow_ups"}, {"signal": "nonsense"}, {"expires_at": START.isoformat()}):
        assert ask("lead", "a", **wrong).status_code == 422
    assert ask("lead", "nobody").status_code == 404


def test_the_end_of_an_exception_is_logged(http: TestClient, headers: Headers, database: Database) -> None:
    """What runs out by time leaves an entry in the audit trail, once, and is shown as such."""
    store(database, [account("a")])
    soon = datetime.now(UTC) + timedelta(seconds=30)
    exceptions.add(database, "a", "logprobs", "a trial", soon, False, "me", datetime.now(UTC))
    assert approvals.log_ends(database, datetime.now(UTC)) == 0
    assert approvals.log_ends(database, soon + timedelta(seconds=1)) == 1
    assert approvals.log_ends(database, soon + timedelta(seconds=2)) == 0
    entry = http.get("/v1/audit", headers=headers["auditor"]).json()["items"][0]
    assert (entry["actor"], entry["action"], entry["subject"]) == ("time", "exception.end", "account a")


def test_prompts_are_masked_until_a_colleague_agrees(http: TestClient, headers: Headers, database: Database) -> None:
    """Prompts are legible with leave of a second person only, for the one who asked, until it ends; each reading is audited."""
    store(database, [account("a", example_event_ids=["e1"])], [campaign("c", ["a"])])
    http.post("/v1/events", content=body(row(1, "a", response="four")), headers=headers["gateway"])
    read = {"subject": "account", "subject_id": "a"}

    def prompts(role: Role) -> Any:
        return http.get("/v1/prompts", params=read, headers=headers[role])

    assert [e.prompt for e in detail(http, headers).examples] == ["•••••••• •"]
    assert prompts("analyst").status_code == 403
    asked = http.post(
        "/v1/unmaskings", json={**read, "reason": "which exam?", "minutes": 5}, headers=headers["analyst"]
    ).json()
    assert asked["state"] == "pending"
    assert prompts("analyst").status_code == 403
    assert http.post("/v1/unmaskings", json={**read, "reason": "again"}, headers=headers["analyst"]).status_code == 409
    url = f"/v1/approvals/unmasking/{asked['unmasking_id']}/approve"
    assert http.post(url, json={"reason": "mine"}, headers=headers["analyst"]).status_code == 409
    approved = http.post(url, json={"reason": "needed"}, headers=headers["lead"]).json()
    until = datetime.fromisoformat(approved["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < until <= timedelta(minutes=5)
    assert [e["prompt"] for e in prompts("analyst").json()] == ["question 1"]
    assert prompts("lead").status_code == 403  # approving is no leave
    assert detail(http, headers).unmasking is not None
    entry = http.get("/v1/audit", headers=headers["auditor"]).json()["items"][0]
    assert (entry["action"], entry["detail"]["event_ids"]) == ("prompts.read", ["e1"])
    assert entry["actor"].startswith("the analyst (")
    with database.write() as connection:
        connection.execute(update(unmaskings).values(expires_at=datetime.now(UTC)))
    assert prompts("analyst").status_code == 403
    for nobody in ({"subject": "account", "subject_id": "x"}, {"subject": "campaign", "subject_id": "x"}):
        answer = http.post("/v1/unmaskings", json={**nobody, "reason": "who?"}, headers=headers["analyst"])
        assert answer.status_code == 404


def test_a_share_of_requests_is_as_sure_as_they_are_many(
    http: TestClient, headers: Headers, database: Database
) -> None:
    """The share of requests behind a reason comes with Wilson's interval by those looked at; a pace, or none looked at, has none."""
    reasons = [
        Evidence(signal=name, title=name, direction="for", value=0.3, unit="u", percentile=0.9, contribution=2, text="why",
                 requests=k, looked_at=n)
        for name, k, n in (("few", 5, 10), ("many", 500, 1000), ("all", 10, 10), ("pace", None, 10), ("none", 0, 0))
    ]  # fmt: skip
    store(database, [account("a", evidence=reasons)])
    found = http.get("/v1/cases/a", headers=headers["analyst"]).json()["evidence"]
    assert [e["interval"] and [round(x, 2) for x in e["interval"]] for e in found] == [
        [0.24, 0.76], [0.47, 0.53], [0.72, 1.0], None, None,
    ]  # fmt: skip


def test_each_reason_leads_to_its_requests(http: TestClient, headers: Headers, database: Database) -> None:
    """The requests behind a reason are those of this reason, masked for every reader, in full with leave, which is audited."""
    reasons = [
        Evidence(signal=name, title=name, direction="for", value=1, unit="u", percentile=0.9, contribution=2, text="why",
                 event_ids=ids, requests=n, looked_at=9)
        for name, ids, n in (("logprobs", ["e2", "gone"], 5), ("even_pace", ["e1"], None))
    ]  # fmt: skip
    store(database, [account("a", evidence=reasons, example_event_ids=["e1"])], [campaign("c", ["a"])])
    http.post("/v1/events", content=body(row(1, "a"), row(2, "a")), headers=headers["gateway"])
    read = {"subject": "account", "subject_id": "a", "signal": "logprobs"}

    found = http.get("/v1/reasons", params=read, headers=headers["auditor"]).json()
    assert (found["requests"], found["looked_at"]) == (5, 9)
    assert [(p["event_id"], p["prompt"]) for p in found["prompts"]] == [("e2", "•••••••• •")]
    pace = http.get("/v1/reasons", params=read | {"signal": "even_pace"}, headers=headers["auditor"]).json()
    assert (pace["requests"], [p["event_id"] for p in pace["prompts"]]) == (None, ["e1"])
    for other in ({"signal": "grading"}, {"subject_id": "x"}, {"subject": "campaign", "subject_id": "c"}):
        assert http.get("/v1/reasons", params=read | other, headers=headers["auditor"]).status_code == 404
    assert http.get("/v1/reasons", params=read, headers=headers["gateway"]).status_code == 403

    assert http.get("/v1/prompts", params=read, headers=headers["analyst"]).status_code == 403
    whose = {"subject": "account", "subject_id": "a", "reason": "which exam?"}
    asked = http.post("/v1/unmaskings", json=whose, headers=headers["analyst"]).json()
    url = f"/v1/approvals/unmasking/{asked['unmasking_id']}/approve"
    http.post(url, json={"reason": "needed"}, headers=headers["lead"])
    full = http.get("/v1/prompts", params=read, headers=headers["analyst"]).json()
    assert [p["prompt"] for p in full] == ["question 2"]
    entry = http.get("/v1/audit", headers=headers["auditor"]).json()["items"][0]
    assert (entry["action"], entry["detail"]["event_ids"]) == ("prompts.read", ["e2", "gone"])


def test_blocks_are_approved_where_all_approvals_are(http: TestClient, headers: Headers, database: Database) -> None:
    """A block waits among the approvals with its reason and scope, and holds once a lead agrees."""
    store(database, [account("a")])
    decide(http, headers, "cases/a", actions=[{"action": "block", "expires_at": LATER, "capability": "tools"}])
    (item,) = http.get("/v1/approvals", headers=headers["analyst"]).json()["items"]
    assert (item["kind"], item["what"], item["reason"], item["scope"]["capability"]) == (
        "action", "block", "looked at it", "tools",
    )  # fmt: skip
    url = f"/v1/approvals/action/{item['number']}/approve"
    assert http.post(url, json={"reason": "agreed"}, headers=headers["analyst"]).status_code == 403
    assert http.post(url, json={"reason": "agreed"}, headers=headers["lead"]).json()["state"] == "live"
    assert http.get("/v1/approvals", headers=headers["lead"]).json() == {"items": [], "total": 0}
