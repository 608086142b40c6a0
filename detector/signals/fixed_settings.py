"""The same explicit sampling settings in every request, over unlike tasks.

Fires on: one explicit combination of temperature, lengths and choices, together with broad content.
Does not fire on: default settings; a narrow application.
Known evasion: random settings.
Source: the design's table (a job sets its parameters once; people and varied tools do not).
"""

import numpy as np
import polars as pl

from detector.signals.base import Signal
from detector.view import BREADTH_PRIOR_VALUE, View


def _value(view: View) -> np.ndarray:
    top = view.kind("settings").group_by("acct").agg(pl.col("n").max())
    return view.share(view.aligned(top, "n")) * np.log(np.maximum(view.breadth / BREADTH_PRIOR_VALUE, 1.0))


SIGNAL = Signal(
    name="fixed_settings",
    title="Fixed settings over unlike tasks",
    direction="for",
    unit="0 to 2.5",
    value=_value,
    text=lambda x, n: "The same explicit sampling settings go with tasks that have little else in common.",
    shows=lambda r: r.usual("settings"),
)
