"""What the shipped scorer's thresholds are set by."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.detection.train_scoring import POPULATION, as_in_population
from detector.simulate import TEACHING, TENANTS

KINDS = ("chat_user", "single_turn_user", "tutoring_app")


def test_the_population_is_mostly_people_and_has_every_look_alike() -> None:
    """Every kind of customer but those that only teach is in it, and people make up most of it."""
    assert set(POPULATION) == set(TENANTS) - set(TEACHING)
    assert POPULATION["chat_user"] > sum(POPULATION.values()) / 2


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.floats(-5, 5, width=32)), min_size=1, max_size=200))
def test_no_kind_is_kept_beyond_its_share(rows: list[tuple[str, float]]) -> None:
    """What is scarcest stays whole, all others are thinned to its proportion, and each one's kept scores span its own."""
    kinds = np.array([kind for kind, _ in rows])
    scores = np.array([score for _, score in rows])
    kept = as_in_population(scores, kinds)
    assert len(set(kept.tolist())) == len(kept)
    found = set(kinds.tolist())
    left = {kind: int((kinds[kept] == kind).sum()) for kind in found}
    scarcest = min(found, key=lambda kind: (kinds == kind).sum() / POPULATION[kind])
    assert left[scarcest] == (kinds == scarcest).sum()
    for kind in found:
        share = POPULATION[kind] / POPULATION[scarcest]
        assert abs(left[kind] - left[scarcest] * share) <= 0.5 or left[kind] == (kinds == kind).sum()


@given(st.permutations(range(40)))
def test_what_is_kept_does_not_depend_on_order(order: list[int]) -> None:
    """The same scores are kept in whatever order the accounts come."""
    scores = np.linspace(-2, 2, 40)
    kinds = np.array(["chat_user"] * 10 + ["tutoring_app"] * 30)
    kept = as_in_population(scores, kinds)
    shuffled = as_in_population(scores[order], kinds[order])
    assert sorted(scores[kept]) == sorted(scores[order][shuffled])


def test_a_thinned_kind_keeps_its_spread() -> None:
    """Of many look-alikes those kept are evenly spaced by score: neither the highest alone nor the lowest."""
    scores = np.concatenate([np.zeros(1500), np.arange(100.0)])
    kinds = np.array(["chat_user"] * 1500 + ["tutoring_app"] * 100)
    kept = scores[as_in_population(scores, kinds)][-2:]
    assert sorted(kept) == [24.0, 74.0]
