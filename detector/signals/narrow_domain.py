"""One application's narrow domain.

Fires on (against): few effective dimensions of meaning over many requests.
Does not fire on: few requests (shrunk towards the ordinary).
Known evasion: one topic per account (the campaign is then broad).
Source: participation ratio as effective dimension, Gao et al. 2017 (bioRxiv 214262).
"""

import numpy as np

from detector.signals.base import Signal
from detector.view import BREADTH_PRIOR_VALUE

SIGNAL = Signal(
    name="narrow_domain",
    title="Narrow domain",
    direction="against",
    unit="effective dimensions",
    display=lambda x: float(BREADTH_PRIOR_VALUE / np.exp(x)),
    value=lambda v: np.log(np.maximum(BREADTH_PRIOR_VALUE / v.breadth, 1.0)),
    text=lambda x, n: (
        f"Its {n} requests stay within about {BREADTH_PRIOR_VALUE / np.exp(x):.0f} effective dimensions of meaning."
    ),
)
