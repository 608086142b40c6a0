"""Output tokens per account: what the bill sees."""

import numpy as np

from benchmarks.detection.baselines.log import Log

NAME = "output tokens per account"


def score(log: Log) -> np.ndarray:
    """Sum of the output tokens; requests without a count add nothing."""
    return log.sums(log.table["output_tokens"])
