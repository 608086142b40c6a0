"""The rehearsal in a small simulated log."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from detector.event import Event
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.rehearse import Plan, Rehearsal, rehearse
from detector.rehearse.plan import Trial
from detector.rehearse.run import _planted
from detector.simulate import Scenario, Surroundings, simulate

PLAN = Plan(families=("reasoning",), accounts=(1, 6), requests=(40,), covers=(0.0, 0.9), repeats=1)


@dataclass
class Log:
    """A log as a rehearsal sees it, and its events."""

    events: list[Event]
    profiles: Profiles
    surroundings: Surroundings


@pytest.fixture(scope="module")
def log(detector: Detector) -> Log:
    """Some days of honest people who chat."""
    events = simulate(Scenario(days=3, tenants={"chat_user": 50, "heavy_user": 3}), 5).events
    surroundings = Surroundings()
    surroundings.see(events)
    return Log(events, detector.profile(detector.features(events)), surroundings)


@pytest.fixture(scope="module")
def found(log: Log, detector: Detector) -> Rehearsal:
    """A rehearsal in it."""
    return rehearse(log.profiles, log.surroundings, detector, PLAN)


def test_every_shape_is_planted_and_judged(found: Rehearsal) -> None:
    """One campaign a shape and repeat, with the harvest that its shape says; figures agree with each other."""
    assert [o.shape for o in found.outcomes] == PLAN.shapes()
    for o in found.outcomes:
        assert o.harvest == o.shape.harvest
        assert 0 <= o.exposure <= 1
        assert (o.first_flag is None) == (o.flagged == 0) == (o.risk < found.flag_at)
        assert o.first_flag is None or 1 <= o.first_flag <= o.shape.size
        assert not o.caught or o.flagged >= 1
        assert max([0, *o.signals.values(), *o.ties.values()]) <= o.flagged
    assert found.planted == sum(s.size for s in PLAN.shapes())


def test_the_loud_is_caught_and_the_hidden_is_missed(found: Rehearsal) -> None:
    """Six accounts that do nothing but elicit reasoning are caught; one of whose requests nine in ten are chat is not."""
    by_shape = {(r.shape.accounts, r.shape.cover): r for r in found.shapes()}
    loud, hidden = by_shape[6, 0.0], by_shape[1, 0.9]
    assert loud.caught.rate == 1
    assert loud.reasons
    assert loud.exposure < 1
    assert hidden.caught.rate == 0
    assert hidden.exposure == 1
    assert hidden.first_flag is None


def test_the_log_is_left_as_it_is(log: Log, found: Rehearsal) -> None:
    """Its own honest accounts keep their verdicts."""
    assert found.disturbance.accounts == len(log.profiles) == found.accounts
    assert found.disturbance.changed == {}
    assert found.disturbance.assessments == 4
    assert found.events == len(log.events)


def test_as_if_it_had_been_in_the_log(log: Log, found: Rehearsal, detector: Detector) -> None:
    """Merged profiles give what an audit of the log with the planted requests in it gives."""
    outcome = next(o for o in found.outcomes if o.shape.accounts == 6)
    campaign, traffic = _planted(Trial(shape=outcome.shape, repeat=0), PLAN, log.surroundings)
    events = sorted([*log.events, *traffic.events], key=lambda e: e.timestamp)
    assessment = detector.assess(detector.profile(detector.features(events)))
    mine = [a for a in assessment.accounts if a.account_id in set(traffic.accounts["account_id"])]
    assert campaign.accounts == len(mine) == 6
    assert max(a.risk for a in mine) == pytest.approx(outcome.risk)
    assert sum(a.verdict == "flag" for a in mine) == outcome.flagged


def test_what_is_planted_depends_on_the_seed_alone(log: Log) -> None:
    """The same trial plants the same events; another seed, shape or repeat others."""
    small, large = PLAN.shapes()[0], PLAN.shapes()[-1]

    def ids(plan: Plan, trial: Trial) -> set[str]:
        return {e.event_id for e in _planted(trial, plan, log.surroundings)[1].events}

    first = ids(PLAN, Trial(shape=small, repeat=0))
    assert first == ids(Plan(seed=1, families=("grader",)), Trial(shape=small, repeat=0))
    others = [
        ids(Plan(seed=2), Trial(shape=small, repeat=0)),
        ids(PLAN, Trial(shape=small, repeat=1)),
        ids(PLAN, Trial(shape=large, repeat=0)),
    ]
    assert not any(first & other for other in others)


def test_shapes_too_large_for_the_log_are_named(log: Log, detector: Detector) -> None:
    """A hundred accounts cannot hide among forty: that shape is left out and told."""
    plan = Plan(families=("grader",), accounts=(2, 100), requests=(8,), covers=(0.0,), repeats=1)
    found = rehearse(log.profiles, log.surroundings, detector, plan)
    assert [s.accounts for s in found.skipped] == [100]
    assert [o.shape.accounts for o in found.outcomes] == [2]


def test_the_budget_leaves_repeats_out(log: Log, detector: Detector) -> None:
    """As many repeats are made as the budget holds, and that is told."""
    plan = Plan(families=("grader",), accounts=(1,), requests=(10,), covers=(0.0,), repeats=5, budget=25)
    found = rehearse(log.profiles, log.surroundings, detector, plan)
    assert (found.repeats, len(found.outcomes), found.planted) == (2, 2, 20)


def test_logs_without_a_population(log: Log, detector: Detector) -> None:
    """An empty log and one of a single account are refused with what to do."""
    with pytest.raises(ValueError, match="no events"):
        rehearse(detector.profile(detector.features([])), Surroundings(), detector, PLAN)
    one = [e for e in log.events if e.account_id == log.events[0].account_id]
    surroundings = Surroundings()
    surroundings.see(one)
    with pytest.raises(ValueError, match=r"the log is too small: .* of 1 account\."):
        rehearse(detector.profile(detector.features(one)), surroundings, detector, PLAN)
