"""Plain k-means volume: the requests that an account puts into one cluster of prompts (FAISS)."""

import numpy as np
import polars as pl

from benchmarks.detection.baselines.log import Log

NAME = "k-means volume"


def score(log: Log) -> np.ndarray:
    """Number of requests in the account's largest cluster.

    The clusters are those of the log itself (``Log.clusters``). The share of the account's own requests in its largest
    cluster ranks worse than chance, since small accounts have one topic.
    """
    table = log.table.select("account_id").with_columns(pl.Series("cluster", log.clusters))
    volume = table.group_by("account_id", "cluster").len()
    return volume.group_by("account_id").agg(pl.col("len").max()).sort("account_id")["len"].to_numpy().astype(float)
