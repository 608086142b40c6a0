"""Signals in shadow: who may switch them, what is recorded, and that assessments keep to it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.schemas.signals import SignalOut
from api.services import shadowing
from api.services.assessing import Findings
from api.storage import cases, segments
from api.storage.engine import Database
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.signals import SIGNALS
from detector.simulate import PRESETS, simulate
from tests.api.test_review import Headers


@pytest.fixture(scope="module")
def profiles(detector: Detector) -> Profiles:
    """Two harvesters, neither with a campaign around it."""
    everything = detector.profile(detector.features(simulate(PRESETS["smoke"], 4).events))
    found = detector.assess(everything).accounts
    flagged = [a for a in found if a.verdict == "flag" and a.campaign_id is None and a.evidence][:2]
    names = everything.accounts.filter(everything.accounts["account_id"].is_in([a.account_id for a in flagged]))
    return everything.only(names["acct"])


def switch(http: TestClient, headers: Headers, signal: str, state: str, role: Any = "lead") -> Any:
    """Put a signal into shadow, or make it live."""
    body = {"state": state, "reason": "too many good customers"}
    return http.put(f"/v1/signals/{signal}", json=body, headers=headers[role])


def listed(http: TestClient, headers: Headers) -> dict[str, SignalOut]:
    """All signals by name, as an auditor sees them."""
    answer = http.get("/v1/signals", headers=headers["auditor"])
    return {s.signal: s for s in map(SignalOut.model_validate, answer.json())}


def test_a_signal_is_switched_listed_and_audited(http: TestClient, headers: Headers, database: Database) -> None:
    """All are live at first; one that is switched says by whom and why, also after it is live again; the trail has both."""
    before = listed(http, headers)
    assert [*before] == [s.name for s in SIGNALS]
    assert {s.state for s in before.values()} == {"live"}
    made = SignalOut.model_validate(switch(http, headers, "grading", "shadow").json())
    assert (made.state, made.reason, made.actor is not None) == ("shadow", "too many good customers", True)
    assert listed(http, headers)["grading"] == made
    assert shadowing.holding(database) == {"grading"}
    switch(http, headers, "logprobs", "shadow", "admin")
    assert shadowing.holding(database) == {"grading", "logprobs"}
    assert switch(http, headers, "grading", "live").json()["state"] == "live"
    assert shadowing.holding(database) == {"logprobs"}
    trail = http.get("/v1/audit", headers=headers["auditor"]).json()["items"]
    assert [(e["action"], e["subject"]) for e in trail[:3]] == [
        ("signal.live", "signal grading"), ("signal.shadow", "signal logprobs"), ("signal.shadow", "signal grading"),
    ]  # fmt: skip
    assert trail[0]["detail"] == {"reason": "too many good customers"}


@pytest.mark.parametrize(
    ("signal", "state", "code", "said"),
    [
        ("grading", "live", 409, "grading is live already"),
        ("end_users", "shadow", 422, "speaks against harvesting"),
        ("horoscope", "shadow", 422, "there is no signal 'horoscope'"),
        ("grading", "gone", 422, "state"),
    ],
)
def test_what_cannot_be_switched(
    signal: str, state: str, code: int, said: str, http: TestClient, headers: Headers
) -> None:
    """What is so already, signals against, unknown ones and unknown states are refused with the reason."""
    answer = switch(http, headers, signal, state)
    assert (answer.status_code, said in answer.text) == (code, True)
    assert {s.state for s in listed(http, headers).values()} == {"live"}


def test_a_reason_is_needed(http: TestClient, headers: Headers) -> None:
    """Without one nothing is switched."""
    answer = http.put("/v1/signals/grading", json={"state": "shadow", "reason": " "}, headers=headers["lead"])
    assert answer.status_code == 422
    assert listed(http, headers)["grading"].state == "live"


def test_assessments_keep_to_it(
    http: TestClient, headers: Headers, database: Database, detector: Detector, profiles: Profiles
) -> None:
    """A switch makes the worker assess anew; the signal is no reason any more and the risk falls; live again all is as before."""
    segments.ensure(database)
    worker = Findings(database, detector)
    first = worker.update(profiles, 1)
    account = first.flagged()[0]
    signal = next(e.signal for e in account.evidence if e.direction == "for")
    assert not worker.outdated()
    switch(http, headers, signal, "shadow")
    assert worker.outdated()
    second = worker.update(profiles, 1)
    mine = next(a for a in second.accounts if a.account_id == account.account_id)
    assert signal not in {e.signal for e in mine.evidence}
    assert mine.risk < account.risk
    with database.read() as connection:
        assert cases.ids(connection) == {a.account_id for a in first.accounts}
    case = http.get(f"/v1/cases/{account.account_id}", headers=headers["analyst"]).json()
    assert case["risk"] == pytest.approx(mine.risk)
    assert case["in_shadow"] == mine.in_shadow
    assert not worker.outdated()
    assert Findings(database, detector).outdated()
    switch(http, headers, signal, "live")
    assert worker.update(profiles, 1).accounts == first.accounts
