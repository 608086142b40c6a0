"""What a signal is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from detector.assessment import Direction
from detector.rows import Rows
from detector.view import PRIOR, View

SHARE = "share of requests"  # the unit of signals that are View.share


@dataclass(frozen=True)
class Signal:
    """One kind of evidence.

    ``value`` maps a view of m accounts to float64 of shape (m,), larger meaning stronger in ``direction``, zero meaning
    nothing of it. ``text`` turns the value of one account, with its number of requests, into a plain sentence. ``shows`` tells
    of single requests whether they show it, bool of shape (rows,); None where it is of all of them together, like a pace.
    ``beside`` is the column whose equal values belong side by side, where a request shows it only beside others.
    """

    name: str
    title: str
    direction: Direction
    unit: str
    value: Callable[[View], np.ndarray]
    text: Callable[[float, int], str]
    shows: Callable[[Rows], np.ndarray] | None = None
    beside: str | None = None
    version: str = "1"
    display: Callable[[float], float] = (
        float  # what is shown as the value, in ``unit``, where the signal works on a logarithm
    )

    def counted(self, x: float, n: int) -> float:
        """A value as it was counted in ``n`` requests: shares of them are shrunk for scoring (:meth:`View.share`), and told as they are."""
        return min(round(x * (n + PRIOR) / n, 9), 1.0) if self.unit == SHARE and n else x

    def sentence(self, x: float, n: int) -> str:
        """What a value that was counted in ``n`` requests says."""
        return self.text(self.counted(x, n), n)


def likelihood(what: str, x: float, n: int) -> str:
    """What the mean of a classifier's likelihoods over an account's requests says; the point comes first, for a column that is cut."""
    return f"{what}, with a likelihood of {percent(x)} on average over its {n} requests."


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{share * 100:.0f} %" if share >= 0.095 or share == 0 else f"{share * 100:.1f} %"
