"""Long free-text answers to short prompts: the ratio that an answer harvest buys.

Fires on: many output tokens for each input token.
Does not fire on: extraction, classification and summaries (long in, short out).
Known evasion: padding of prompts.
Source: the design's first row (long free-text answers).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View

LEAST, MOST = 0.5, 8.0  # output tokens per input token, beyond which more or less says nothing more


def _value(view: View) -> np.ndarray:
    return np.clip(np.log2((view.total("output_tokens") + 200) / (view.total("input_tokens") + 400)) / 4 + 0.25, 0, 1)


def _text(x: float, n: int) -> str:
    ratio = 2 ** ((x - 0.25) * 4)
    about = f"{MOST:g} or more" if x >= 1 else f"{LEAST:g} or less" if x <= 0 else f"about {ratio:.1f}"
    return f"It gets {about} output tokens for each input token."


SIGNAL = Signal(
    name="answer_length",
    title="Long answers to short prompts",
    direction="for",
    unit="output tokens per input token",
    display=lambda x: 2 ** ((x - 0.25) * 4),
    value=_value,
    text=_text,
    shows=lambda r: r.column("output_tokens") > r.column("input_tokens"),
)
