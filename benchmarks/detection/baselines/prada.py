"""PRADA (Juuti, Szyller, Marchal & Asokan, EuroS&P 2019): distances between an account's queries that are not normal.

The method watches each account's queries in order: the distance of a new query to the nearest one in a *growing set*,
which takes in only queries farther than a threshold from all in it (the threshold rises to the mean less one standard
deviation of the set's distances). Ordinary queries give nearly normal distances, synthetic ones do not: Shapiro-Wilk.

Adapted to text: distance is that of prompt embeddings (Euclidean, on unit vectors), and an account has one class of
queries, as a chat model predicts none. The original raises an alarm when the statistic W of more than 100 distances
falls below a threshold; most accounts never send as many, so the score is the test's p-value, which allows for their
number (on the training traffic it caught more campaigns than W from 10, 30 or 100 distances on).
"""

import warnings

import numpy as np
from scipy.stats import shapiro

from benchmarks.detection.baselines.log import Log, squared_distances

NAME = "PRADA"
MIN_DISTANCES = 3  # the least that the test is defined for
MAX_QUERIES = (
    5000  # of an account, the earliest: beyond, scipy warns that p-values are inexact; bounds the distance matrix
)
OUTLIER_DEVIATIONS = 3.0  # distances farther from their mean are left out, as in the authors' code
SAME = 1e-3  # distances that differ by less are equal but for rounding: the test needs values that vary
SMALLEST_P = 1e-300


def score(log: Log) -> np.ndarray:
    """-log10 p of the Shapiro-Wilk test of normality; 0 where there are too few distances or all are the same."""
    vectors = log.vectors
    return np.array([_non_normality(minimum_distances(vectors[rows][:MAX_QUERIES])) for rows in log.rows()])


def minimum_distances(vectors: np.ndarray) -> np.ndarray:
    """Distance of each of n unit vectors but the first to the nearest in the growing set before it: shape (n - 1,)."""
    count = len(vectors)
    distances = np.sqrt(squared_distances(vectors, vectors))
    nearest = distances[0].copy()  # to the growing set, which begins with the first query
    out = np.zeros(max(count - 1, 0))
    entries, total, squares, threshold = 1, 0.0, 0.0, 0.0  # the first query entered at distance 0
    for i in range(1, count):
        distance = out[i - 1] = float(nearest[i])
        if distance > threshold:
            np.minimum(nearest, distances[i], out=nearest)
            entries, total, squares = entries + 1, total + distance, squares + distance**2
            mean = total / entries
            threshold = max(threshold, mean - max(squares / entries - mean**2, 0.0) ** 0.5)
    return out


def _non_normality(distances: np.ndarray) -> float:
    if len(distances) < MIN_DISTANCES:
        return 0.0
    kept = distances[np.abs(distances - distances.mean()) <= OUTLIER_DEVIATIONS * distances.std()]
    if len(kept) < MIN_DISTANCES or np.ptp(kept) < SAME:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nearly equal values
        return -float(np.log10(max(shapiro(kept).pvalue, SMALLEST_P)))
