"""One model for all of it.

Fires on: all requests of a busy account going to the same model.
Does not fire on: accounts that try or route several models. Weak alone.
Known evasion: spreading over models.
Source: a teacher is one model; incident reports of 2026 note the switch within hours of a release.
"""

import numpy as np
import polars as pl

from detector.signals.base import Signal, percent
from detector.view import View


def _value(view: View) -> np.ndarray:
    top = view.kind("model").group_by("acct").agg(pl.col("n").max())
    return view.share(view.aligned(top, "n"))


SIGNAL = Signal(
    name="model_share",
    title="Share of one model",
    direction="for",
    unit="share of requests",
    value=_value,
    text=lambda x, n: f"{percent(x)} of its {n} requests go to one model.",
    shows=lambda r: r.usual("model"),
)
