"""Which signals are told as reasons, and of which requests."""

from __future__ import annotations

import numpy as np
import pytest

from detector.assessment import parts_named
from detector.reasons import MIN_CONTRIBUTION, Part, evidence, harvest_of, shown
from detector.scoring import Scorer
from detector.signals import SIGNALS, SIGNS

FOR = next(j for j, s in enumerate(SIGNALS) if s.name == "reasoning_elicitation")
AGAINST = next(j for j, s in enumerate(SIGNALS) if s.name == "human_rhythm")
PACE = next(j for j, s in enumerate(SIGNALS) if s.name == "even_pace")


@pytest.mark.parametrize(("at", "contribution", "percentile", "told"), [
    (FOR, 1.0, 0.9, 1),  # more than ordinary, and it speaks for harvesting
    (FOR, -1.0, 0.1, -1),  # less than ordinary, and that speaks against it
    (FOR, 1.0, 0.1, 0),  # next to nothing of it cannot be told as a reason by what is there
    (FOR, -1.0, 0.9, 0),  # nor much of it as a lack
    (AGAINST, -1.0, 0.9, 1),
    (AGAINST, 1.0, 0.1, -1),
    (AGAINST, -1.0, 0.0, 0),
    (FOR, MIN_CONTRIBUTION / 2, 0.9, 0),  # too light
])  # fmt: skip
def test_a_reason_agrees_with_its_value(at: int, contribution: float, percentile: float, told: int) -> None:
    """What is told as there is no less than ordinary, what as missing no more."""
    contributions, percentiles = np.zeros(len(SIGNALS)), np.full(len(SIGNALS), 0.5)
    contributions[at], percentiles[at] = contribution, percentile
    assert shown(contributions, percentiles)[at] == told
    assert not shown(contributions, percentiles)[np.arange(len(SIGNALS)) != at].any()


def test_what_weighs_in_the_whole_is_told_of_the_whole() -> None:
    """Beside reasons of a part, one of the whole account has its number of requests and says so."""
    contributions, values = np.zeros(len(SIGNALS)), np.zeros(len(SIGNALS))
    contributions[[FOR, PACE]], values[[FOR, PACE]] = SIGNS[[FOR, PACE]] * 2.0, 1.0
    of_whole = np.arange(len(SIGNALS)) == PACE
    part = Part("30 of its 90 requests, those of one day", 90, of_whole)
    reasons = {e.signal: e for e in evidence(values, contributions, values, 30, Scorer.load(), {}, part)}
    assert reasons["reasoning_elicitation"].text.endswith("Counted in 30 of its 90 requests, those of one day.")
    assert "over its 30 requests" in reasons["reasoning_elicitation"].sentence
    assert reasons["even_pace"].text.endswith("Counted over all its 90 requests.")
    assert reasons["even_pace"].part == ""
    assert parts_named(reasons.values()) == [
        "Counted in 30 of its 90 requests, those of one day, unless said otherwise: what stands out most in it."
    ]


def test_a_reason_that_is_none_hides_no_lighter_one() -> None:
    """What counts only beside the others is left out, and the next reason is told."""
    contributions, percentiles, values = np.zeros(len(SIGNALS)), np.full(len(SIGNALS), 0.5), np.zeros(len(SIGNALS))
    grading = next(j for j, s in enumerate(SIGNALS) if s.name == "grading")
    contributions[[FOR, grading]], percentiles[[FOR, grading]], values[grading] = (2.0, 1.5), (0.0, 0.995), 0.8
    told = evidence(values, contributions, percentiles, 40, Scorer.load(), {})
    assert [e.signal for e in told] == ["grading"]
    assert harvest_of(contributions, percentiles) == "grading and preference data"


def test_shares_are_told_as_they_were_counted() -> None:
    """Eight of eight requests are 100 %, though the score takes four more of the ordinary kind into account."""
    contributions, values = np.zeros(len(SIGNALS)), np.zeros(len(SIGNALS))
    contributions[FOR], values[FOR] = 2.0, 8 / 12
    (told,) = evidence(values, contributions, np.full(len(SIGNALS), 0.9), 8, Scorer.load(), {})
    assert told.value == pytest.approx(1.0)
    assert "a likelihood of 100 % on average over its 8 requests" in told.text
