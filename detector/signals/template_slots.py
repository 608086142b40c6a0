"""One constant sentence around ever new content: template share times slot diversity.

Fires on: a frame in most requests whose slots never repeat.
Does not fire on: free conversation; a frame whose content comes back.
Known evasion: many paraphrases of the frame (campaigns pool them), no frame at all.
Source: design of synthetic data pipelines; PromptSource-style templates, Bach et al. 2022 (arXiv 2202.01279).
"""

import numpy as np
import polars as pl

from detector.signals.base import Signal, percent
from detector.view import View


def _value(view: View) -> np.ndarray:
    frames = view.frames
    share = view.share(view.aligned(frames, "top"))
    carried = np.maximum(view.aligned(frames, "carried"), 1.0)
    return share * view.aligned(frames, "fillings") / carried


SIGNAL = Signal(
    name="template_slots",
    title="Template with ever new slots",
    direction="for",
    unit="share of requests",
    value=_value,
    text=lambda x, n: f"{percent(x)} of its {n} requests put new content into the same constant sentence.",
    shows=lambda r: r.carries(r.view.frames.select("acct", pl.col("frame").alias("key"))),
)
