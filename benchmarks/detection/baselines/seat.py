"""SEAT (Zhang, Chen & Wagner, AISec 2021): accounts that send many queries close to one that they sent before.

The method encodes each query with a similarity encoder, keeps an account's past queries in a pool, and counts the new
ones whose distance to any in the pool is below a threshold, chosen so that pairs of benign queries seldom are; an
account with too many such pairs is cancelled.

Adapted to text: the encoder is the sentence encoder that all methods here share (adversarial training is one of images),
and a literal repeat is no pair: retries and cached prompts are not perturbed copies.
"""

import numpy as np

from benchmarks.detection.baselines.log import Log, squared_distances

NAME = "SEAT"
PAIRS_BELOW = 0.01  # of ordinary pairs are as close as the threshold; 0.1 % caught fewer on the training traffic
MAX_QUERIES = 5000  # distinct ones of an account, the earliest; bounds the distance matrix
BLOCK = 512  # queries compared at a time


def score(log: Log) -> np.ndarray:
    """Number of an account's distinct queries that are similar to an earlier one."""
    threshold = distance_threshold(log.reference)
    vectors, distinct = log.vectors, log.distinct
    return np.array([_similar(vectors[rows][distinct[rows]][:MAX_QUERIES], threshold) for rows in log.rows()], float)


def distance_threshold(reference: np.ndarray) -> float:
    """The distance that PAIRS_BELOW of the reference's pairs of different prompts stay below."""
    different = np.unique(reference, axis=0)
    if len(different) < 2:
        return 0.0
    pairs = squared_distances(different, different)[np.triu_indices(len(different), 1)]
    return float(np.quantile(pairs, PAIRS_BELOW)) ** 0.5


def _similar(queries: np.ndarray, threshold: float) -> int:
    """How many rows are closer than ``threshold`` to one before them."""
    found = 0
    for start in range(0, len(queries), BLOCK):
        block = queries[start : start + BLOCK]
        squared = squared_distances(block, queries[: start + len(block)])
        earlier = np.tri(len(block), start + len(block), start - 1, dtype=bool)
        found += int(((squared < threshold**2) & earlier).any(axis=1).sum())
    return found
