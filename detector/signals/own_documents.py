"""Own material goes in, little comes out: summaries, translations, extraction.

Fires on (against): long inputs with comparatively short answers.
Does not fire on: short prompts with long answers.
Known evasion: padding.
Source: the design's look-alikes (batch summarising, translation bureau).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View


def _value(view: View) -> np.ndarray:
    ratio = np.log2((view.total("input_tokens") + 400) / (view.total("output_tokens") + 200)) / 4
    return np.clip(ratio, 0, 1) * view.share(view.total("long_inputs"))


SIGNAL = Signal(
    name="own_documents",
    title="Own documents",
    direction="against",
    unit="0 to 1",
    value=_value,
    text=lambda x, n: "Most of its requests bring long material of its own and take short answers.",
    shows=lambda r: r.marked("long_inputs"),
)
