"""IsolationForest on usage (Liu, Ting & Zhou 2008, scikit-learn): accounts whose use is unlike the others'."""

import numpy as np
import polars as pl
from sklearn.ensemble import IsolationForest

from benchmarks.detection.baselines.log import SEED, Log

NAME = "isolation forest on usage"


def score(log: Log) -> np.ndarray:
    """Anomaly score over the logarithms of requests, output tokens, input tokens and hours of the day in use.

    More columns (days, busiest hour, means a request) were tried on the training traffic and caught fewer campaigns.
    """
    usage = (
        log.table.group_by("account_id")
        .agg(
            pl.len().alias("requests"),
            pl.col("output_tokens").sum(),
            pl.col("input_tokens").sum(),
            pl.col("timestamp").dt.hour().n_unique().alias("hours"),
        )
        .sort("account_id")
        .drop("account_id")
    )
    features = np.log1p(usage.to_numpy().astype(np.float64))
    return -IsolationForest(random_state=SEED).fit(features).score_samples(features)
