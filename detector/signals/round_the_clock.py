"""Work at all hours of the day.

Fires on: requests spread over more hours of the day than a person is awake.
Does not fire on: fewer than a score of requests; office hours.
Known evasion: keeping office hours.
Source: circadian rhythm of human activity, e.g. Malmgren et al. 2008 (PNAS 105:18153).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import View

AWAKE_HOURS = 10.0  # effective hours (exponential entropy) that one person's activity seldom exceeds in a week


def _value(view: View) -> np.ndarray:
    hours = view.aligned(view.rhythm, "hours")
    return np.clip((hours - AWAKE_HOURS) / (24 - AWAKE_HOURS), 0, 1)


SIGNAL = Signal(
    name="round_the_clock",
    title="Round-the-clock use",
    direction="for",
    unit="share of the night in use",
    value=_value,
    text=lambda x, n: (
        f"Its {n} requests cover about {AWAKE_HOURS + x * (24 - AWAKE_HOURS):.0f} effective hours of the day."
    ),
)
