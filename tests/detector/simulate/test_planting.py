"""Planting campaigns into a log that exists."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from detector.event import Account, Client, Event, Params
from detector.simulate import Campaign, Scenario, Surroundings, plant_among, plant_into, simulate


@pytest.fixture(scope="module")
def log() -> list[Event]:
    """Some days of twenty people who chat."""
    return simulate(Scenario(days=3, tenants={"chat_user": 20}), 4).events


def seen(events: list[Event], batch: int = 1000) -> Surroundings:
    """What a log shows, read in batches."""
    surroundings = Surroundings()
    for i in range(0, len(events), batch):
        surroundings.see(events[i : i + batch])
    return surroundings


def test_planted_into_a_log() -> None:
    """The log's events stay as they are, the planted ones fall within its time and use its models, and are all labelled."""
    log = simulate(Scenario(days=3, tenants={"chat_user": 20}), 4).events
    for event in log:
        event.model = "their-model"
        event.timestamp += timedelta(days=400)
    found = plant_into(log, [Campaign("reasoning", accounts=4, requests=20, cover=0.5)], 7)
    planted = [e for e in found.events if e.account_id in set(found.accounts["account_id"])]
    assert len(found.events) == len(log) + 80 == len(log) + len(planted)
    assert [e for e in found.events if e not in planted] == log
    assert {e.model for e in planted} == {"their-model"}
    first, last = min(e.timestamp for e in log), max(e.timestamp for e in log)
    assert all(first <= e.timestamp <= last for e in planted)
    assert set(found.harvest["event_id"]) == {e.event_id for e in planted}
    assert found.harvest["harvest"].sum() == 40
    assert [e.timestamp for e in found.events] == sorted(e.timestamp for e in found.events)


def test_the_same_seed_plants_the_same() -> None:
    """Planting is deterministic."""
    log = simulate(Scenario(days=2, tenants={"chat_user": 5}), 4).events
    first, second = (plant_into(log, [Campaign("grader", requests=12)], 7).events for _ in range(2))
    assert first == second


def test_an_empty_log_is_refused() -> None:
    """There must be something to plant into."""
    with pytest.raises(ValueError, match="no events"):
        plant_into([], [Campaign("grader")], 1)


def test_batches_and_order_show_the_same(log: list[Event]) -> None:
    """What is gathered of a log does not depend on how it is read."""
    assert seen(log) == seen(log, 7) == seen(log[::-1], 11)


def test_the_log_need_not_be_held(log: list[Event]) -> None:
    """What is planted among a log's surroundings is what is planted into its events."""
    campaigns = [Campaign("grader", accounts=3, requests=12, cover=0.5)]
    alone = plant_among(seen(log), campaigns, 7)
    known = {e.event_id for e in log}
    assert alone.events == [e for e in plant_into(log, campaigns, 7).events if e.event_id not in known]


def test_fields_that_the_log_never_fills_stay_empty() -> None:
    """A gateway that logs no payment, no session and no sampling parameters gets attackers without them, and with all else."""
    log = simulate(Scenario(days=3, tenants={"chat_user": 20}), 4).events
    for event in (bare := [e for e in log if e.client.ip]):
        event.params, event.session_id, event.client = Params(), None, Client(ip="10.0.0.1")
        event.account = Account(email_domain="mail.example")
    events = plant_among(seen(bare), [Campaign("logprobs", accounts=5, requests=20)], 2).events
    assert all(e.params == Params() for e in events)
    assert all(e.session_id is None and e.client.asn is None and e.client.tls_fingerprint is None for e in events)
    assert all(e.account.payment_fingerprint is None and e.account.created_at is None for e in events)
    assert any(e.client.ip for e in events)
    assert any(e.account.email_domain for e in events)


def test_a_wrong_clock_stretches_nothing() -> None:
    """One event of another century among thousands does not spread the campaign over a hundred years."""
    log = simulate(Scenario(days=3, tenants={"chat_user": 60, "heavy_user": 4}), 4).events
    assert len(log) > 1000
    true = seen(log).span
    log[0].timestamp -= timedelta(days=40_000)
    log[1].timestamp = log[1].timestamp.astimezone(UTC).replace(tzinfo=None)
    span = seen(log).span
    assert abs(span[0] - true[0]) < timedelta(days=1)
    assert span[1] == true[1]


def test_accounts_are_older_than_their_requests() -> None:
    """In a log of another year the attackers' accounts were opened before their first request, new ones shortly before."""
    log = simulate(Scenario(days=3, tenants={"chat_user": 20}), 4).events
    for event in log:
        event.timestamp -= timedelta(days=900)
    events = plant_among(seen(log), [Campaign("grader", accounts=30, requests=8)], 3).events
    ages = [e.timestamp - e.account.created_at for e in events if e.account.created_at]
    assert min(ages) > timedelta(0)
    assert min(ages) < timedelta(days=10)
