"""Counterfactuals: what is told does turn the verdict, and less than it does not."""

from __future__ import annotations

from itertools import combinations

import msgspec
import numpy as np
import pytest

from detector.accounts import FEATURES
from detector.explain.case import Case, case_of, restricted
from detector.explain.search import MIN_STEP, Change, above, below, closest
from detector.parts import MIN_REQUESTS, WHOLE
from detector.pipeline import Detector
from detector.scoring import FLAG_AT, WATCH_AT, Scorer, Segment
from detector.signals import SIGNALS, SIGNS
from tests.detector.explain.conftest import Log

EVERY = tuple(range(len(SIGNALS)))
NUMBER = {s.name: j for j, s in enumerate(SIGNALS)}


@pytest.fixture(scope="module")
def cases(log: Log, detector: Detector) -> list[Case]:
    """Every fifth account of the log, and all that are not clear."""
    chosen = [*log.assessment.accounts[::5], *log.of("flag"), *log.of("watch")]
    return [case_of(restricted(log.profiles, log.acct(a.account_id)), detector.scorer) for a in chosen]


def median(case: Case, j: int) -> float:
    """The ordinary median of a signal."""
    grid = case.scorer.weights.population[SIGNALS[j].name]
    return grid[round(0.5 * (len(grid) - 1))]


def lowered(case: Case, *sets: tuple[int, ...]) -> np.ndarray:
    """Own log-odds with each set of signals at the ordinary median, where that lowers it; computed one value at a time."""
    variants = np.repeat(case.values[None], len(sets), axis=0)
    for values, signals in zip(variants, sets, strict=True):
        for part in values:
            for j in signals:
                part[j] = min(part[j], median(case, j)) if SIGNS[j] > 0 else max(part[j], median(case, j))
    return case.log_odds(variants)


def numbers(change: Change) -> tuple[int, ...]:
    """The signals of a change."""
    return tuple(NUMBER[s.signal] for s in change.settings)


def test_less_is_enough_and_the_least(cases: list[Case]) -> None:
    """The signals told bring the score below the line, as told; no smaller set of any signals does."""
    for case in cases:
        line = case.line(WATCH_AT)
        if case.risk < WATCH_AT:
            continue
        change = below(case, WATCH_AT)
        if change is None:
            assert lowered(case, EVERY)[0] >= line
            continue
        told = numbers(change)
        assert case.risk_of(float(lowered(case, told)[0])) == pytest.approx(change.risk)
        assert change.risk < WATCH_AT
        if change.smallest:
            assert (lowered(case, *combinations(EVERY, len(told) - 1)) >= line).all()
        assert (lowered(case, *combinations(told, len(told) - 1)) >= line).all()


def flagging_from(scorer: Scorer, score: float) -> Scorer:
    """A scorer that flags and watches from a score on: so many honest accounts have just this one."""
    segment = Segment(None, 1000, [score] * 500)
    weights = msgspec.structs.replace(scorer.weights, segments=[segment], max_false_flags=0.05)
    return Scorer(weights)


def extreme(scorer: Scorer) -> Case:
    """An account with every signal at the utmost of the ordinary population, and no parts."""
    utmost = [(max if SIGNS[j] > 0 else min)([*scorer.weights.population[s.name], 0.0]) for j, s in enumerate(SIGNALS)]
    x = np.zeros((1, len(FEATURES)))
    x[:, : len(SIGNALS)] = x[:, -len(SIGNALS) :] = utmost
    x[:, len(SIGNALS) + WHOLE] = 1.0
    x[:, FEATURES.index("share")], x[:, FEATURES.index("log_requests")] = 1.0, np.log(100)
    return Case(x, 100.0, scorer)


def test_a_hard_case_is_solved_by_a_set_that_is_irreducible(detector: Detector) -> None:
    """Where more signals are needed than are tried in every combination, none of those told can be left out."""
    case = extreme(detector.scorer)
    line = float(lowered(case, EVERY)[0]) + 0.05
    assert case.log_odds(case.values[None])[0] > line + 1
    case = Case(case.x, case.requests, flagging_from(detector.scorer, line))
    change = below(case, FLAG_AT)
    assert change is not None
    assert len(change.settings) > 3
    assert not change.smallest
    told = numbers(change)
    assert lowered(case, told)[0] < line
    assert (lowered(case, *combinations(told, len(told) - 1)) >= line).all()


def test_other_thresholds_than_those_of_a_verdict_are_refused(detector: Detector) -> None:
    """No verdict begins elsewhere."""
    with pytest.raises(ValueError, match="no verdict"):
        below(extreme(detector.scorer), 0.4)


def test_more_is_enough_and_the_least(cases: list[Case]) -> None:
    """The single value told flags the account, and the next smaller step that can be seen does not; where none is told no value does."""
    seen = 0
    for case in cases:
        line = case.line(FLAG_AT)
        if case.risk >= FLAG_AT or case.requests < MIN_REQUESTS:
            continue
        seen += 1
        told = above(case, FLAG_AT)
        assert all(change.risk >= FLAG_AT for change in told)
        if told and len(told[0].settings) == 1:
            for change in told:
                (j,) = numbers(change)
                values, odds = _along(case, j)
                flagging = values[(odds >= line) & _visible(case, j, values)]
                first = flagging.min() if SIGNS[j] > 0 else flagging.max()
                assert change.settings[0].target == _told(case, j, first)
        else:
            assert all((_along(case, j)[1] < line).all() for j in EVERY)
    assert seen


def test_how_unusual_a_target_is(cases: list[Case]) -> None:
    """It is the share of ordinary accounts that lie short of it in the direction of the change: none at a value that most have."""
    seen = 0
    for case in cases:
        for change in [c for c in (*above(case, FLAG_AT), closest(case)) if c]:
            for setting in change.settings:
                if setting.target == setting.value:
                    continue  # too small a step for the unit to tell
                j = NUMBER[setting.signal]
                population = [_told(case, j, v) for v in case.scorer.weights.population[setting.signal]]
                less = sum(v < setting.target for v in population) / len(population)
                more = sum(v > setting.target for v in population) / len(population)
                assert setting.beyond == pytest.approx(less if setting.target >= setting.value else more, abs=0.011)
                seen += 1
    assert seen


def _told(case: Case, j: int, value: float) -> float:
    """A signal's value as people read it."""
    return SIGNALS[j].display(SIGNALS[j].counted(value, int(case.requests)))


def _edges(case: Case, j: int) -> np.ndarray:
    """Values of one signal at which a tree decides."""
    model = case.scorer.accounts
    return np.unique(model.threshold[(model.feature == j) | (model.feature == len(FEATURES) - len(SIGNALS) + j)])


def _visible(case: Case, j: int, values: np.ndarray) -> np.ndarray:
    """Which values are steps of a tree, and farther from the account's own than what looks the same."""
    edges = _edges(case, j)
    steps = np.nextafter(edges, np.inf) if SIGNS[j] > 0 else edges
    return np.isin(values, steps) & (np.abs(values - case.values[0, j]) > MIN_STEP * np.ptp(edges))


def _along(case: Case, j: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of one signal around every place where a tree decides, and the own log-odds at each."""
    edges = _edges(case, j)
    grid = np.sort(np.concatenate([edges, np.nextafter(edges, np.inf), edges - 1e-7, edges + 1e-7]))
    grid = grid[grid > case.values[0, j]] if SIGNS[j] > 0 else grid[grid < case.values[0, j]]
    variants = np.repeat(case.values[None], len(grid), axis=0)
    further = np.maximum if SIGNS[j] > 0 else np.minimum
    variants[:, :, j] = further(variants[:, :, j], grid[:, None])
    return grid, case.log_odds(variants) if len(grid) else grid


def test_the_closest_raises_the_risk_but_does_not_flag(cases: list[Case]) -> None:
    """Where nothing flags, the one signal told is the one that raises the risk most."""
    for case in cases[:5]:
        change = closest(case)
        own = float(case.log_odds(case.values[None])[0])
        utmost = max(float(_along(case, j)[1].max(initial=own)) for j in EVERY)
        if change is None:
            assert utmost <= own + 1e-9
        else:
            assert len(change.settings) == 1
            assert change.risk == pytest.approx(case.risk_of(utmost))
