"""Samples of the unflagged, agreement of reviewers, precision by size of account."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.schemas.base import Role
from api.schemas.quality import Quality, SampleOut
from api.storage.engine import Database
from tests.api.builders import account
from tests.api.test_review import decide, store

Headers = dict[Role, dict[str, str]]


def test_samples_tell_what_is_missed(http: TestClient, headers: Headers, database: Database) -> None:
    """Only undecided accounts that are not flagged are drawn, each once; their reviews bound what is missed."""
    store(database, [account(f"clear{n}", 0.1) for n in range(12)] + [account(f"flag{n}", 0.9) for n in range(5)])
    assert decide(http, headers, "/v1/cases/clear0", "dismiss").status_code == 201
    drawn = SampleOut.model_validate(http.post("/v1/samples", headers=headers["analyst"], json={"size": 8}).json())
    names = [s.account_id for s in drawn.items]
    assert len(set(names)) == 8
    assert all(name.startswith("clear") and name != "clear0" for name in names)
    assert (drawn.unflagged, drawn.missed.reviewed) == (12, 0)
    again = SampleOut.model_validate(http.post("/v1/samples", headers=headers["analyst"], json={"size": 8}).json())
    assert len({s.account_id for s in again.items}) == 11  # all there are
    for name, decision in zip(names[:4], ("confirm", "dismiss", "dismiss", "need_more"), strict=True):
        decide(http, headers, f"/v1/cases/{name}", decision)
    told = SampleOut.model_validate(http.get("/v1/samples", headers=headers["auditor"]).json())
    assert (told.missed.confirmed, told.missed.reviewed) == (1, 3)
    assert (told.missed_low, told.missed_high) == pytest.approx((12 * told.missed.low, 12 * told.missed.high))
    for role in ("auditor", "gateway"):
        assert http.post("/v1/samples", headers=headers[role], json={"size": 1}).status_code == 403  # type: ignore[index]


def test_reviewers_agree_or_not(http: TestClient, headers: Headers, database: Database) -> None:
    """Of two people who decided on the same the last decision of each counts; undecided ones do not; differences are named."""
    store(database, [account(f"a{n}") for n in range(5)])
    said = {
        "a0": [("analyst", "confirm"), ("lead", "confirm")],
        "a1": [("analyst", "confirm"), ("analyst", "dismiss"), ("lead", "dismiss")],
        "a2": [("analyst", "confirm"), ("lead", "dismiss"), ("admin", "dismiss")],
        "a3": [("analyst", "confirm")],
        "a4": [("analyst", "need_more"), ("lead", "confirm")],
    }
    for name, decisions in said.items():
        for role, decision in decisions:
            body = {"decision": decision, "reason": "looked at it"}
            assert http.post(f"/v1/cases/{name}/decisions", headers=headers[role], json=body).status_code == 201  # type: ignore[index]
    found = Quality.model_validate(http.get("/v1/quality", headers=headers["auditor"]).json()).agreement
    assert (found.pairs, found.agreed) == (5, 3)
    chance = 0.4**2 + 0.6**2  # of ten decisions in pairs four are to confirm
    assert found.kappa == pytest.approx((0.6 - chance) / (1 - chance))
    assert [d.subject_id for d in found.disagreements] == ["a2"]


def test_precision_by_size_of_account(http: TestClient, headers: Headers, database: Database) -> None:
    """Small, middling and large accounts are counted apart, of all flags and by signal."""
    store(database, [account("small", requests=10), account("large", requests=1000), account("huge", requests=5000)])
    for name, decision in (("small", "dismiss"), ("large", "confirm"), ("huge", "dismiss")):
        decide(http, headers, f"/v1/cases/{name}", decision)
    found = Quality.model_validate(http.get("/v1/quality", headers=headers["analyst"]).json()).segments
    told = [(s.segment, s.signal, s.confirmed, s.reviewed) for s in found]
    assert told == [
        ("up to 20 requests", None, 0, 1),
        ("up to 20 requests", "s", 0, 1),
        ("more than 150 requests", None, 1, 2),
        ("more than 150 requests", "s", 1, 2),
    ]
