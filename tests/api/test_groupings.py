"""Splitting and merging campaigns: previewed, audited, by two people where it changes whom an action holds for, and undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.schemas.case import CampaignGraph
from api.schemas.groupings import GroupingOut, GroupingPreview
from api.services.assessing import Findings
from api.storage import campaigns, groupings, segments
from api.storage.engine import Database
from detector.pipeline import Detector
from detector.simulate import PRESETS, simulate
from tests.api.builders import START, account, campaign
from tests.api.test_deciding import LATER, decide
from tests.api.test_review import Headers, store

MERGE = {"campaign_id": "x", "with_campaigns": ["y"]}
SPLIT = {"campaign_id": "x", "accounts": ["a"]}
ONE, OTHER = list("abcd"), list("efg")


@pytest.fixture
def two(database: Database) -> None:
    """Two campaigns."""
    store(database, [account(a) for a in ONE + OTHER], [campaign("x", ONE), campaign("y", OTHER)])


def say(http: TestClient, headers: Headers, content: dict[str, Any], role: Any = "analyst") -> Any:
    """Split or merge."""
    return http.post("/v1/groupings", json={"reason": "one queue of work", **content}, headers=headers[role])


def look(http: TestClient, headers: Headers, content: dict[str, Any]) -> Any:
    """What it would do."""
    return http.post("/v1/groupings/preview", json=content, headers=headers["auditor"])


@pytest.mark.usefixtures("two")
def test_a_preview_tells_and_does_nothing(http: TestClient, headers: Headers, database: Database) -> None:
    """The parts that would come of it, which keeps the name, which is too small; and nothing is kept."""
    told = GroupingPreview.model_validate(look(http, headers, SPLIT).json())
    assert [(p.accounts, p.requests, p.sample, p.kept, p.too_small) for p in told.parts] == [
        (3, 30, ["b", "c", "d"], True, False), (1, 10, ["a"], False, True),
    ]  # fmt: skip
    told = GroupingPreview.model_validate(look(http, headers, MERGE).json())
    assert (told.what, told.needs_approval, told.actions) == ("merge", False, [])
    assert [(p.campaign_id, p.accounts) for p in told.parts] == [("x", 7)]
    assert not groupings.page(database)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"campaign_id": "x"}, "either"),
        ({**MERGE, "accounts": ["a"]}, "either"),
        ({"campaign_id": "x", "with_campaigns": ["x"]}, "itself"),
        ({"campaign_id": "x", "with_campaigns": ["z"]}, "no campaign 'z'"),
        ({"campaign_id": "x", "accounts": ["a", "e"]}, "'e' is no member"),
        ({"campaign_id": "x", "accounts": ONE}, "at least one"),
    ],
)
def test_what_cannot_be(content: dict[str, Any], said: str, http: TestClient, headers: Headers) -> None:
    """Both the preview and the asking say why not."""
    for answer in (look(http, headers, content), say(http, headers, content)):
        assert (answer.status_code, said in answer.json()["detail"]) == (422, True)


@pytest.mark.usefixtures("two")
def test_a_word_is_kept_audited_and_undone(http: TestClient, headers: Headers, database: Database) -> None:
    """It holds at once where no campaign-wide action does, is listed with the campaigns that it names, and ends in one click."""
    made = GroupingOut.model_validate(say(http, headers, MERGE).json())
    assert (made.state, made.what, made.sides, made.reason) == ("live", "merge", [7], "one queue of work")
    now = datetime.now(UTC)
    assert [c.together for c in groupings.holding(database, now)] == [True]
    for name, count in (("x", 1), ("y", 1), ("z", 0)):
        assert len(http.get("/v1/groupings", params={"campaign": name}, headers=headers["auditor"]).json()) == count
    undone = http.post(f"/v1/groupings/{made.grouping_id}/undo", json={}, headers=headers["analyst"])
    assert undone.json()["state"] == "ended"
    assert not groupings.holding(database, now)
    again = http.post(f"/v1/groupings/{made.grouping_id}/undo", json={}, headers=headers["analyst"])
    assert again.status_code == 409
    assert http.post("/v1/groupings/99/undo", json={}, headers=headers["analyst"]).status_code == 404
    trail = http.get("/v1/audit", headers=headers["auditor"]).json()["items"]
    assert [e["action"] for e in trail[:2]] == ["grouping.end", "grouping.issue"]
    assert trail[1]["detail"]["sides"] == [ONE + OTHER]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("content", [MERGE, SPLIT])
def test_where_an_action_holds_for_all_a_second_person_agrees(
    content: dict[str, Any], http: TestClient, headers: Headers, database: Database
) -> None:
    """While a campaign-wide action holds or waits, for whom changes: a lead agrees first, and nobody with themselves."""
    decide(http, headers, "campaigns/x", actions=[{"action": "throttle", "expires_at": LATER}])
    told = GroupingPreview.model_validate(look(http, headers, content).json())
    assert (told.needs_approval, told.actions) == (True, ["throttle on x"])
    made = say(http, headers, content, "lead").json()
    assert made["state"] == "pending"
    assert not groupings.holding(database, datetime.now(UTC))
    (item,) = [i for i in http.get("/v1/approvals", headers=headers["lead"]).json()["items"] if i["kind"] == "grouping"]
    assert (item["what"], item["reason"]) == (made["what"], "one queue of work")
    url, because = f"/v1/approvals/grouping/{made['grouping_id']}/approve", {"reason": "seen"}
    assert http.post(url, json=because, headers=headers["lead"]).status_code == 409
    assert http.post(url, json=because, headers=headers["admin"]).json()["state"] == "live"
    assert len(groupings.holding(database, datetime.now(UTC))) == 1


@pytest.mark.slow
def test_assessments_keep_to_it(http: TestClient, headers: Headers, database: Database, detector: Detector) -> None:
    """Assessed anew the campaigns are as people said, under the names that the preview told; undone, they are as found."""
    events = [e for seed in (1, 2) for e in simulate(PRESETS["smoke"], seed).events]
    profiles = detector.profile(detector.features(events))
    segments.ensure(database)
    worker = Findings(database, detector)
    worker.update(profiles, 1)
    found = campaigns.members(database)
    one, other = sorted(found, key=lambda c: -len(found[c]))[:2]
    assert not worker.outdated()
    content = {"campaign_id": one, "with_campaigns": [other]}
    told = GroupingPreview.model_validate(look(http, headers, content).json())
    merged = say(http, headers, content).json()["grouping_id"]
    assert worker.outdated()
    worker.update(profiles, 1)
    assert campaigns.members(database) == {told.parts[0].campaign_id: found[one] | found[other]}
    http.post(f"/v1/groupings/{merged}/undo", json={}, headers=headers["analyst"])
    worker.update(profiles, 1)
    assert set(map(frozenset, campaigns.members(database).values())) == set(map(frozenset, found.values()))


def test_the_graph_tells_who_took_over(http: TestClient, headers: Headers, database: Database) -> None:
    """A member that began right after another was blocked, or fell silent, is told as its successor, with the reason."""
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    group = campaign("x", list("abcd"))
    group.work = {
        "a": (now - 90 * hour, now + 20 * hour),
        "b": (now + hour, now + 40 * hour),
        "c": (START, START + hour),
        "d": (START + 2 * hour, now),
    }
    store(database, [account(a) for a in "abcd"], [group])
    decide(http, headers, "cases/a", actions=[{"action": "throttle", "expires_at": LATER}])
    graph = CampaignGraph.model_validate(http.get("/v1/campaigns/x/graph", headers=headers["analyst"]).json())
    told = [(h.stopped, h.taken_up_by, h.by_people) for h in graph.handovers]
    assert told == [("c", "d", False), ("a", "b", True)]
    assert {n.account_id: n.joined_at for n in graph.nodes}["d"] == START + 2 * hour
