"""A case beside others: its twins among the reviewed, and the members of a campaign."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.schemas.case import CampaignGraph, Twins
from api.storage.engine import Database
from detector.assessment import Evidence, Related
from tests.api.builders import account, campaign
from tests.api.test_review import Headers, decide, store


def evidence(**contributions: float) -> list[Evidence]:
    """Reasons with these contributions."""
    return [
        Evidence(signal=s, title=s.title(), direction="for" if c > 0 else "against", value=0.5, unit="share of requests",
                 percentile=0.9, contribution=c, text="why")
        for s, c in contributions.items()
    ]  # fmt: skip


def test_twins_are_the_nearest_of_each_outcome(http: TestClient, headers: Headers, database: Database) -> None:
    """Three confirmed and three dismissed, the most alike first; open ones and the account itself are none."""
    found = {"me": evidence(grading=2, logprobs=1), "open": evidence(grading=2, logprobs=1)}
    for n in range(5):
        found[f"bad{n}"] = evidence(grading=2, logprobs=1 + n)
        found[f"good{n}"] = evidence(grading=1, follow_ups=-n - 0.5)
    findings = [account(name) for name in found]
    for finding in findings:
        finding.evidence = found[finding.account_id]
    store(database, findings)
    for name in found:
        if name not in ("me", "open"):
            decide(http, headers, f"/v1/cases/{name}", "confirm" if name.startswith("bad") else "dismiss")
    told = Twins.model_validate(http.get("/v1/twins", params={"account": "me"}, headers=headers["auditor"]).json())
    assert [t.account_id for t in told.confirmed] == ["bad0", "bad1", "bad2"]
    assert [t.account_id for t in told.dismissed] == ["good0", "good1", "good2"]
    assert told.confirmed[0].likeness == pytest.approx(1.0)
    assert told.confirmed[0].values == {"grading": "50%", "logprobs": "50%"}
    assert [(s.signal, s.confirmed, s.reviewed) for s in told.signals] == [("grading", 5, 10), ("logprobs", 5, 5)]
    assert http.get("/v1/twins", params={"account": "nobody"}, headers=headers["auditor"]).status_code == 404


def test_the_graph_ties_members_only(http: TestClient, headers: Headers, database: Database) -> None:
    """Each pair of members is one line with the rarest that they share; who is no member is not in the picture."""
    days = [("2026-09-07", 5, 100), ("2026-09-08", 5, 90)]
    store(
        database,
        [
            account("a", days=days, related=[Related(account_id="b", weight=9.0, text="Shares the address"),
                                             Related(account_id="stranger", weight=20.0, text="Shares the payment method")]),
            account("b", related=[Related(account_id="a", weight=12.0, text="Shares a rare sentence")]),
            account("c"),
            account("stranger"),
        ],
        [campaign("x", ["a", "b", "c", "gone"])],
    )  # fmt: skip
    graph = CampaignGraph.model_validate(http.get("/v1/campaigns/x/graph", headers=headers["analyst"]).json())
    assert [n.account_id for n in graph.nodes] == ["a", "b", "c"]
    assert [(e.source, e.target, e.weight) for e in graph.edges] == [("a", "b", 12.0)]
    assert (graph.nodes[0].days, graph.left_out) == (days, 1)
    assert http.get("/v1/campaigns/y/graph", headers=headers["analyst"]).status_code == 404
