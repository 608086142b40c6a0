"""Rows of different lengths, one after another in a flat array, with the bounds between them."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix


def bounds(sizes: np.ndarray) -> np.ndarray:
    """Where runs of these sizes start and end: int64 of shape (n + 1,)."""
    out = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


def take(flat: np.ndarray, edges: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some rows, by their numbers, in that order and as often as named: flat values, and their bounds.

    Row i of the input is ``flat[edges[i]:edges[i + 1]]``.
    """
    sizes = np.diff(edges)[rows]
    out = bounds(sizes)
    return flat[np.repeat(edges[rows] - out[:-1], sizes) + np.arange(out[-1])], out


def heads(flat: np.ndarray, edges: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The first ``size`` values of each row, and their bounds."""
    keep = ranks(edges) < size
    return flat[keep], bounds(np.minimum(np.diff(edges), size))


def ranks(edges: np.ndarray) -> np.ndarray:
    """Place of each value in its row, from 0."""
    return np.arange(edges[-1]) - np.repeat(edges[:-1], np.diff(edges))


def ends(edges: np.ndarray, size: int) -> np.ndarray:
    """True for the first and the last ``size`` values of each row."""
    rank, sizes = ranks(edges), np.diff(edges)
    return (rank < size) | (rank >= np.repeat(sizes, sizes) - size)


def kept(edges: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The bounds when only the values marked True are kept."""
    return bounds(keep)[edges]


def sums(vectors: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sums of runs of vectors, of their own type, of shape (runs, d): many times as fast as ``np.add.reduceat`` along the first axis."""
    ones = np.ones(len(vectors), vectors.dtype)
    return csr_matrix((ones, np.arange(len(vectors)), edges), shape=(len(edges) - 1, len(vectors))) @ vectors
