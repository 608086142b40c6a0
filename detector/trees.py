"""Boosted regression trees as plain arrays: prediction, and each feature's exact share in it.

The share of a feature is the sum, over the splits on it along a sample's path, of the change of the node's expected value
(Saabas 2014): shares and the base add up to the prediction. Arrays are plain lists in JSON: no pickle.
"""

from __future__ import annotations

import msgspec
import numpy as np


class Trees(msgspec.Struct):
    """All trees laid end to end. ``feature`` is -1 in a leaf; ``left`` and ``right`` are absolute node numbers; go left where
    x <= threshold; ``value`` is a leaf's value or an inner node's expected value in log-odds."""

    roots: list[int] = []
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    base: float = 0.0


class TreeModel:
    """Evaluates :class:`Trees` over rows of features."""

    def __init__(self, trees: Trees) -> None:
        self.roots = np.array(trees.roots, np.int64)
        self.feature = np.array(trees.feature, np.int64)
        self.threshold = np.array(trees.threshold)
        self.left = np.array(trees.left, np.int64)
        self.right = np.array(trees.right, np.int64)
        self.value = np.array(trees.value)
        self.base = trees.base + (float(self.value[self.roots].sum()) if len(self.roots) else 0.0)

    def shares(self, x: np.ndarray) -> np.ndarray:
        """Share of each feature in the log-odds of each row of (m, f): float64 of shape (m, f); add ``base`` for the sum."""
        m = len(x)
        out = np.zeros(x.shape)
        rows = np.arange(m)
        for root in self.roots:
            node = np.full(m, root)
            active = rows
            while len(active):
                here = node[active]
                feature = self.feature[here]
                inner = feature >= 0
                active, here, feature = active[inner], here[inner], feature[inner]
                if not len(active):
                    break
                below = np.where(x[active, feature] <= self.threshold[here], self.left[here], self.right[here])
                out[active, feature] += self.value[below] - self.value[here]
                node[active] = below
        return out

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of each row of (m, f): float64 of shape (m,)."""
        out = np.full(len(x), self.base - (float(self.value[self.roots].sum()) if len(self.roots) else 0.0))
        for root in self.roots:
            node = np.full(len(x), root)
            while True:
                feature = self.feature[node]
                inner = np.flatnonzero(feature >= 0)
                if not len(inner):
                    break
                here = node[inner]
                below = x[inner, feature[inner]] <= self.threshold[here]
                node[inner] = np.where(below, self.left[here], self.right[here])
            out += self.value[node]
        return out
