"""Trees as plain arrays: shares add up to the prediction, and the shipped ones are monotone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.accounts import FEATURES
from detector.members import FEATURES as MEMBERS
from detector.scoring import Scorer
from detector.signals import SIGNALS
from detector.ties import FEATURES as TIES
from detector.trees import FEW_ROWS, TreeModel, Trees

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


def walked(model: TreeModel, row: np.ndarray) -> float:
    """Log-odds of one row, node by node."""
    total = model.base - float(model.value[model.roots].sum())
    for root in model.roots:
        node = int(root)
        while model.feature[node] >= 0:
            goes_left = row[model.feature[node]] <= model.threshold[node]
            node = int(model.left[node] if goes_left else model.right[node])
        total += float(model.value[node])
    return total


@settings(max_examples=25, deadline=None)
@given(arrays(np.float64, (4, len(FEATURES)), elements=st.sampled_from([-1.0, 0.0, 0.05, 0.3, 1.0, 3.0, 30.0, 1e9])))
def test_a_prediction_is_that_of_walking_down_each_tree(x: np.ndarray) -> None:
    """All trees at once, and striking out leaves, find the same leaf as going from node to node, to the last bit."""
    one_by_one = [walked(SCORER.accounts, row) for row in x]
    assert SCORER.accounts.predict(x).tolist() == one_by_one
    assert SCORER.accounts.predict(np.tile(x, (FEW_ROWS, 1)))[: len(x)].tolist() == one_by_one


def test_a_tree_of_too_many_leaves_is_refused() -> None:
    """A tree whose leaves do not fit into a word raises, instead of giving a wrong sum."""
    inner, leaves = 16, 17
    trees = Trees(
        roots=[0],
        feature=[0] * inner + [-1] * leaves,
        threshold=[float(i) for i in range(inner + leaves)],
        left=[inner + i for i in range(inner)] + [0] * leaves,
        right=[i + 1 for i in range(inner - 1)] + [inner + leaves - 1] + [0] * leaves,
        value=[0.0] * (inner + leaves),
    )
    with pytest.raises(ValueError, match="more than 16 leaves"):
        TreeModel(trees).predict(np.zeros((FEW_ROWS + 1, 1)))


@settings(max_examples=25, deadline=None)  # the first call prepares the models
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


@settings(max_examples=40, deadline=None)
@given(VALUES, st.integers(0, len(SIGNALS) - 1), st.floats(0.01, 3))
def test_more_evidence_never_turns_the_verdict_round(values: np.ndarray, j: int, more: float) -> None:
    """More of a signal for never lowers the score, more of one against never raises it, whatever the others say."""
    stronger = values.copy()
    stronger[:, j] += more
    change = SCORER.accounts.predict(stronger) - SCORER.accounts.predict(values)
    assert (change * (1 if SIGNALS[j].direction == "for" else -1) >= -1e-6).all()
