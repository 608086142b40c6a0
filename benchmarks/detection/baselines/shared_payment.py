"""Shared payment method: how many accounts pay with the same instrument."""

import numpy as np
import polars as pl

from benchmarks.detection.baselines.log import Log

NAME = "shared payment method"


def score(log: Log) -> np.ndarray:
    """Size of the account's group: all accounts that share a payment fingerprint with it; 1 where none is known.

    An account that paid in several ways counts with its largest group.
    """
    methods = log.table.select("account_id", "payment").unique()
    sizes = methods.with_columns(
        pl.when(pl.col("payment").is_null() | (pl.col("payment") == ""))
        .then(1)
        .otherwise(pl.len().over("payment"))
        .alias("size")
    )
    return sizes.group_by("account_id").agg(pl.col("size").max()).sort("account_id")["size"].to_numpy().astype(float)
