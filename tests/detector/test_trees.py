"""Trees as plain arrays: shares add up to the prediction, and the shipped ones are monotone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.accounts import FEATURES
from detector.members import FEATURES as MEMBERS
from detector.scoring import Scorer
from detector.signals import SIGNALS
from detector.ties import FEATURES as TIES
from detector.trees import TreeModel, Trees

SCORER = Scorer.load()
VALUES = arrays(np.float64, (3, len(FEATURES)), elements=st.floats(0, 4))


def test_shares_of_a_hand_made_tree() -> None:
    """One split on the first feature, then one on the second: each gets the change of the expected value."""
    trees = Trees(
        roots=[0],
        feature=[0, -1, 1, -1, -1],
        threshold=[1.0, 0, 2.0, 0, 0],
        left=[1, 0, 3, 0, 0],
        right=[2, 0, 4, 0, 0],
        value=[0.5, -1.0, 1.0, 0.0, 3.0],
        base=0.25,
    )
    model = TreeModel(trees)
    shares = model.shares(np.array([[0.0, 9.0], [2.0, 9.0], [2.0, 1.0]]))
    assert model.base == 0.75
    assert shares.tolist() == [[-1.5, 0.0], [0.5, 2.0], [0.5, -1.0]]


@given(VALUES)
def test_reasons_add_up_to_the_prediction(values: np.ndarray) -> None:
    """The log-odds are the base and all shares, nothing else, in each of the shipped models."""
    for model, width in (
        (SCORER.accounts, len(FEATURES)),
        (SCORER.campaigns, len(TIES)),
        (SCORER.members, len(MEMBERS)),
    ):
        x = np.resize(values, (3, width))
        assert np.allclose(model.predict(x), model.base + model.shares(x).sum(axis=1))


@given(VALUES, st.integers(0, len(SIGNALS) - 1), st.floats(0.01, 3))
def test_more_evidence_never_turns_the_verdict_round(values: np.ndarray, j: int, more: float) -> None:
    """More of a signal for never lowers the score, more of one against never raises it, whatever the others say."""
    stronger = values.copy()
    stronger[:, j] += more
    change = SCORER.accounts.predict(stronger) - SCORER.accounts.predict(values)
    assert (change * (1 if SIGNALS[j].direction == "for" else -1) >= -1e-6).all()
