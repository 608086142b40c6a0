"""Answers come back as inputs.

Fires on: sentences of answers that this account was given standing in its later prompts.
Does not fire on: assistant turns of a conversation (only user and system text is read).
Known evasion: paraphrasing answers before they return.
Source: Self-Instruct's loop, Wang et al. 2022 (arXiv 2212.10560).
"""

import polars as pl

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="feedback_loop",
    title="Answers fed back",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.summed(v.fed_back, pl.col("n"))),
    text=lambda x, n: f"{percent(x)} of its {n} requests contain sentences of answers it was given before.",
    shows=lambda r: r.carries(r.view.fed_back),
)
