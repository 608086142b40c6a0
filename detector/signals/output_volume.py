"""Tokens of answers taken.

Fires on: large totals of output tokens a day.
Does not fire on: small accounts. Volume alone separates nothing, so its weight is small.
Known evasion: sharding over accounts.
Source: incident reports of 2026 (6 to 1,100 requests per account and day).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View


def _value(view: View) -> np.ndarray:
    return np.log10(1 + view.total("output_tokens") / np.maximum(view.total("days"), 1) / 1000)


SIGNAL = Signal(
    name="output_volume",
    title="Output volume",
    direction="for",
    unit="thousand output tokens a day",
    display=lambda x: 10**x - 1,
    value=_value,
    text=lambda x, n: f"It takes about {(10**x - 1):,.0f} thousand output tokens on an active day.",
)
