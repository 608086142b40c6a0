"""MMD (Liu, Guo & Dong 2026, arXiv:2606.05725): prompts whose distribution differs from ordinary traffic's.

The method embeds the queries of a traffic window and compares them with historical benign traffic by the maximum mean
discrepancy (Gretton et al., JMLR 2012); benign-against-benign comparisons set the threshold.

Per account: the window is the account's own requests. Gaussian kernel, its width the median distance of the reference.
Accounts have from one to thousands of requests, and MMD of few is large by chance, so the score is the test's p-value in
closed form: under the null hypothesis the biased statistic n m / (n + m) MMD² is nearly gamma-distributed with the mean
and variance that the reference's kernel matrix gives (Gretton et al. 2009), whatever n is.
"""

import numpy as np
from scipy.stats import gamma

from benchmarks.detection.baselines.log import Log, sample, squared_distances

NAME = "MMD"
WINDOW = 1500  # requests, as in the paper; of longer accounts an even sample of so many is taken
BLOCK = 8192  # rows of the kernel matrix computed at a time


def score(log: Log) -> np.ndarray:
    """n m / (n + m) MMD² between an account's n prompts and the reference's m: ranks as the p-value does, without its ties."""
    vectors, reference = log.vectors, log.reference
    parts = [sample(vectors[rows], WINDOW) if rows.stop - rows.start > WINDOW else vectors[rows] for rows in log.rows()]
    counts, m, wide = np.array([len(p) for p in parts]), len(reference), width(reference)
    stacked = np.concatenate(parts)
    blocks = [stacked[i : i + BLOCK] for i in range(0, len(stacked), BLOCK)]
    to_reference = np.concatenate([kernel(block, reference, wide).mean(axis=1) for block in blocks])
    across = np.add.reduceat(to_reference, np.concatenate([[0], np.cumsum(counts)[:-1]])) / counts
    own = np.array([kernel(part, part, wide).mean() for part in parts])
    within = kernel(reference, reference, wide).mean()
    return counts * m / (counts + m) * np.maximum(own + within - 2.0 * across, 0.0)


def p_values(statistic: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Chance that as many ordinary prompts give so large a score, by the gamma approximation."""
    gram = kernel(reference, reference, width(reference))
    centred = gram - gram.mean(axis=0) - gram.mean(axis=1, keepdims=True) + gram.mean()
    mean, variance = float(np.trace(centred)) / len(gram), 2.0 * float((centred**2).mean())
    return gamma.sf(statistic, a=mean**2 / variance, scale=variance / mean)


def width(reference: np.ndarray) -> float:
    """Squared width of the kernel: the median squared distance of two of the reference (1 where all are the same)."""
    pairs = squared_distances(reference, reference)[np.triu_indices(len(reference), 1)]
    return float(np.median(pairs)) or 1.0 if len(pairs) else 1.0


def kernel(x: np.ndarray, y: np.ndarray, wide: float) -> np.ndarray:
    """Gaussian kernel matrix of two sets of vectors, in double precision, since means of it are subtracted."""
    return np.exp(squared_distances(x, y) / (-2.0 * wide), dtype=np.float64)
