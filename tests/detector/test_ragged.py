"""Rows of different lengths: each function does what the same on lists of lists would."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector import ragged

rows = st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=8)


def flat(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Lists as flat values and bounds."""
    return np.array(list(chain.from_iterable(lists)), np.int64), ragged.bounds(np.array(list(map(len, lists)), int))


def lists(values: np.ndarray, edges: np.ndarray) -> list[list[int]]:
    """Flat values and bounds as lists."""
    return [values[a:b].tolist() for a, b in pairwise(edges)]


@given(rows, st.data())
def test_take(given_rows: list[list[int]], data: st.DataObject) -> None:
    """Rows are taken by number, in any order and more than once."""
    wanted = data.draw(st.lists(st.sampled_from(range(len(given_rows))), max_size=9)) if given_rows else []
    taken = ragged.take(*flat(given_rows), np.array(wanted, np.int64))
    assert lists(*taken) == [given_rows[i] for i in wanted]


@given(rows, st.integers(0, 4))
def test_heads_and_ends(given_rows: list[list[int]], size: int) -> None:
    """The first of each row; the first and the last of each row."""
    values, edges = flat(given_rows)
    assert lists(*ragged.heads(values, edges, size)) == [row[:size] for row in given_rows]
    marked = ragged.ends(edges, size)
    expected = [row if len(row) <= 2 * size else row[:size] + row[len(row) - size :] for row in given_rows]
    assert lists(values[marked], ragged.kept(edges, marked)) == expected


@given(rows)
def test_kept(given_rows: list[list[int]]) -> None:
    """Bounds follow when values are left out."""
    values, edges = flat(given_rows)
    even = values % 2 == 0
    assert lists(values[even], ragged.kept(edges, even)) == [[v for v in row if v % 2 == 0] for row in given_rows]


@given(rows, st.integers(1, 3))
def test_sums(given_rows: list[list[int]], width: int) -> None:
    """Of each run of vectors the sum, nought of an empty one."""
    values, edges = flat(given_rows)
    vectors = values[:, None] * np.arange(1, width + 1)
    assert ragged.sums(vectors, edges).tolist() == [[sum(r) * k for k in range(1, width + 1)] for r in given_rows]
