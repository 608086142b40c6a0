"""The worker: every event counts once, however it is stopped, and what people decided stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from api.services import window
from api.services.continuity import keep_names
from api.services.overview import clusters, overview
from api.settings import Settings
from api.storage import campaigns, cases, decisions, events, models, queue, ranges, segments
from api.storage.engine import Database, StorageError
from api.worker import Worker
from detector.assessment import Assessment
from detector.event import Event
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.simulate import PRESETS, simulate
from tests.api.builders import account, campaign


@cache
def traffic() -> tuple[list[Event], set[str]]:
    """A small labelled week: events and the harvesting accounts."""
    found = simulate(PRESETS["smoke"], seed=3)
    labels = found.accounts
    return found.events, set(labels.filter(labels["label"] == "attack")["account_id"])


def put(database: Database, found: Sequence[Event]) -> None:
    """Store events."""
    with database.write("events") as connection:
        events.insert(connection, [events.to_row(e, datetime.now(UTC)) for e in found])


def found_in(database: Database) -> dict[str, Any]:
    """All findings, numbers rounded: sums may be taken in another order."""
    accounts = {f.account_id: f for _, f in cases.findings(database)}
    found = {**accounts, **{f.campaign_id: f for _, f in campaigns.findings(database)}}
    return {key: rounded(msgspec.to_builtins(finding)) for key, finding in found.items()}


def rounded(value: Any) -> Any:
    """A value with its floats to six digits."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return round(value, 6) if isinstance(value, float) else value


def small(settings: Settings, batch: int = 300) -> Settings:
    """Settings with small batches, and no assessment by the clock."""
    return settings.model_copy(update={"worker_batch": batch, "assess_seconds": 1e9})


def drain(worker: Worker) -> None:
    """Profile all that waits, then assess."""
    while worker.step():
        pass
    worker.step()
    worker.assessor.assess()


def state(database: Database) -> segments.State:
    """Where the workers are."""
    with database.read() as connection:
        return segments.state(connection)


class Died(Exception):
    """Stands for the end of a process."""


def test_finds_harvesters_in_the_log(database: Database, settings: Settings, detector: Detector) -> None:
    """From stored events to findings: most planted accounts are flagged, few others, and templates have their words."""
    found, attackers = traffic()
    put(database, found)
    drain(Worker(database, detector, small(settings)))
    flagged = {row.account_id for row in queue.page(database, queue.Query(verdict="flag", limit=1000)).rows}
    assert len(flagged & attackers) >= 0.6 * len(attackers)
    assert len(flagged - attackers) <= 3
    assert any(t["text"] for f in found_in(database).values() for t in f["templates"])
    figures = overview(database)
    assert (figures.events, figures.worker_lag_events, figures.unassessed_events) == (len(found), 0, 0)
    assert sum(point.population for point in clusters(database, None)) > 0.9 * len(found) - 400


def test_restarts_change_nothing(database: Database, settings: Settings, detector: Detector, tmp_path: Any) -> None:
    """A worker that dies after every batch, or just before its commit, finds exactly what an undisturbed one finds."""
    found, _ = traffic()
    put(database, found)
    undisturbed = Database(f"sqlite:///{tmp_path / 'undisturbed.db'}")
    models.metadata.create_all(undisturbed.engine)
    put(undisturbed, found)
    drain(Worker(undisturbed, detector, small(settings, 5000)))
    for _ in range(len(found) // 300 + 1):
        dying = Worker(database, detector, small(settings))
        ranges.cut(database, 300)
        with suppress(Died), ranges.hold(database) as held:
            assert held is not None
            dying._profile([(s.event, s.features) for s in held.read() if s.event])  # the work is done and lost
            raise Died
        dying.assessor.close()
        living = Worker(database, detector, small(settings))
        living.step()
        living.assessor.close()
    last = Worker(database, detector, small(settings))
    drain(last)
    assert state(database).events == len(found)
    assert found_in(database) == found_in(undisturbed)
    undisturbed.close()


def test_compaction_keeps_the_profile(
    database: Database, settings: Settings, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merging segments level by level leaves few of them and the same profile."""
    monkeypatch.setattr(window, "MAX_SEGMENTS", 3)
    found, _ = traffic()
    put(database, found[:600])
    worker = Worker(database, detector, small(settings, 30))
    while worker.step():
        pass
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(models.profile_segments)).scalar_one() <= 9
    kept = merge_all(Profiles.from_bytes(blob) for blob in segments.profiles(database))
    assert kept is not None
    whole = detector.profile(detector.features(found[:600]))
    keys = {
        "accounts": ["acct"],
        "counts": ["acct", "day"],
        "objects": ["acct", "day", "kind", "key"],
        "sample": ["event_key"],
    }
    for table, by in keys.items():
        assert getattr(kept, table).sort(by).equals(getattr(whole, table).sort(by)), table


def test_unreadable_events_are_left_out_alone(
    database: Database, settings: Settings, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that breaks the detector, or is no JSON, is counted as skipped; its neighbours are profiled."""
    found, _ = traffic()
    put(database, found[:50])
    with database.write() as connection:
        broken = models.events.c.event_id == found[7].event_id
        connection.execute(models.events.update().where(broken).values(payload=b"{"))
    features = Detector.features

    def fail_on_one(self: Detector, batch: Sequence[Event]) -> Any:
        assert all(e.event_id != found[20].event_id for e in batch)
        return features(self, batch)

    monkeypatch.setattr(Detector, "features", fail_on_one)
    worker = Worker(database, detector, small(settings))
    worker.step()
    assert (state(database).events, state(database).skipped) == (48, 2)


def test_failed_assessment_stops_no_profiling(
    database: Database, settings: Settings, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When assessing fails, events are still profiled, the figures show it, and it is tried again."""
    found, _ = traffic()
    put(database, found[:90])
    worker = Worker(database, detector, settings.model_copy(update={"worker_batch": 30}))
    with monkeypatch.context() as broken:
        broken.setattr(Detector, "assess", lambda *_: 1 / 0)
        while worker.step():
            pass
        assert (overview(database).worker_lag_events, overview(database).unassessed_events) == (0, 90)
    deadline = time.monotonic() + 30
    while overview(database).unassessed_events:
        assert time.monotonic() < deadline
        worker.step()


def test_assessing_takes_half_of_the_time_at_most(
    database: Database, settings: Settings, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow an assessment is, and with news all the time, as much time is left for reading; more while much waits."""
    found, _ = traffic()
    put(database, found[:100])
    assess, spans = Detector.assess, []

    def slowly(self: Detector, *given: Any) -> Assessment:
        start = time.monotonic()
        time.sleep(0.1)
        done = assess(self, *given)
        spans.append((start, time.monotonic()))
        return done

    monkeypatch.setattr(Detector, "assess", slowly)
    for batch, rest in ((1, 3), (10_000, 1)):  # always behind; never behind
        worker = Worker(database, detector, settings.model_copy(update={"worker_batch": batch}))
        worker.step()
        spans.clear()
        deadline = time.monotonic() + 240
        while len(spans) < 2:
            assert time.monotonic() < deadline
            put(database, [msgspec.structs.replace(found[0], event_id=f"new-{time.monotonic_ns()}")])
            worker.step()
        worker.assessor.close()
        for (start, end), (following, _) in pairwise(spans):
            assert following - end >= rest * (end - start)


def test_reading_goes_on_beside_an_assessment(
    database: Database, settings: Settings, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an assessment lasts events are profiled and no other one begins; its failure is told, its findings are stored."""
    found, _ = traffic()
    assess, go_on, begun = Detector.assess, threading.Event(), []

    def slowly(self: Detector, *given: Any) -> Assessment:
        begun.append(threading.current_thread())
        assert go_on.wait(60)
        if len(begun) == 1:
            raise StorageError("the database went away")
        return assess(self, *given)

    monkeypatch.setattr(Detector, "assess", slowly)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1})
    put(database, found[:100])
    worker = Worker(database, detector, settings.model_copy(update={"worker_batch": 50}))
    worker.assessor.go_beside()
    while not begun:
        worker.step()
    put(database, found[100:400])
    while worker.step():
        pass
    worker.step()
    assert (state(database).events, overview(database).accounts) == (400, 0)
    assert len(begun) == 1
    assert begun[0] is not threading.current_thread()
    go_on.set()

    def until_it_fails() -> None:
        while True:
            worker.step()

    with pytest.raises(StorageError, match="went away"):
        until_it_fails()
    while overview(database).unassessed_events:
        worker.step()
    assert overview(database).accounts == len({e.account_id for e in found[:400]})
    worker.assessor.close()


def test_a_wrong_clock_moves_no_window(database: Database, settings: Settings, detector: Detector) -> None:
    """An event from the far future leaves older logs that are being replayed in the window."""
    found, _ = traffic()
    future = Event(event_id="f", timestamp=datetime(2999, 1, 1, tzinfo=UTC), account_id=found[0].account_id)
    put(database, [*found[:200], future])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    assert state(database).last_event_at == max(e.timestamp for e in found[:200])
    assert sum(f.requests for _, f in cases.findings(database)) >= 200


def test_decisions_stay_through_new_assessments(database: Database, settings: Settings, detector: Detector) -> None:
    """More traffic changes findings, never what was decided, nor the first time of flagging."""
    found, _ = traffic()
    put(database, found[:1500])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    row = queue.page(database, queue.Query(verdict="flag", limit=1)).rows[0]
    decisions.decide(database, "account", row.account_id, "dismiss", "known customer", "me")
    put(database, found[1500:])
    drain(worker)
    again = cases.rows_of(database, [row.account_id])[row.account_id]
    assert again.state == "dismissed"
    assert again.flagged_at <= row.flagged_at
    assert len(decisions.of(database, "account", row.account_id)) == 1


def test_nothing_is_written_where_nothing_changed(database: Database, settings: Settings, detector: Detector) -> None:
    """Assessing the same profile again leaves all rows as they are."""
    found, _ = traffic()
    put(database, found[:500])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    query = select(models.account_findings).order_by(models.account_findings.c.account_id)
    with database.read() as connection:
        before = connection.execute(query).all()
    worker.assessor.close()
    Worker(database, detector, small(settings)).assessor.assess()
    with database.read() as connection:
        assert connection.execute(query).all() == before


def test_a_campaign_keeps_its_name() -> None:
    """A campaign that is mostly the same accounts takes the earlier id, in its members' evidence too; others do not."""
    grown = campaign("cnew", ["a", "b", "c"])
    other = campaign("cother", ["x", "y"])
    member = account("a", campaign_id="cnew")
    member.evidence[0].text = "Campaign cnew: shares"
    assessment = Assessment(accounts=[member], campaigns=[grown, other])
    keep_names(assessment, {"cold": {"a", "b"}, "celse": {"x", "z", "q"}})
    assert [c.campaign_id for c in assessment.campaigns] == ["cold", "cother"]
    assert (member.campaign_id, member.evidence[0].text) == ("cold", "Campaign cold: shares")
