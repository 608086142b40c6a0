"""Requests per account: what a rate limit sees."""

import numpy as np

from benchmarks.detection.baselines.log import Log

NAME = "requests per account"


def score(log: Log) -> np.ndarray:
    """Number of requests."""
    return log.counts.astype(np.float64)
