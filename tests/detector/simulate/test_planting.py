"""Planting campaigns into a log that exists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from detector.simulate import Campaign, Scenario, plant_into, simulate


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
