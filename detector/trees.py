"""Boosted regression trees as plain arrays: prediction, and each feature's exact share in it.

The share of a feature is the sum, over the splits on it along a sample's path, of the change of the node's expected value
(Saabas 2014): shares and the base add up to the prediction. Arrays are plain lists in JSON: no pickle.

A prediction of many rows looks at all inner nodes and follows no path: each comparison that sends a row to the right strikes
out the leaves on the left, as bits of a word, and the first leaf that is left is the row's (QuickScorer, Lucchese et al. 2015).
So each step is the same for all rows, several times as fast in numpy as walking down. A few rows walk down all trees at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec
import numpy as np

MAX_LEAVES = 16  # of a tree: bits of the word that tells which are left
FEW_ROWS = 512  # up to which walking down all trees at once takes less time: 0.3 ms for a row, and not 30
WALKED_AT_ONCE = 128  # rows: their nodes stay in the processor's cache
ROWS_AT_ONCE = 4096  # predicted at a time: their columns stay in the processor's cache


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


def at_most(trees: Trees, most: Mapping[int, float]) -> Trees:
    """The trees that decide on any row as these do on one whose features, by position, are no larger than ``most``.

    min(x, most) <= threshold holds whatever x is where most <= threshold: such a split gives way to what is on its left.
    Everywhere else it is x <= threshold.
    """
    feature, threshold, left = np.array(trees.feature, np.int64), np.array(trees.threshold), np.array(trees.left)
    bound = np.full(max(feature.max(initial=-1), *most, 0) + 2, np.inf)  # the last one is a leaf's, whose feature is -1
    bound[list(most)] = list(most.values())
    given = bound[feature] <= threshold
    stands = np.arange(len(feature))  # the node that stands in each one's place
    while given[stands].any():
        stands = np.where(given[stands], left[stands], stands)
    return msgspec.structs.replace(
        trees,
        **{
            name: np.array(getattr(trees, name))[stands].tolist()
            for name in ("feature", "threshold", "left", "right", "value")
        },
    )


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
        out = np.zeros(x.shape)
        for rows in _slices(len(x), WALKED_AT_ONCE):
            part, node = out[rows], self._start(x[rows])
            for _ in range(self._depth):
                below, at = self._step(x[rows], node)
                changes = (self.value[below] - self.value[node]).ravel()
                part += np.bincount(at.ravel(), weights=changes, minlength=part.size).reshape(part.shape)
                node = below
        return out

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of each row of (m, f): float64 of shape (m,), the same to the last bit whatever rows are beside it."""
        out = np.full(len(x), self.base - (float(self.value[self.roots].sum()) if len(self.roots) else 0.0))
        few = len(x) <= FEW_ROWS
        for rows in _slices(len(x), WALKED_AT_ONCE if few else ROWS_AT_ONCE):
            (self._add_walked if few else self._add_struck)(x[rows], out[rows])
        return out

    def _add_walked(self, x: np.ndarray, out: np.ndarray) -> None:
        node = self._start(x)
        for _ in range(self._depth):
            node, _at = self._step(x, node)
        out[:] = np.cumsum(np.vstack([out, self.value[node]]), axis=0)[-1]  # one tree after the other, as below

    def _add_struck(self, x: np.ndarray, out: np.ndarray) -> None:
        columns = np.ascontiguousarray(x.T)
        right = np.empty(len(out), bool)
        passed, struck = np.empty(len(out), np.uint16), np.empty(len(out), np.uint16)
        for tree in self._compiled:
            struck[:] = 0
            for feature, threshold, left in tree.splits:
                np.greater(columns[feature], threshold, out=right)
                np.bitwise_or(struck, np.multiply(right, left, out=passed), out=struck)
            out += tree.leaves[_FIRST_LEFT[struck]]

    def _start(self, x: np.ndarray) -> np.ndarray:
        """The root of each tree for each row: int64 of shape (trees, m)."""
        return np.repeat(self.roots[:, None], len(x), axis=1)

    def _step(self, x: np.ndarray, node: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nodes below ``node``, and where in x, row after row, the value lies that decides; in a leaf, a row stays there."""
        compared, children = self._walk
        at = np.arange(len(x)) * x.shape[1] + compared[node]
        return children[2 * node + (x.ravel()[at] > self.threshold[node])], at

    @cached_property
    def _walk(self) -> tuple[np.ndarray, np.ndarray]:
        """Feature that each node compares, and its left and right child side by side; a leaf is its own child."""
        leaf, own = self.feature < 0, np.arange(len(self.feature))
        children = np.stack([np.where(leaf, own, self.left), np.where(leaf, own, self.right)], axis=1)
        return np.where(leaf, 0, self.feature), children.ravel()

    @cached_property
    def _depth(self) -> int:
        """Comparisons on the longest way from a root to a leaf."""
        depth, nodes = 0, self.roots
        while len(inner := nodes[self.feature[nodes] >= 0]):
            depth, nodes = depth + 1, np.concatenate([self.left[inner], self.right[inner]])
        return depth

    @cached_property
    def _compiled(self) -> list[_Tree]:
        return [self._compile(int(root)) for root in self.roots]

    def _compile(self, root: int) -> _Tree:
        """One tree for :meth:`predict`. Raises ValueError where it has more than MAX_LEAVES."""
        splits: list[tuple[int, float, np.uint16]] = []
        leaves: list[float] = []

        def below(node: int) -> int:
            """Bits of the leaves below a node."""
            if self.feature[node] < 0:
                leaves.append(float(self.value[node]))
                if len(leaves) > MAX_LEAVES:
                    raise ValueError(f"a tree has more than {MAX_LEAVES} leaves")
                return 1 << (len(leaves) - 1)
            left = below(int(self.left[node]))
            splits.append((int(self.feature[node]), float(self.threshold[node]), np.uint16(left)))
            return left | below(int(self.right[node]))

        below(root)
        return _Tree(splits, np.array(leaves))


class _Tree(NamedTuple):
    """``splits`` (feature, threshold, bits of the leaves on the left) and the leaves' values from left to right."""

    splits: list[tuple[int, float, np.uint16]]
    leaves: np.ndarray


def _slices(rows: int, size: int) -> Iterator[slice]:
    return (slice(low, low + size) for low in range(0, rows, size))


def _first_left() -> np.ndarray:
    """For each word of struck-out leaves the number of the first that is not."""
    words = np.arange(2**MAX_LEAVES)
    first = np.zeros(len(words), np.uint8)
    for leaf in reversed(range(MAX_LEAVES)):
        first[(words >> leaf) & 1 == 0] = leaf
    return first


_FIRST_LEFT = _first_left()
