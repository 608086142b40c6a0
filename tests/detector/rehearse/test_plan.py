"""The grid of shapes, the campaigns drawn of it, and how they share rounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.rehearse.plan import FEWEST, MAX_SHARE, Plan, Shape, Trial, draw, fits, rounds, typical_requests
from detector.simulate import FRAMES, HARVESTS

SHAPES = st.builds(
    Shape,
    family=st.sampled_from(sorted(HARVESTS)),
    accounts=st.integers(1, 120),
    requests=st.integers(1, 300),
    cover=st.sampled_from((0.0, 0.5, 0.8)),
    paraphrases=st.integers(1, 3),
)


def test_the_grid_holds_every_combination_once() -> None:
    """Thirteen families, four sizes and three covers are 156 shapes; a value given twice adds none."""
    assert len(Plan().shapes()) == len(set(Plan().shapes())) == 13 * 4 * 3
    twice = Plan(families=("reasoning",), accounts=(1, 1), requests=(10, 20), covers=(0.0,), paraphrases=(1, 4))
    assert [(s.requests, s.paraphrases) for s in twice.shapes()] == [(10, 1), (10, 4), (20, 1), (20, 4)]


def test_more_accounts_send_less_each_and_more_in_all() -> None:
    """As in reported incidents; and never less than the detector can say something of."""
    each = [typical_requests(n) for n in (1, 5, 25, 100, 10_000)]
    assert each == sorted(each, reverse=True)
    assert each[-1] == FEWEST
    assert all(a * typical_requests(a) < b * typical_requests(b) for a, b in ((1, 5), (5, 25), (25, 100)))


def test_shapes_of_a_family_differ_by_nothing_but_their_shape() -> None:
    """In one repeat all shapes of a family have the same way of harvesting, pace and age."""
    plan = Plan()
    shapes = [s for s in plan.shapes() if s.family == "reasoning"]
    for repeat in range(3):
        drawn = {replace(draw(s, plan, repeat), accounts=1, requests=1, cover=0.0) for s in shapes}
        assert len(drawn) == 1


def test_repeats_take_turns() -> None:
    """As many repeats as a family has variants use all of them; another seed takes them in another order."""
    for family, variants in FRAMES.items():
        shape = Plan(families=(family,)).shapes()[0]
        used = [draw(shape, Plan(), r).variant for r in range(len(variants))]
        assert set(used) == set(variants)
    drawn = {tuple(draw(shape, Plan(seed=seed), r) for r in range(6)) for seed in range(20)}
    assert len(drawn) > 1


@given(st.lists(SHAPES, max_size=40, unique=True), st.integers(1, 3), st.integers(3, 3000), st.integers(10, 60_000))
def test_rounds_stay_small_and_keep_families_apart(
    shapes: list[Shape], repeats: int, accounts: int, events: int
) -> None:
    """Every trial is planted once; a round has no family twice, and is a small part of the log or one campaign alone."""
    trials = [Trial(shape=s, repeat=r) for s in shapes for r in range(repeats)]
    packed = rounds(trials, accounts, events)
    assert sorted((t.shape, t.repeat) for batch in packed for t in batch) == sorted((t.shape, t.repeat) for t in trials)
    for batch in packed:
        assert len({t.shape.family for t in batch}) == len(batch)
        planted = sum(t.shape.accounts for t in batch), sum(t.shape.size for t in batch)
        small = all(n <= MAX_SHARE * (n + own) + 1e-6 for n, own in zip(planted, (accounts, events), strict=True))
        assert small or len(batch) == 1
    assert packed == rounds(trials[::-1], accounts, events)


def test_what_fits() -> None:
    """A campaign fits by its accounts and by its requests, as a share of what the log then is."""
    shape = Shape(family="grader", accounts=10, requests=5, cover=0.0, paraphrases=1)
    assert fits(shape, 20, 100, 1 / 3)
    assert not fits(shape, 19, 100, 1 / 3)
    assert not fits(shape, 20, 99, 1 / 3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"families": ("nonsense",)}, "unknown family nonsense: choose among sft_pairs"),
        ({"accounts": (0,)}, "at least 1"),
        ({"requests": (-1,)}, "at least 1"),
        ({"covers": (0.99,)}, "between 0 and 0.95"),
        ({"covers": (float("nan"),)}, "between 0 and 0.95"),
        ({"covers": ()}, "at least one value for covers"),
        ({"paraphrases": (0,)}, "at least 1"),
        ({"repeats": 0}, "at least one repeat"),
        ({"budget": 1000}, "more than the budget of 1,000"),
    ],
)
def test_plans_that_make_no_sense(fields: dict[str, Any], words: str) -> None:
    """Each is refused with what is wrong."""
    with pytest.raises(ValueError, match=words):
        Plan(**fields).check()
