"""Scores, error rates and verdicts: what is promised of honest accounts holds."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.scoring import FLAG_AT, TAIL, WATCH_AT, Scorer, false_discovery, segments_of

SHIPPED = Scorer.load()


def calibrated(scores: np.ndarray, requests: np.ndarray, share: float) -> Scorer:
    """A scorer with these honest accounts."""
    return Scorer(
        msgspec.structs.replace(SHIPPED.weights, segments=segments_of(scores, requests), max_false_flags=share)
    )


def test_a_new_honest_account_is_flagged_no_more_often_than_promised() -> None:
    """Split conformal: over many calibrations a fresh score passes the threshold at most as often as promised."""
    rng = np.random.default_rng(5)
    passed = []
    for _ in range(1500):
        scorer = calibrated(rng.normal(size=199), rng.integers(1, 400, 199), 0.05)
        passed.append(scorer.risk(rng.normal(size=1))[0] > FLAG_AT)
    assert np.mean(passed) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1500)


def test_the_number_of_false_flags_lies_within_the_stated_bounds() -> None:
    """In nearly all of many draws; and the stated mean is the mean."""
    rng = np.random.default_rng(6)
    inside, numbers, means = [], [], []
    for _ in range(300):
        scorer = calibrated(rng.normal(size=900), rng.integers(1, 400, 900), 0.01)
        requests = rng.integers(1, 400, 800).astype(float)
        flagged = int((scorer.risk(rng.normal(size=800)) > FLAG_AT).sum())
        mean, low, high = scorer.expected_false_flags(requests)
        inside.append(low <= flagged <= high)
        numbers.append(flagged)
        means.append(mean)
    assert np.mean(inside) >= 0.9
    assert abs(np.mean(numbers) - np.mean(means)) < 1.5


def test_too_few_accounts_flag_nobody() -> None:
    """Fifty accounts cannot promise one false flag in a thousand, so nothing is flagged."""
    scorer = calibrated(np.linspace(0, 1, 50), np.full(50, 10.0), 0.001)
    assert (scorer.risk(np.array([0.0, 50.0])) == 0).all()


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=40))
def test_risk_is_monotone_and_begins_at_the_thresholds(scores: list[float]) -> None:
    """A higher score never has a lower risk; the two thresholds have exactly the risks at which verdicts begin."""
    risk = SHIPPED.risk(np.sort(np.array(scores)))
    assert (np.diff(risk) >= 0).all()
    assert np.allclose(SHIPPED.risk(np.array(SHIPPED.cuts)), (FLAG_AT, WATCH_AT))


@pytest.mark.parametrize("share", [0.0, -1.0, 0.5])
def test_a_senseless_share_is_refused(share: float) -> None:
    """None, or half of the customers."""
    with pytest.raises(ValueError, match=r"0\.001"):
        SHIPPED.with_max_false_flags(share)


def test_a_larger_share_flags_more() -> None:
    """The threshold falls as the operator allows more false flags."""
    cuts = [SHIPPED.with_max_false_flags(share).cuts[0] for share in (0.0005, 0.001, 0.01, 0.05)]
    assert cuts == sorted(cuts, reverse=True)


def test_p_values_count_the_honest_accounts_of_the_segment() -> None:
    """The share of honest accounts with as few, or as many, requests that score at least as high."""
    scores = np.concatenate([np.arange(100.0), np.arange(1000.0, 1100.0)])
    scorer = calibrated(scores, np.concatenate([np.full(100, 5.0), np.full(100, 100.0)]), 0.05)
    p = scorer.p_values(np.array([99.5, 98.5, 99.5, 2000.0]), np.array([5.0, 5.0, 100.0, 100.0]))
    assert np.allclose(p, [1 / 101, 2 / 101, 1.0, 1 / 101])


def test_false_discovery_is_counted_in_each_segment() -> None:
    """One small p-value among ten, and alone in its segment: ten times as likely to be chance among the ten."""
    p = np.array([0.001, *[0.9] * 9, 0.001])
    q = false_discovery(p, np.array([*[0] * 10, 1]))
    assert np.allclose(q[[0, 10]], [0.01, 0.001])


def test_a_segment_keeps_its_highest_scores() -> None:
    """No more than TAIL of them, highest first, and the number of all."""
    small = segments_of(np.arange(2000.0), np.full(2000, 3.0))[0]
    assert small.accounts == 2000
    assert small.tail == sorted(small.tail, reverse=True)
    assert len(small.tail) == TAIL


def test_the_shipped_scorer_knows_accounts_of_each_size() -> None:
    """Percentiles are among accounts of the same size without any calibration, and every signal has its own."""
    assert [s.up_to for s in SHIPPED.weights.segments] == [20, 150, None]
    assert all(set(s.population) == set(SHIPPED.weights.signals) for s in SHIPPED.weights.segments)


def test_weights_of_other_signals_are_refused(tmp_path: Path) -> None:
    """A calibration made before a signal was added is named as such, and not read wrongly."""
    weights = msgspec.structs.replace(SHIPPED.weights, signals=SHIPPED.weights.signals[:-1])
    (tmp_path / "scoring.json").write_bytes(msgspec.json.encode(weights))
    with pytest.raises(ValueError, match="calibrate with this version"):
        Scorer.load(tmp_path / "scoring.json")
