"""A case is the account as the assessment sees it, and growing it is what more of the same log gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.accounts import FEATURES
from detector.explain.case import Case, Grown, case_of, restricted, verdict_of
from detector.pipeline import Detector
from detector.signals import SIGNALS, SIGNS, evaluate
from detector.simulate import Campaign, Scenario, simulate
from detector.view import View
from tests.detector.explain.conftest import Log

WIDTH = len(SIGNALS)


def test_the_own_risk_is_the_assessments(log: Log, detector: Detector) -> None:
    """Accounts in no campaign have the very risk and verdict that the assessment gave; members have at most that."""
    for finding in [*log.assessment.accounts[::8], *log.of("flag")[::2]]:
        case = case_of(restricted(log.profiles, log.acct(finding.account_id)), detector.scorer)
        if finding.campaign_id is None:
            assert case.risk == pytest.approx(finding.risk, abs=1e-9), finding.account_id
            assert verdict_of(case.risk, detector.scorer) == finding.verdict
        else:
            assert case.risk <= finding.risk + 1e-9


def test_an_account_alone_has_the_values_it_has_among_others(log: Log) -> None:
    """No signal looks at other accounts, so that one profile is enough to explain."""
    whole = View(log.profiles)
    values = evaluate(whole)
    for i in range(0, len(whole), 12):
        alone = evaluate(View(restricted(log.profiles, int(whole.acct[i]))))[0]
        assert np.allclose(alone, values[i])


def test_growing_by_one_changes_nothing(log: Log) -> None:
    """A view that is grown by the factor 1 is the view."""
    assert np.allclose(evaluate(Grown(log.profiles, 1.0)), evaluate(View(log.profiles)))


def test_growing_is_what_a_longer_log_gives(detector: Detector) -> None:
    """A harvest's first half, grown to the double, foretells the values of the whole better than the half as it is."""
    traffic = simulate(Scenario(size=0.1, tenants={"chat_user": 1}, campaigns=(Campaign("reasoning", requests=80),)), 3)
    attackers = set(traffic.accounts.filter(traffic.accounts["label"] == "attack")["account_id"])
    asked = [e for e in traffic.events if e.account_id in attackers]
    half, whole = (detector.profile(detector.features(e)) for e in (asked[: len(asked) // 2], asked))
    before, foretold, found = evaluate(View(half))[0], evaluate(Grown(half, 2.0))[0], evaluate(View(whole))[0]
    number = {s.name: j for j, s in enumerate(SIGNALS)}
    for name in ("stateless", "template_slots", "model_share"):  # the same in both halves: foretold to the digit
        assert foretold[number[name]] == pytest.approx(found[number[name]], abs=0.01)
        assert before[number[name]] != pytest.approx(found[number[name]], abs=0.01)
    shares = [j for j, s in enumerate(SIGNALS) if s.unit.startswith("share of requests")]
    assert np.abs(foretold - found)[shares].sum() < np.abs(before - found)[shares].sum()


@settings(deadline=None)
@given(
    arrays(float, (2, WIDTH), elements=st.floats(0, 1)),
    arrays(bool, (3, WIDTH)),
    arrays(float, (3, WIDTH), elements=st.floats(0, 1)),
    st.sampled_from([1, -1]),
)
def test_moving_goes_one_way(values: np.ndarray, chosen: np.ndarray, targets: np.ndarray, towards: int) -> None:
    """Chosen signals get their target where that is the way to go, and keep their value otherwise; all others stay."""
    x = np.zeros((2, len(FEATURES)))
    x[:, :WIDTH] = values
    case = Case(x, 100.0, None)  # type: ignore[arg-type]
    moved = case.moved(chosen, targets, towards)
    assert moved.shape == (3, 2, WIDTH)
    assert ((moved - values) * SIGNS * towards >= 0).all()
    assert (np.isclose(moved, values) | np.isclose(moved, targets[:, None])).all()
    assert (np.where(chosen[:, None], values, moved) == values).all()


def test_few_requests_are_never_flagged(log: Log, detector: Detector) -> None:
    """With fewer requests than can be judged no values bring a case to a flag."""
    flagged = log.of("flag")[0]
    case = case_of(restricted(log.profiles, log.acct(flagged.account_id)), detector.scorer)
    few = Case(case.x, 5.0, detector.scorer)
    assert verdict_of(few.risk, detector.scorer) == "clear"
