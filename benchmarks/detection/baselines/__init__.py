"""What one would take instead of distillwatch: simple rules and published detectors, one file a method.

Each file has a ``NAME`` and ``score(log)``, one number an account, higher being more suspicious. No method sees a label.

    score_all(events)  # account_id, and one column a method
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from benchmarks.detection.baselines import (
    isolation_forest,
    kmeans_coverage,
    kmeans_volume,
    mmd,
    output_tokens,
    prada,
    reasoning_words,
    request_count,
    seat,
    shared_payment,
)
from benchmarks.detection.baselines.log import Log
from detector.encoders import Encoder
from detector.event import Event

BASELINES: dict[str, Callable[[Log], np.ndarray]] = {
    method.NAME: method.score
    for method in (
        request_count,
        output_tokens,
        reasoning_words,
        shared_payment,
        isolation_forest,
        kmeans_volume,
        kmeans_coverage,
        prada,
        seat,
        mmd,
    )
}

__all__ = ["BASELINES", "Log", "score_all"]


def score_all(
    events: Sequence[Event], reference: np.ndarray | None = None, encoder: Encoder | None = None
) -> pl.DataFrame:
    """Scores of all methods: account_id and a float column of each name in BASELINES, sorted by account_id.

    ``reference`` (``reference.ordinary_prompts``) is the ordinary traffic that SEAT and MMD compare with; without it, the log.
    Raises ValueError for an empty log.
    """
    log = Log(events, reference, encoder)
    return pl.DataFrame({"account_id": log.accounts, **{name: method(log) for name, method in BASELINES.items()}})
