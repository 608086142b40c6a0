"""An even pace: requests spread over their time like a job's, not like a person's bursts.

Fires on: ten-minute slots that hold about the same number of requests each.
Does not fire on: fewer requests than can show a pace; sessions with pauses.
Known evasion: drawing pauses from a human's distribution.
Source: index of dispersion (Fano factor) of counts, Cox & Lewis 1966.
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View

STEADY = 0.5  # share of slots in use from which the pauses are the exception, so that words may say so


def _value(view: View) -> np.ndarray:
    slots = view.aligned(view.rhythm, "slots")
    busy = np.clip(slots / np.maximum(view.aligned(view.rhythm, "span_slots"), 1.0), 0, 1)
    return busy * np.clip((slots - 6) / 30, 0, 1)


SIGNAL = Signal(
    name="even_pace",
    title="Even pace",
    direction="for",
    unit="share of ten-minute slots in use",
    value=_value,
    text=lambda x, n: (
        f"Between its first and last request {x * 100:.0f} % of all ten-minute slots are in use"
        + (": it hardly pauses." if x >= STEADY else ".")
    ),
)
