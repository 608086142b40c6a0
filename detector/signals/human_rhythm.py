"""Bursts and pauses within a person's day.

Fires on (against): few effective hours of the day and sessions with pauses between them.
Does not fire on: fewer requests than can show a rhythm.
Known evasion: copying a human's hours. So its weight is small.
Source: bursty human dynamics, Barabasi 2005 (Nature 435:207).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View


def _value(view: View) -> np.ndarray:
    hours = view.aligned(view.rhythm, "hours", 24.0)
    slots = view.aligned(view.rhythm, "slots")
    pauses = 1 - np.clip(slots / np.maximum(view.aligned(view.rhythm, "span_slots"), 1.0), 0, 1)
    return np.clip((16 - hours) / 12, 0, 1) * pauses * np.clip(slots / 8, 0, 1)


SIGNAL = Signal(
    name="human_rhythm",
    title="Human rhythm",
    direction="against",
    unit="0 to 1",
    value=_value,
    text=lambda x, n: f"Its {n} requests come in sessions with pauses, within a person's waking hours.",
)
