"""What gateways are told: the most severe that applies, never more than observe without a person, and never for too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.schemas.base import Role
from api.schemas.verdicts import EnforcementOut, VerdictOut, VerdictPage
from api.services import atlas, board, verdicts
from api.services.verdicts import SEVERITY, Entry, Record, Request, answer, order
from api.settings import Settings
from api.storage import audit, campaigns, cases
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding
from detector.signals import SIGNALS
from tests.api.builders import account, campaign

Headers = dict[Role, dict[str, str]]
NOW = datetime(2026, 9, 7, tzinfo=UTC)


def store(
    http: TestClient, database: Database, accounts: Sequence[AccountFinding], groups: Sequence[CampaignFinding] = ()
) -> None:
    """Store findings and publish, as the worker does."""
    with database.write("findings") as connection:
        cases.store(connection, accounts, datetime.now(UTC))
        campaigns.store(connection, groups, datetime.now(UTC))
    http.app.state.publisher.publish()  # type: ignore[attr-defined]


def decide(
    http: TestClient, headers: Headers, path: str, decision: str, *actions: dict[str, Any], role: Role = "analyst"
) -> Any:
    """Decide on an account or a campaign."""
    body = {"decision": decision, "reason": "looked at it", "actions": list(actions)}
    return http.post(f"/v1/{path}/decisions", json=body, headers=headers[role])


def act(action: str, hours: float = 24, **scope: Any) -> dict[str, Any]:
    """An action of a decision."""
    return {"action": action, "expires_at": (datetime.now(UTC) + timedelta(hours=hours)).isoformat(), **scope}


def ask(http: TestClient, headers: Headers, account_id: str, **request: Any) -> VerdictOut:
    """Ask as the gateway."""
    found = http.get(f"/v1/verdicts/{account_id}", params=request, headers=headers["gateway"])
    return VerdictOut.model_validate(found.json())


def test_without_decisions_nobody_is_more_than_observed(http: TestClient, headers: Headers, database: Database) -> None:
    """Flags and watches are observed, the rest allowed; dismissal allows; confirmation shows, also a campaign's."""
    found = [account(name) for name in ("flagged", "good", "bad")]
    found += [account("member", campaign_id="c"), account("spared", campaign_id="c"), account("quiet", 0.1)]
    store(http, database, found, [campaign("c", ["member", "spared"])])
    decide(http, headers, "cases/good", "dismiss")
    decide(http, headers, "cases/bad", "confirm")
    decide(http, headers, "cases/spared", "dismiss")
    decide(http, headers, "campaigns/c", "confirm")
    told = {
        name: ask(http, headers, name) for name in ("flagged", "good", "bad", "member", "spared", "quiet", "unknown")
    }
    assert {name: (v.action, v.reasons) for name, v in told.items()} == {
        "flagged": ("observe", ["s"]),
        "good": ("allow", ["dismissed"]),
        "bad": ("observe", ["confirmed", "s"]),
        "member": ("observe", ["campaign_confirmed", "s"]),
        "spared": ("allow", ["dismissed"]),
        "quiet": ("allow", []),
        "unknown": ("allow", []),
    }
    assert told["flagged"].codes == ["AML.T0024.002"]
    assert told["member"].codes == ["AML.T0024.002", "AML.T0021"]
    assert told["good"].codes == []


def test_the_most_severe_action_wins_within_its_scope(http: TestClient, headers: Headers, database: Database) -> None:
    """Actions on a key, a model or a capability apply to such requests alone; the account's own applies to all."""
    store(http, database, [account("a")])
    limited = [
        act("throttle"), act("step_up", api_key_id="k1"), act("reduce", capability="logprobs"), act("reduce", model="big-*"),
    ]  # fmt: skip
    assert decide(http, headers, "cases/a", "confirm", *limited).status_code == 201
    assert ask(http, headers, "a").action == "throttle"
    assert len(ask(http, headers, "a").narrower) == 3
    assert ask(http, headers, "a", api_key_id="k1").action == "step_up"
    assert ask(http, headers, "a", api_key_id="k1").scope.api_key_id == "k1"
    assert ask(http, headers, "a", api_key_id="k2").action == "throttle"
    assert ask(http, headers, "a", capability=["tools", "logprobs"]).action == "reduce"
    assert ask(http, headers, "a", model="big-1").action == "reduce"
    assert ask(http, headers, "a", model="small").action == "throttle"
    assert ask(http, headers, "a", api_key_id="k1", model="big-1").scope.model == "big-*"


def test_a_decision_replaces_the_one_before(http: TestClient, headers: Headers, database: Database) -> None:
    """Deciding again ends what the earlier decision issued; asking for more leaves it; dismissing lifts it."""
    store(http, database, [account("a")])
    decide(http, headers, "cases/a", "confirm", act("reduce"))
    decide(http, headers, "cases/a", "need_more")
    assert ask(http, headers, "a").action == "reduce"
    decide(http, headers, "cases/a", "confirm", act("throttle"))
    assert ask(http, headers, "a").action == "throttle"
    decide(http, headers, "cases/a", "dismiss")
    assert ask(http, headers, "a").action == "allow"
    listed = http.get("/v1/actions?state=all", headers=headers["analyst"]).json()
    assert [(i["action"], i["state"], i["end_reason"]) for i in listed["items"]] == [
        ("throttle", "ended", "replaced by a later decision"),
        ("reduce", "ended", "replaced by a later decision"),
    ]
    detail = http.get("/v1/cases/a", headers=headers["analyst"]).json()
    assert [[a["action"] for a in d["actions"]] for d in detail["decisions"]] == [[], ["throttle"], [], ["reduce"]]


@pytest.mark.parametrize(
    ("decision", "action", "word"),
    [
        ("dismiss", act("throttle"), "dismissal"),
        ("confirm", act("throttle", hours=-1), "to come"),
        ("confirm", act("throttle", hours=24 * 91), "at most 90 days"),
        ("confirm", act("throttle", model="a*b"), "at the end only"),
        ("confirm", {"action": "throttle"}, "expires_at"),
        ("confirm", act("allow"), "action"),
        ("confirm", act("throttle", capability="magic"), "capability"),
    ],
)
def test_impossible_actions_are_refused(
    decision: str, action: dict[str, Any], word: str, http: TestClient, headers: Headers, database: Database
) -> None:
    """An action that cannot be meant is answered with 422 and words, and the decision is not recorded."""
    store(http, database, [account("a")])
    refused = decide(http, headers, "cases/a", decision, action)
    assert refused.status_code == 422
    assert word in refused.text
    assert http.get("/v1/cases/a", headers=headers["analyst"]).json()["state"] == "open"


def test_a_block_takes_two_people(http: TestClient, headers: Headers, database: Database) -> None:
    """A block holds only when a second person, who is a lead, approved it; refusing ends it; both are audited."""
    store(http, database, [account("a"), account("b")])
    made = decide(http, headers, "cases/a", "confirm", act("block"), role="lead").json()["actions"][0]
    assert made["state"] == "pending"
    assert ask(http, headers, "a").action == "observe"
    approve = f"/v1/actions/{made['action_id']}/approve"
    because = {"reason": "seen the evidence"}
    assert http.post(approve, json=because, headers=headers["analyst"]).status_code == 403
    own = http.post(approve, json=because, headers=headers["lead"])
    assert (own.status_code, own.json()["detail"]) == (409, "a second person must approve it")
    assert http.post(approve, json=because, headers=headers["admin"]).json()["state"] == "live"
    assert ask(http, headers, "a").action == "block"
    assert http.post(approve, json=because, headers=headers["admin"]).status_code == 409
    other = decide(http, headers, "cases/b", "confirm", act("block")).json()["actions"][0]
    assert [
        i["subject_id"] for i in http.get("/v1/actions?state=pending", headers=headers["lead"]).json()["items"]
    ] == ["b"]
    end = f"/v1/actions/{other['action_id']}/end"
    assert http.post(end, json=because, headers=headers["lead"]).json()["state"] == "ended"
    assert http.post(end, json=because, headers=headers["lead"]).status_code == 409
    assert http.post("/v1/actions/99/end", json=because, headers=headers["lead"]).status_code == 404
    entries = http.get("/v1/audit", headers=headers["auditor"]).json()["items"]
    assert [e["action"] for e in entries[:4]] == ["action.end", "account.confirm", "action.approve", "account.confirm"]
    assert audit.verify(database).problem is None


def test_a_campaign_wide_action_reaches_all_but_dismissed_members(
    http: TestClient, headers: Headers, database: Database
) -> None:
    """It takes two people, holds for members with quiet findings too, and a member's own stricter action wins."""
    members = [account("a", campaign_id="c"), account("b", 0.1, campaign_id="c"), account("spared", campaign_id="c")]
    store(http, database, [*members, account("other")], [campaign("c", ["a", "b", "spared"])])
    decide(http, headers, "cases/spared", "dismiss")
    decide(http, headers, "cases/a", "confirm", act("reduce"))
    made = decide(http, headers, "campaigns/c", "confirm", act("throttle")).json()["actions"][0]
    assert made["state"] == "pending"
    http.post(f"/v1/actions/{made['action_id']}/approve", json={"reason": "seen"}, headers=headers["lead"])
    told = {name: ask(http, headers, name).action for name in ("a", "b", "spared", "other")}
    assert told == {"a": "reduce", "b": "throttle", "spared": "allow", "other": "observe"}


def test_an_action_ends_by_itself(
    http: TestClient, headers: Headers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its end the next mildest applies at once, even if nothing else of the service runs; then the feed tells too."""
    store(http, database, [account("a")])
    decide(http, headers, "cases/a", "confirm", act("throttle", hours=48), act("reduce", hours=1))
    first = ask(http, headers, "a")
    assert (first.action, first.expires_at - datetime.now(UTC) < timedelta(minutes=6)) == ("reduce", True)
    position = feed(http, headers)[1]

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=2)

    monkeypatch.setattr(board, "datetime", Later)
    assert ask(http, headers, "a").action == "throttle"
    assert feed(http, headers, position)[0] == []
    monkeypatch.setattr("api.services.publishing.datetime", Later)
    assert http.app.state.publisher.step()  # type: ignore[attr-defined]
    assert feed(http, headers, position)[0] == [("a", "throttle")]
    assert not http.app.state.publisher.step()  # type: ignore[attr-defined]


def feed(http: TestClient, headers: Headers, since: str = "", limit: int = 2) -> tuple[list[tuple[str, str]], str]:
    """All that changed since a position, and the new position."""
    found: list[tuple[str, str]] = []
    while True:
        raw = http.get("/v1/verdicts", params={"since": since, "limit": limit}, headers=headers["gateway"])
        page = VerdictPage.model_validate(raw.json())
        found += [(item.account_id, item.action) for item in page.items]
        since = page.next
        if not page.more:
            return found, since


def test_the_feed_tells_each_change_once(http: TestClient, headers: Headers, database: Database) -> None:
    """Following ``next`` tells new verdicts, decisions, campaigns' and ends, in pages, but no mere changes of risk."""
    store(http, database, [account(f"a{n}") for n in range(5)])
    before = datetime.now(UTC)
    found, since = feed(http, headers)
    assert sorted(found) == [(f"a{n}", "observe") for n in range(5)]
    store(http, database, [account("a1", 0.91), account("a2", 0.1)])
    decide(http, headers, "cases/a3", "confirm", act("throttle"))
    assert feed(http, headers, since)[0] == [("a2", "allow"), ("a3", "throttle")]
    assert feed(http, headers, before.isoformat())[0] == [("a2", "allow"), ("a3", "throttle")]
    assert feed(http, headers, "2026-01-01T00:00:00Z")[1] == feed(http, headers)[1]
    store(http, database, [account("a0", campaign_id="c")], [campaign("c", ["a0"])])
    _, since = feed(http, headers)
    decide(http, headers, "campaigns/c", "confirm")
    assert feed(http, headers, since)[0] == [("a0", "observe")]
    assert feed(http, headers, "999999")[0] == feed(http, headers)[0], "a position of another database begins again"
    for bad in ("yesterday", "-1", "9" * 30, "²"):
        assert http.get("/v1/verdicts", params={"since": bad}, headers=headers["gateway"]).status_code == 422


def test_a_copy_by_the_feed_equals_single_answers(http: TestClient, headers: Headers, database: Database) -> None:
    """Who follows the feed from any point on knows the same as who asks account by account."""
    copy: dict[str, str] = {}
    since = ""

    def follow() -> str:
        found, position = feed(http, headers, since)
        copy.update(found)
        return position

    names = [f"a{n}" for n in range(6)]
    store(http, database, [account(n, 0.3 + i / 8) for i, n in enumerate(names)])
    since = follow()
    decide(http, headers, "cases/a5", "confirm", act("reduce"))
    store(http, database, [account(n, 0.9 - i / 8) for i, n in enumerate(names)])
    since = follow()
    decide(http, headers, "cases/a0", "dismiss")
    follow()
    assert {n: copy.get(n, "allow") for n in names} == {n: ask(http, headers, n).action for n in names}


def test_the_switch_stops_enforcement(http: TestClient, headers: Headers, database: Database) -> None:
    """Switched to none, everybody is at most observed, at once and in the feed; it is audited; on again, all is as before."""
    store(http, database, [account("a")])
    decide(http, headers, "cases/a", "confirm", act("throttle"))
    _, since = feed(http, headers)

    def switch(mode: str) -> EnforcementOut:
        body = {"mode": mode, "reason": "customers complain"}
        return EnforcementOut.model_validate(http.put("/v1/enforcement", json=body, headers=headers["lead"]).json())

    assert switch("none").mode == "none"
    assert ask(http, headers, "a").action == "observe"
    found, since = feed(http, headers, since)
    assert found == [("a", "observe")]
    assert switch("all").mode == "all"
    assert ask(http, headers, "a").action == "throttle"
    assert feed(http, headers, since)[0] == [("a", "throttle")]
    entries = http.get("/v1/audit", headers=headers["auditor"]).json()["items"]
    assert [e["detail"]["mode"] for e in entries if e["action"] == "enforcement.switch"] == ["all", "none"]


@pytest.fixture
def automatic(settings: Settings, secrets: dict[Role, str]) -> Iterator[TestClient]:
    """The application with automatic actions turned on: two a day."""
    chosen = {"auto_action": "throttle", "auto_daily_cap": 2, "auto_min_risk": 0.9, "auto_hours": 5}
    with TestClient(create_app(settings.model_copy(update=chosen))) as client:
        yield client


def test_automatic_actions_are_few_and_reversible(automatic: TestClient, headers: Headers, database: Database) -> None:
    """The riskiest flags up to the daily cap are throttled for some hours; what a person lifts stays lifted; all is audited."""
    store(automatic, database, [account(f"a{n}", 0.85 + n / 50) for n in range(8)])
    told = {f"a{n}": ask(automatic, headers, f"a{n}") for n in range(8)}
    assert [name for name, v in told.items() if v.action == "throttle"] == ["a6", "a7"]
    assert told["a7"].reasons == ["automatic", "s"]
    until = told["a7"].until
    assert until is not None
    assert timedelta(hours=4) < until - datetime.now(UTC) <= timedelta(hours=5)
    listed = automatic.get("/v1/actions", headers=headers["analyst"]).json()["items"]
    assert {i["source"] for i in listed} == {"automatic"}
    lifted = listed[0]
    automatic.post(f"/v1/actions/{lifted['action_id']}/end", json={"reason": "a customer"}, headers=headers["analyst"])
    store(automatic, database, [account("a8", 0.99)])
    assert ask(automatic, headers, lifted["subject_id"]).action == "observe"
    assert ask(automatic, headers, "a8").action == "observe", "the cap counts what was issued, lifted or not"
    state = EnforcementOut.model_validate(automatic.get("/v1/enforcement", headers=headers["analyst"]).json())
    assert (state.automatic_action, state.automatic_today, state.automatic_daily_cap) == ("throttle", 2, 2)
    actions = [e["action"] for e in automatic.get("/v1/audit", headers=headers["auditor"]).json()["items"]]
    assert actions == ["action.end", "action.issue", "action.issue", *["key.create"] * 5]


def test_the_switch_stops_automatic_actions(automatic: TestClient, headers: Headers, database: Database) -> None:
    """Switched to decisions, automatic actions no longer hold and none is issued; people's do."""
    store(automatic, database, [account("a", 0.95), account("b", 0.94)])
    decide(automatic, headers, "cases/b", "confirm", act("reduce"))
    body = {"mode": "decisions", "reason": "too many"}
    automatic.put("/v1/enforcement", json=body, headers=headers["admin"])
    store(automatic, database, [account("c", 0.99)])
    assert {n: ask(automatic, headers, n).action for n in "abc"} == {"a": "observe", "b": "reduce", "c": "observe"}


def test_the_setting_stops_enforcement_too(settings: Settings, headers: Headers, database: Database) -> None:
    """With DISTILLWATCH_ENFORCEMENT=none nothing but observe is told, whatever the switch says and others published."""
    with TestClient(create_app(settings)) as http:
        store(http, database, [account("a")])
        decide(http, headers, "cases/a", "confirm", act("throttle"))
    with TestClient(create_app(settings.model_copy(update={"enforcement": "none"}))) as http:
        assert ask(http, headers, "a").action == "observe"
        http.put("/v1/enforcement", json={"mode": "all", "reason": "try"}, headers=headers["admin"])
        assert ask(http, headers, "a").action == "observe"


def test_other_processes_follow(settings: Settings, headers: Headers, database: Database) -> None:
    """A decision made in one API process is told by another after its next look at the database."""
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        store(one, database, [account("a")])
        decide(one, headers, "cases/a", "confirm", act("throttle"))
        other.app.state.board.refresh()  # type: ignore[attr-defined]
        assert ask(other, headers, "a").action == "throttle"
        decide(other, headers, "cases/a", "confirm", act("reduce"))
        one.app.state.board.refresh()  # type: ignore[attr-defined]
        assert ask(one, headers, "a").action == "reduce"


def test_old_knowledge_is_not_told(
    http: TestClient, headers: Headers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database could not be read for too long the answer is 503, on which gateways let everything through."""
    store(http, database, [account("a")])
    monkeypatch.setattr(board, "MAX_STALE_SECONDS", -1.0)
    assert http.get("/v1/verdicts/a", headers=headers["gateway"]).status_code == 503


entries = st.builds(
    Entry,
    action=st.sampled_from(["observe", "throttle", "step_up", "reduce", "block"]),
    source=st.sampled_from(["finding", "decision", "automatic"]),
    until=st.none() | st.sampled_from([NOW + timedelta(hours=h) for h in (-1, 1, 2)]),
    api_key_id=st.none() | st.sampled_from(["k1", "k2"]),
    model=st.none() | st.sampled_from(["m1", "m*"]),
    capability=st.none() | st.sampled_from(["logprobs", "tools"]),
)
requests = st.builds(
    Request,
    api_key_id=st.none() | st.sampled_from(["k1", "k2", "k3"]),
    model=st.none() | st.sampled_from(["m1", "m2", "x"]),
    capabilities=st.sampled_from([(), ("logprobs",), ("logprobs", "tools")]),
)


@given(st.lists(entries, max_size=6), requests, st.sampled_from(["all", "decisions", "none"]), st.randoms())
def test_highest_severity_wins(found: list[Entry], request: Request, mode: Any, chance: Any) -> None:
    """The answer is the most severe of all that applies, by a naive reading, in whatever order the entries come."""

    def applies(e: Entry) -> bool:
        return all([
            e.until is None or e.until > NOW,
            e.action == "observe" or mode == "all" or (mode == "decisions" and e.source != "automatic"),
            e.api_key_id in (None, request.api_key_id),
            e.capability is None or e.capability in request.capabilities,
            e.model is None or request.model == e.model or (e.model == "m*" and (request.model or "").startswith("m")),
        ])  # fmt: skip

    shuffled = list(found)
    chance.shuffle(shuffled)
    told = answer("a", Record(entries=order(shuffled)), mode, NOW, request)
    assert told.action == max((e.action for e in found if applies(e)), key=SEVERITY.__getitem__, default="allow")
    assert told == answer("a", Record(entries=order(found)), mode, NOW, request)
    assert told.expires_at <= NOW + verdicts.LIFETIME
    assert told.until is None or told.expires_at <= told.until


def test_codes_are_known_and_complete() -> None:
    """Every signal that speaks for harvesting has a code, every code is a technique, and nothing else is in the table."""
    assert set(atlas.CODES) == {s.name for s in SIGNALS if s.direction == "for"} | {atlas.CAMPAIGN}
    assert set(atlas.CODES.values()) == set(atlas.TECHNIQUES)
