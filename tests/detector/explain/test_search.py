"""Counterfactuals: what is told does turn the verdict, and less than it does not."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from detector.explain.case import SIGNS, Case, case_of, restricted
from detector.explain.search import Change, above, below, closest
from detector.pipeline import Detector
from detector.signals import SIGNALS
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
    """Own risk with each set of signals at the ordinary median, where that lowers it; computed one value at a time."""
    variants = np.repeat(case.values[None], len(sets), axis=0)
    for values, signals in zip(variants, sets, strict=True):
        for part in values:
            for j in signals:
                part[j] = min(part[j], median(case, j)) if SIGNS[j] > 0 else max(part[j], median(case, j))
    return expit(case.log_odds(variants))


def numbers(change: Change) -> tuple[int, ...]:
    """The signals of a change."""
    return tuple(NUMBER[s.signal] for s in change.settings)


def test_less_is_enough_and_the_least(cases: list[Case]) -> None:
    """The signals told bring the risk below the threshold, as told; no smaller set of any signals does."""
    seen = 0
    for case in cases:
        threshold = case.scorer.weights.watch_at
        if case.risk < threshold:
            continue
        change = below(case, threshold)
        if change is None:
            assert lowered(case, EVERY)[0] >= threshold
            continue
        seen += 1
        told = numbers(change)
        assert lowered(case, told)[0] == pytest.approx(change.risk)
        assert change.risk < threshold
        if change.smallest:
            assert (lowered(case, *combinations(EVERY, len(told) - 1)) >= threshold).all()
        assert (lowered(case, *combinations(told, len(told) - 1)) >= threshold).all()
    assert seen


def test_a_hard_case_is_solved_by_a_set_that_is_irreducible(cases: list[Case]) -> None:
    """Where more signals are needed than are tried in every combination, none of those told can be left out."""
    scorer = cases[0].scorer
    utmost = np.array(
        [(max if SIGNS[j] > 0 else min)([*scorer.weights.population[s.name], 0.0]) for j, s in enumerate(SIGNALS)]
    )
    case = Case(utmost[None], np.zeros(1), 100.0, scorer)
    assert case.risk > 0.99
    floor = lowered(case, EVERY)[0]
    change = below(case, floor * 1.05)
    assert change is not None
    assert len(change.settings) > 3
    assert not change.smallest
    told = numbers(change)
    assert (lowered(case, *combinations(told, len(told) - 1)) >= floor * 1.05).all()


def test_more_is_enough_and_the_least(cases: list[Case]) -> None:
    """The single value told flags the account, and the next smaller step does not; where none is told no value does."""
    single = none = 0
    for case in cases:
        threshold = case.scorer.weights.flag_at
        if case.risk >= threshold or case.requests < 8:
            continue
        told = above(case, threshold)
        for change in told:
            assert change.risk >= threshold
            assert change.verdict == "flag"
        if told and len(told[0].settings) == 1:
            single += 1
            for change in told:
                (j,) = numbers(change)
                values, risks = _along(case, j)
                flagging = values[risks >= threshold]
                first = flagging.min() if SIGNS[j] > 0 else flagging.max()
                assert change.settings[0].target == SIGNALS[j].display(first)
        else:
            none += 1
            assert all((_along(case, j)[1] < threshold).all() for j in EVERY)
    assert single + none


def _along(case: Case, j: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of one signal around every place where a tree decides, and the own risk at each."""
    model = case.scorer.model
    edges = np.unique(model.threshold[model.feature == j])
    grid = np.sort(np.concatenate([edges, np.nextafter(edges, np.inf), edges - 1e-7, edges + 1e-7]))
    grid = grid[grid > case.values[0, j]] if SIGNS[j] > 0 else grid[grid < case.values[0, j]]
    variants = np.repeat(case.values[None], len(grid), axis=0)
    further = np.maximum if SIGNS[j] > 0 else np.minimum
    variants[:, :, j] = further(variants[:, :, j], grid[:, None])
    return grid, expit(case.log_odds(variants)) if len(grid) else grid


def test_the_closest_raises_the_risk_but_does_not_flag(cases: list[Case]) -> None:
    """Where nothing flags, the one signal told is the one that raises the risk most."""
    for case in cases[:5]:
        change = closest(case)
        assert change is not None
        assert len(change.settings) == 1
        assert change.risk >= max(float(_along(case, j)[1].max(initial=0.0)) for j in EVERY) - 1e-9
