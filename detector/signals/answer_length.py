"""Long free-text answers to short prompts: the ratio that an answer harvest buys.

Fires on: many output tokens for each input token.
Does not fire on: extraction, classification and summaries (long in, short out).
Known evasion: padding of prompts.
Source: the design's first row (long free-text answers).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View


def _value(view: View) -> np.ndarray:
    return np.clip(np.log2((view.total("output_tokens") + 200) / (view.total("input_tokens") + 400)) / 4 + 0.25, 0, 1)


SIGNAL = Signal(
    name="answer_length",
    title="Long answers to short prompts",
    direction="for",
    unit="output tokens per input token",
    display=lambda x: 2 ** ((x - 0.25) * 4),
    value=_value,
    text=lambda x, n: f"It gets about {2 ** ((x - 0.25) * 4):.1f} output tokens for each input token.",
    shows=lambda r: r.column("output_tokens") > r.column("input_tokens"),
)
