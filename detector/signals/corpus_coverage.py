"""Broad and hardly ever repeating: a corpus being walked through.

Fires on: many effective dimensions of meaning among mostly distinct, stateless prompts.
Does not fire on: one application's narrow domain; users who come back to a subject; conversations.
Known evasion: restricting each account to one topic (the campaign is then broad).
Source: participation ratio as effective dimension, Gao et al. 2017 (bioRxiv 214262); PRADA's reading of query novelty, Juuti et al. 2019.
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import BREADTH_PRIOR_VALUE, View


def _value(view: View) -> np.ndarray:
    breadth = np.log(np.maximum(view.breadth / BREADTH_PRIOR_VALUE, 1.0))
    novelty = view.share(view.aligned(view.states, "distinct"))
    return breadth * novelty * view.share(view.total("stateless"))


SIGNAL = Signal(
    name="corpus_coverage",
    title="Corpus-like coverage",
    direction="for",
    unit="effective dimensions",
    display=lambda x: float(np.exp(x) * BREADTH_PRIOR_VALUE),
    value=_value,
    text=lambda x, n: (
        f"Its {n} requests spread over about {np.exp(x) * BREADTH_PRIOR_VALUE:.0f} effective dimensions of meaning, "
        "hardly ever repeat and stand alone."
    ),
)
