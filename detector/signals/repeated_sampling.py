"""The same conversation state sampled many times: best-of-n rollouts.

Fires on: states requested at least three times, or several choices per request.
Does not fire on: a retry; popular questions in an application (their share is small).
Known evasion: a nonce in every prompt (the template then shows).
Source: rejection sampling for fine-tuning, Yuan et al. 2023 (arXiv 2308.01825).
"""

import numpy as np

from detector.signals.base import Signal, percent
from detector.view import REPEAT, View


def _value(view: View) -> np.ndarray:
    return np.maximum(view.share(view.aligned(view.states, "sampled")), view.share(view.total("choices")))


SIGNAL = Signal(
    name="repeated_sampling",
    title="Repeated sampling",
    direction="for",
    unit="share of requests",
    value=_value,
    text=lambda x, n: (
        f"{percent(x)} of its {n} requests sample a task that it had sampled before, three times or more."
    ),
    shows=lambda r: (r.times("state") >= REPEAT) | r.marked("choices"),
    beside="state",
)
