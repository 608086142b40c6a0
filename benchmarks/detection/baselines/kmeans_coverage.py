"""k-means coverage: how many of the log's clusters of prompts (FAISS) an account has been to."""

import numpy as np
import polars as pl

from benchmarks.detection.baselines.log import Log

NAME = "k-means coverage"


def score(log: Log) -> np.ndarray:
    """Number of distinct clusters among the account's requests: a harvest is broad where an application is narrow."""
    table = log.table.select("account_id").with_columns(pl.Series("cluster", log.clusters))
    breadth = table.group_by("account_id").agg(pl.col("cluster").n_unique())
    return breadth.sort("account_id")["cluster"].to_numpy().astype(float)
