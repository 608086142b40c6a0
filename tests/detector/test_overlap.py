"""What each signal adds to the others: whose flag hangs on it, and where several say the same."""

from __future__ import annotations

import numpy as np
import pytest

from detector.overlap import FOR, Overlap, overlap
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.scoring import STRONG
from detector.signals import SIGNALS
from detector.simulate import PRESETS, simulate

NAMES = [SIGNALS[j].name for j in FOR]


@pytest.fixture(scope="module")
def profiles(detector: Detector) -> Profiles:
    """Labelled traffic, profiled."""
    return detector.profile(detector.features(simulate(PRESETS["smoke"], 4).events))


@pytest.fixture(scope="module")
def found(detector: Detector, profiles: Profiles) -> Overlap:
    """The overlap with all signals live."""
    return overlap(profiles, detector)


def flags(detector: Detector, profiles: Profiles) -> set[str]:
    """Accounts that an assessment flags."""
    return {a.account_id for a in detector.assess(profiles).flagged()}


def named(found: Overlap, which: np.ndarray) -> set[str]:
    """The accounts of a column."""
    return {found.accounts[i] for i in np.flatnonzero(which)}


def test_the_flags_are_those_of_assessments(detector: Detector, profiles: Profiles, found: Overlap) -> None:
    """As things are, and with the signal in shadow on which most flags hang: the accounts of an assessment, campaigns included."""
    assert named(found, found.flagged) == flags(detector, profiles) != set()
    lost = (found.flagged[:, None] & ~found.turned).sum(axis=0)
    assert lost.max() > 0
    most = int(lost.argmax())
    assert named(found, found.turned[:, most]) == flags(detector.in_shadow([NAMES[most]]), profiles)
    assert not (found.turned & ~found.flagged[:, None]).any()


def test_turned_back_a_signal_in_shadow_is_live(detector: Detector, profiles: Profiles, found: Overlap) -> None:
    """With one signal in shadow, its column is what is flagged with all live, and what is strong is the same."""
    most = int((found.flagged[:, None] & ~found.turned).sum(axis=0).argmax())
    other = overlap(profiles, detector, [NAMES[most]])
    assert (other.turned[:, most] == found.flagged).all()
    assert (other.flagged == found.turned[:, most]).all()
    assert (other.strong == found.strong).all()


def test_strong_is_more_than_nearly_all_ordinary_accounts_have(
    detector: Detector, profiles: Profiles, found: Overlap
) -> None:
    """Where a reason of a flagged account has such a percentile its signal is strong there, and where it has less it is not."""
    row = {account: i for i, account in enumerate(found.accounts)}
    told = [(a.account_id, e) for a in detector.assess(profiles).flagged() for e in a.evidence if e.signal in NAMES]
    assert len(told) > 5
    for account, evidence in told:
        assert found.strong[row[account], NAMES.index(evidence.signal)] == (evidence.percentile >= STRONG)


def test_what_two_signals_share() -> None:
    """Jaccard similarity of hand-made sets: one with itself, one account of three, none with an empty set."""
    strong = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]], bool)
    made = Overlap(["a", "b", "c"], np.ones(3), strong, np.zeros(3, bool), strong)
    assert made.shared.tolist() == [[1.0, pytest.approx(1 / 3), 0.0], [pytest.approx(1 / 3), 1.0, 0.0], [0.0] * 3]
