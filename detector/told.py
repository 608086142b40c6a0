"""What is told of signals: a value, its place among ordinary accounts, and what it does to the log-odds; and which are reasons."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from detector.scoring import Scorer
from detector.signals import SIGNALS, SIGNS

MIN_CONTRIBUTION = 0.1  # log-odds; a reason that moves the risk by less is left out
TYPICAL = 0.5  # percentile of an ordinary account


@dataclass(frozen=True)
class Told:
    """What is told of the signals of some accounts, parts of them or groups: arrays of shape (m, len(SIGNALS)), or of one of them."""

    contributions: np.ndarray  # log-odds
    values: np.ndarray
    percentiles: np.ndarray  # share of ordinary accounts of that size that have a lower value
    requests: np.ndarray  # that the value was counted in
    of_whole: np.ndarray  # bool: told of the whole account, beside others of a part

    def __getitem__(self, row: int) -> Told:
        """What is told of one of them."""
        return Told(*(getattr(self, f.name)[row] for f in fields(self)))

    @cached_property
    def signs(self) -> np.ndarray:
        """Which are reasons: 1 by what is there, -1 by what is missing, 0 none.

        What would be told as there must lie in the upper half of ordinary accounts, what as missing in the lower. Else a signal counts
        only by what it means beside the others, which no sentence about it alone could say.
        """
        signs = np.sign(self.contributions) * SIGNS
        weighty = np.abs(self.contributions) >= MIN_CONTRIBUTION
        return np.where(weighty & (signs * (self.percentiles - TYPICAL) >= 0), signs, 0).astype(np.int8)


def tell(
    contributions: np.ndarray,
    values: np.ndarray,
    requests: np.ndarray,
    scorer: Scorer,
    of_whole: np.ndarray | None = None,
) -> Told:
    """With the places among ordinary accounts; a signal in shadow contributes nothing. ``requests`` may be (m, 1): of all signals."""
    live = np.array([s.name not in scorer.shadow for s in SIGNALS])
    return Told(
        contributions * live,
        values,
        scorer.percentiles(values, requests),
        np.broadcast_to(requests, values.shape),
        np.zeros(values.shape, bool) if of_whole is None else of_whole,
    )
