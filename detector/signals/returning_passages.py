"""The same passages come back with different questions: retrieval over one's own documents.

Fires on (against): long passages that recur, but not in every request.
Does not fire on: a constant frame; passages used once each.
Known evasion: padding prompts with recurring passages.
Source: the design's last row (RAG application).
"""

import polars as pl

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="returning_passages",
    title="Returning passages",
    direction="against",
    unit="share of requests",
    value=lambda v: v.share(v.summed(v.returning, pl.col("n") - 1)),
    text=lambda x, n: f"{percent(x)} of its {n} requests bring a passage that it had used before.",
    shows=lambda r: r.carries(r.view.returning),
)
