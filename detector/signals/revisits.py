"""The same questions come back after hours or days, as they do in use and not in a harvest.

Fires on (against): prompts repeated more than an hour later.
Does not fire on: bursts of the same prompt (rollouts).
Known evasion: re-asking old questions at a cost.
Source: Zipf-like repetition of real queries, e.g. Baeza-Yates et al. 2007.
"""

import polars as pl

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="revisits",
    title="Revisits",
    direction="against",
    unit="share of requests",
    value=lambda v: v.share(v.summed(v.revisited, pl.col("n") - 1)),
    text=lambda x, n: f"{percent(x)} of its {n} requests ask again what had been asked more than an hour before.",
    shows=lambda r: r.times_of(r.view.revisited, "prompt") > 0,
    beside="prompt",
)
