"""From planted campaigns to shapes, curves and plain words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.rehearse.plan import Plan
from detector.rehearse.results import ALL, Reason
from detector.rehearse.words import blind_spots, family, headline, listed
from detector.simulate import HARVESTS
from tests.detector.rehearse.builders import outcome, rehearsal, shape

FAMILY = st.sampled_from(sorted(HARVESTS))


def test_a_shape_over_its_repeats() -> None:
    """Caught with its interval, shares, medians and means are those of the repeats; missed ones count in the exposure."""
    of = shape(accounts=4)
    found = [
        outcome(of, True, 0, first_flag=8, exposure=0.1, flagged=4, risk=0.99),
        outcome(of, True, 1, first_flag=30, exposure=0.4, flagged=2, risk=0.95),
        outcome(of, False, 2, flagged=1, first_flag=60, risk=0.92),
        outcome(of, False, 3, risk=0.2),
    ]
    (result,) = rehearsal(*found).shapes()
    assert (result.caught.k, result.caught.n, result.blind) == (2, 4, False)
    assert (round(result.caught.low, 3), round(result.caught.high, 3)) == (0.15, 0.85)
    assert result.flagged == pytest.approx((1 + 0.5 + 0.25 + 0) / 4)
    assert result.first_flag == 30
    assert result.exposure == pytest.approx((0.1 + 0.4 + 1 + 1) / 4)
    assert result.risk == pytest.approx((0.92 + 0.95) / 2)


def test_what_caught_it_is_weighed_by_flagged_accounts() -> None:
    """Signals and ties of all repeats are ranked together by the share of flagged accounts that show them."""
    of = shape(accounts=10)
    found = [
        outcome(of, True, 0, flagged=10, signals={"Stateless": 2, "Grading": 10}, ties={"template": 9}),
        outcome(of, True, 1, flagged=10, signals={"Stateless": 4, "Output volume": 1}, ties={"template": 10}),
    ]
    (result,) = rehearsal(*found).shapes()
    assert result.reasons == [
        Reason("tie", "template", 0.95),
        Reason("signal", "Grading", 0.5),
        Reason("signal", "Stateless", 0.3),
    ]


def test_curves_pool_what_they_do_not_show() -> None:
    """A point is over all repeats and requests of its family, accounts and cover; the overall curve over all families too."""
    found = [
        outcome(shape("grader", 5, 0.5, requests=10), True),
        outcome(shape("grader", 5, 0.5, requests=40), False),
        outcome(shape("relay", 5, 0.5), False),
        outcome(shape("relay", 5, 0.8), True),
    ]
    points = {(p.family, p.accounts, p.cover): (p.caught.k, p.caught.n) for p in rehearsal(*found).curves()}
    assert points == {
        (ALL, 5, 0.5): (1, 3),
        (ALL, 5, 0.8): (1, 1),
        ("grader", 5, 0.5): (1, 2),
        ("relay", 5, 0.5): (0, 1),
        ("relay", 5, 0.8): (1, 1),
    }


def test_ways_of_harvesting_are_told_apart() -> None:
    """Each variant is counted over all shapes."""
    of = shape()
    found = [
        outcome(of, True, variant="tags"),
        outcome(of, False, 1, variant="tags"),
        outcome(of, False, 2, variant="steps"),
    ]
    variants = rehearsal(*found).variants()
    assert {key: (rate.k, rate.n) for key, rate in variants.items()} == {
        ("reasoning", "tags"): (1, 2),
        ("reasoning", "steps"): (0, 1),
    }  # fmt: skip


def test_blind_spots_in_plain_words() -> None:
    """Families missed by the same size from the same cover on are one sentence; what is caught in half is no blind spot."""
    found = [
        outcome(shape("logprobs", cover=0.0), True),
        outcome(shape("logprobs", cover=0.5), False),
        outcome(shape("logprobs", cover=0.8), False),
        outcome(shape("relay", cover=0.5), False),
        outcome(shape("grader", 25), False),
        outcome(shape("grader", 25, 0.8), True, 0),
        outcome(shape("grader", 25, 0.8), False, 1),
    ]
    spots = blind_spots(rehearsal(*found))
    assert [s.text.replace("\u00a0", " ") for s in spots] == [
        "25 accounts that send 20 requests each, even with no ordinary traffic among them, would be missed when their "
        "harvest is grading and preference data (caught in 0 of 1 rehearsal).",
        "A single account that sends 20 requests, 50 % of them ordinary traffic, would be missed when its harvest is "
        "log-probabilities or relay of real users (caught in 0 of 3 rehearsals).",
    ]
    assert spots[1].families == ["logprobs", "relay"]


def test_what_is_missed_of_nearly_all_kinds_is_told_by_the_others() -> None:
    """Where all kinds are missed, or all but a few, the sentence stays short."""
    kinds = sorted(HARVESTS)
    (all_of_them,) = blind_spots(rehearsal(*(outcome(shape(f), False) for f in kinds)))
    assert "would be missed whatever its harvest is (caught" in all_of_them.text
    (nearly,) = blind_spots(rehearsal(*(outcome(shape(f, 5), f in kinds[:2]) for f in kinds)))
    assert "whatever their harvest is, except agent trajectories and replay of a public corpus (caught" in nearly.text
    found = [outcome(shape(f, cover=c), c == 0 and f != "relay") for f in kinds for c in (0.0, 0.5)]
    assert "when its harvest is relay" in blind_spots(rehearsal(*found))[0].text
    assert (
        "whatever its harvest is (" in blind_spots(rehearsal(*found))[1].text
    )  # relay included, which less cover hides
    (one,) = blind_spots(rehearsal(outcome(shape("relay"), False)))
    assert "when its harvest is relay of real users (caught" in one.text


def test_wordings_are_named_where_they_differ() -> None:
    """A grid over paraphrases says in how many wordings."""
    found = [outcome(shape("grader", paraphrases=8), False)]
    (spot,) = blind_spots(rehearsal(*found, plan=Plan(paraphrases=(1, 8))))
    assert "sends 20 requests in 8 wordings," in spot.text


def test_the_headline_names_the_largest_unseen_harvest() -> None:
    """Cover is no harvest: fifty accounts with 80 % cover take less than thirty without."""
    found = [
        outcome(shape("relay", 50, 0.8), False),
        outcome(shape("grader", 30), False),
        outcome(shape("rollouts"), True, exposure=0.6),
        outcome(shape("sft_pairs"), True),
    ]
    text = " ".join(headline(rehearsal(*found)))
    assert "2 of 4 shapes would more likely be missed than caught." in text
    assert "600 answers to 30 accounts (grading and preference data)." in text
    assert "Of the 2 campaigns that were caught, 1 had half of their harvest answered or more" in text


def test_no_blind_spot() -> None:
    """Where everything is caught, that is said of what was rehearsed, and no more."""
    found = rehearsal(outcome(shape(), True), outcome(shape("relay"), True))
    assert blind_spots(found) == []
    assert headline(found) == [
        "No blind spot: all 2 shapes that were rehearsed would more likely be caught than missed."
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(FAMILY, st.sampled_from((1, 5, 25)), st.sampled_from((0.0, 0.5, 0.8)), st.booleans()), min_size=1
    )
)
def test_every_blind_shape_is_in_one_sentence(found: list[tuple[str, int, float, bool]]) -> None:
    """The sentences cover the blind shapes of every size and family, and no family that is caught throughout."""
    made = rehearsal(*(outcome(shape(f, a, c), caught, i) for i, (f, a, c, caught) in enumerate(found)))
    blind = {(r.shape.accounts, r.shape.family) for r in made.shapes() if r.blind}
    spots = blind_spots(made)
    named = [(s.accounts, name) for s in spots for name in s.families]
    assert set(named) == blind
    assert len(named) == len(blind)
    for spot in spots:
        if "whatever" not in spot.text:
            assert all(family(name) in spot.text for name in spot.families)


def test_every_family_has_words() -> None:
    """No family is told by its program's name."""
    assert all("_" not in family(name) for name in HARVESTS)
    assert listed(["a"], "or") == "a"
    assert listed(["a", "b", "c"], "or") == "a, b or c"
