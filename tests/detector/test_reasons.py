"""Which signals are told as reasons, and of which requests."""

from __future__ import annotations

import numpy as np
import pytest

from detector.assessment import parts_named
from detector.reasons import evidence, harvest_of
from detector.scoring import Scorer
from detector.signals import SIGNALS, SIGNS
from detector.told import MIN_CONTRIBUTION, Told

FOR = next(j for j, s in enumerate(SIGNALS) if s.name == "reasoning_elicitation")
AGAINST = next(j for j, s in enumerate(SIGNALS) if s.name == "human_rhythm")
PACE = next(j for j, s in enumerate(SIGNALS) if s.name == "even_pace")
GRADING = next(j for j, s in enumerate(SIGNALS) if s.name == "grading")


def told_of(
    at: dict[int, tuple[float, float, float]], requests: int | np.ndarray, of_whole: np.ndarray | None = None
) -> Told:
    """What is told of an account: contribution, value and percentile of some signals, nothing of all others."""
    columns = np.tile(np.array([[0.0], [0.0], [0.5]]), len(SIGNALS))
    columns[:, list(at)] = np.array(list(at.values())).T
    shape = np.zeros(len(SIGNALS))
    return Told(*columns, shape + requests, shape > 0 if of_whole is None else of_whole)


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
    signs = told_of({at: (contribution, 0.0, percentile)}, 40).signs
    assert signs[at] == told
    assert not signs[np.arange(len(SIGNALS)) != at].any()


def test_what_weighs_in_the_whole_is_told_of_the_whole() -> None:
    """Beside reasons of a part, one of the whole account has its number of requests and says so."""
    of_whole = np.arange(len(SIGNALS)) == PACE
    told = told_of({j: (SIGNS[j] * 2.0, 1.0, 1.0) for j in (FOR, PACE)}, np.where(of_whole, 90, 30), of_whole)
    reasons = {e.signal: e for e in evidence(told, Scorer.load(), {}, "30 of its 90 requests, those of one day")}
    assert reasons["reasoning_elicitation"].text.endswith("Counted in 30 of its 90 requests, those of one day.")
    assert "over its 30 requests" in reasons["reasoning_elicitation"].sentence
    assert reasons["even_pace"].text.endswith("Counted over all its 90 requests.")
    assert reasons["even_pace"].part == ""
    assert parts_named(reasons.values()) == [
        "Counted in 30 of its 90 requests, those of one day, unless said otherwise: what stands out most in it."
    ]


def test_a_reason_that_is_none_hides_no_lighter_one() -> None:
    """What counts only beside the others is left out, and the next reason is told."""
    told = told_of({FOR: (2.0, 0.0, 0.0), GRADING: (1.5, 0.8, 0.995)}, 40)
    assert [e.signal for e in evidence(told, Scorer.load(), {})] == ["grading"]
    assert harvest_of(told) == "grading and preference data"


def test_shares_are_told_as_they_were_counted() -> None:
    """Eight of eight requests are 100 %, though the score takes four more of the ordinary kind into account."""
    (reason,) = evidence(told_of({FOR: (2.0, 8 / 12, 0.9)}, 8), Scorer.load(), {})
    assert reason.value == pytest.approx(1.0)
    assert "a likelihood of 100 % on average over its 8 requests" in reason.text
