"""What people's reviews say of the flags, and what they do to the threshold."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.schemas.account import AccountDetail
from api.schemas.overview import Overview
from api.schemas.performance import Performance
from api.services.assessing import Findings
from api.services.window import Window
from api.settings import Settings
from api.storage import cases, decisions, queue, segments
from api.storage.engine import Database
from api.worker import Worker
from detector.assessment import Evidence
from detector.pipeline import Detector
from detector.simulate import PRESETS, simulate
from tests.api.builders import account
from tests.api.test_review import Headers, decide, store
from tests.api.test_worker import drain, put, small, traffic


def test_performance_counts_reviewed_flags(http: TestClient, headers: Headers, database: Database) -> None:
    """Confirmed among confirmed and dismissed, of all and by signal; open cases, and what was never flagged, do not count."""
    other = Evidence(
        signal="t", title="T", direction="for", value=1, unit="u", percentile=0.9, contribution=1, text="too"
    )
    against = Evidence(
        signal="x", title="X", direction="against", value=1, unit="u", percentile=0.9, contribution=-1, text="but"
    )
    found = [account(f"a{n}", 0.9) for n in range(6)] + [account("watched", 0.6)]
    for finding in found[:2]:
        finding.evidence += [other, against]
    store(database, found)
    empty = Performance.model_validate(http.get("/v1/performance", headers=headers["auditor"]).json())
    assert (empty.all.reviewed, empty.all.precision, empty.signals) == (0, None, [])
    for name, decision in [
        ("a0", "confirm"), ("a1", "dismiss"), ("a2", "confirm"), ("a3", "confirm"), ("a4", "need_more"), ("watched", "confirm"),
    ]:  # fmt: skip
        assert decide(http, headers, f"/v1/cases/{name}", decision).status_code == 201
    told = Performance.model_validate(http.get("/v1/performance", headers=headers["auditor"]).json())
    assert (told.all.confirmed, told.all.reviewed, told.all.precision) == (3, 4, 0.75)
    assert (told.all.low, told.all.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)  # Wilson 1927 for 3 of 4
    assert [(s.signal, s.confirmed, s.reviewed) for s in told.signals] == [("s", 3, 4), ("t", 1, 2)]


def test_error_rates_are_shown(http: TestClient, headers: Headers, database: Database) -> None:
    """What is expected to be false, with its bounds, in the overview; how ordinary an account is, on its page."""
    before = Overview.model_validate(http.get("/v1/overview", headers=headers["analyst"]).json())
    assert (before.expected_false, before.expected_false_interval) == (0.0, (0.0, 0.0))
    store(database, [account("a", p_value=1 / 4800, false_discovery=0.02)])
    segments.ensure(database)
    with database.write() as connection:
        segments.note_assessment(connection, 1, 0.1, 0.5, b"[]", segments.ErrorRates(1.4, 0, 4, 0.001), 0)
    after = Overview.model_validate(http.get("/v1/overview", headers=headers["analyst"]).json())
    assert (after.expected_false, after.expected_false_interval, after.max_false_flags) == (1.4, (0.0, 4.0), 0.001)
    detail = AccountDetail.model_validate(http.get("/v1/cases/a", headers=headers["analyst"]).json())
    assert (detail.p_value, detail.false_discovery) == (1 / 4800, 0.02)


def test_dismissals_raise_the_threshold(database: Database, settings: Settings, detector: Detector) -> None:
    """Once flagged accounts are dismissed, the next assessment counts them as honest: p-values rise, no verdict gets worse."""
    put(database, traffic()[0])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    before = {f.account_id: f for _, f in cases.findings(database)}
    flagged = sorted((f for f in before.values() if f.verdict == "flag"), key=lambda f: -(f.score or 0))[:3]
    assert flagged
    for finding in flagged:
        decisions.decide(database, "account", finding.account_id, "dismiss", "our own test", "test")
    worker.assessor.assess()
    after = {f.account_id: f for _, f in cases.findings(database)}
    assert after.keys() == before.keys()
    severity = ("clear", "watch", "flag").index
    assert all(severity(after[a].verdict) <= severity(before[a].verdict) for a in before)
    assert all(after[f.account_id].p_value > f.p_value for f in flagged)
    assert [after[a].score for a in before] == pytest.approx([f.score for f in before.values()])
    with database.read() as connection:
        assert segments.state(connection).rates.reviewed == len(flagged)


def test_what_is_dismissed_is_the_same_after_a_restart(
    database: Database, settings: Settings, detector: Detector
) -> None:
    """Reviews act through what is stored: assessing again, by a new worker or the same, changes nothing more."""
    put(database, traffic()[0])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    for row in queue.page(database, queue.Query(verdict="flag", limit=2)).rows:
        decisions.decide(database, "account", row.account_id, "dismiss", "our own test", "test")
    risks = []
    for next_worker in (worker, worker, Worker(database, detector, small(settings))):
        if next_worker is not worker:
            worker.assessor.close()
        next_worker.assessor.assess()
        risks.append([f.risk for _, f in sorted(cases.findings(database), key=lambda found: found[1].account_id)])
    assert np.allclose(risks[0], risks[1])
    assert np.allclose(risks[0], risks[2])


def test_the_operator_sets_the_share(database: Database, settings: Settings, detector: Detector) -> None:
    """With a larger share more is flagged, and the service says which share holds."""
    put(database, traffic()[0])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    with database.read() as connection:
        strict = segments.state(connection)
    few = len(queue.page(database, queue.Query(verdict="flag", limit=1000)).rows)
    merged = Window(database, settings.window_days).merged()
    assert merged is not None
    Findings(database, detector.with_max_false_flags(0.05)).update(merged, strict.position)
    with database.read() as connection:
        loose = segments.state(connection)
    assert loose.rates.max_false_flags == 0.05 > strict.rates.max_false_flags
    assert len(queue.page(database, queue.Query(verdict="flag", limit=1000)).rows) >= few
    assert loose.rates.expected > strict.rates.expected


def test_a_dismissal_is_news(database: Database, detector: Detector) -> None:
    """Who was found honest counts in the error rates soon, and not only once there is new traffic."""
    segments.ensure(database)
    profiles = detector.profile(detector.features(simulate(PRESETS["smoke"], 1).events))
    worker = Findings(database, detector)
    account = worker.update(profiles, 1).flagged()[0].account_id
    assert not worker.outdated()
    decisions.decide(
        database, "account", account, "dismiss", "our own test", "test", details=decisions.Details(verdict_id=1)
    )
    assert worker.outdated()
    worker.update(profiles, 1)
    assert not worker.outdated()
    with database.read() as connection:
        assert segments.state(connection).rates.reviewed == 1
