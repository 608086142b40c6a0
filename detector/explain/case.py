"""One account as the scorer sees it on its own, and what would become of its risk if it were otherwise.

Counterfactual explanations (Wachter et al. 2017, arXiv 1711.00399), searched with the real scorer: nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from detector.accounts import UNKNOWN, candidates, told_of
from detector.assessment import Verdict
from detector.parts import MIN_REQUESTS
from detector.profiles import Profiles
from detector.scoring import FLAG_AT, WATCH_AT, Scorer
from detector.signals import SIGNALS, SIGNS
from detector.view import View

INTENSIVE = frozenset({"hours", "log_breadth", "effective", "largest", "busiest", "fano"})
"""Columns of a view that stay as they are when the same kind of work goes on; all others are counts, and grow with it."""


class Grown(View):
    """The view after ``factor`` times as many requests of the same kind: every count that many times as large."""

    def __init__(self, profiles: Profiles, factor: float = 1.0) -> None:
        super().__init__(profiles)
        self.factor = factor
        self.n = self.n * factor

    def total(self, column: str) -> np.ndarray:
        """A counter, grown."""
        return super().total(column) * self.factor

    def aligned(self, table: pl.DataFrame, column: str, default: float = 0.0) -> np.ndarray:
        """A column, grown where it is a count."""
        values = super().aligned(table, column, default)
        return values if column in INTENSIVE else values * self.factor


@dataclass(frozen=True)
class Case:
    """An account's candidates, (parts, features) as in :data:`detector.accounts.FEATURES`: the whole of it first, then its parts."""

    x: np.ndarray
    requests: float
    scorer: Scorer

    @property
    def values(self) -> np.ndarray:
        """Signal values of the candidates, (parts, signals)."""
        return self.x[:, : len(SIGNALS)]

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Score for k variants of the values, (k, parts, signals): the worst part's. Shape (k,)."""
        variants, parts, signals = values.shape
        if self.requests < MIN_REQUESTS:
            return np.full(variants, UNKNOWN)
        x = np.broadcast_to(self.x, (variants, *self.x.shape)).copy()
        x[:, :, :signals] = values
        x[:, :, -signals:] = values[:, :1]  # the whole account's signals stand beside each part's
        return self.scorer.accounts.predict(x.reshape(-1, x.shape[2])).reshape(variants, parts).max(axis=1)

    def line(self, threshold: float) -> float:
        """The score at which the risk is FLAG_AT or WATCH_AT. Raises ValueError for other risks."""
        if threshold not in (FLAG_AT, WATCH_AT):
            raise ValueError(f"no verdict begins at a risk of {threshold}")
        return self.scorer.cuts[0 if threshold == FLAG_AT else 1]

    def risk_of(self, log_odds: float) -> float:
        """Risk at a score; none where too little is known."""
        return 0.0 if log_odds <= UNKNOWN else float(self.scorer.risk(np.array([log_odds]))[0])

    @property
    def risk(self) -> float:
        """The account's own risk, without any campaign."""
        return self.risk_of(float(self.log_odds(self.values[None])[0]))

    @cached_property
    def told(self) -> np.ndarray:
        """The signal values that decide, (signals,): of the riskiest part, or of the whole account where that weighs more."""
        riskiest = int(self.scorer.accounts.predict(self.x).argmax())
        of = np.array([0.0 if riskiest else self.requests])  # fewer than all where it is a part
        return told_of(self.x[[riskiest]], of, np.array([self.requests]), self.scorer).values[0]

    def moved(self, signals: np.ndarray, targets: np.ndarray, towards: int) -> np.ndarray:
        """Values with some signals moved to their targets, never the other way.

        ``signals`` (bool) and ``targets`` have the shape (k, signals); ``towards`` is +1 to raise the risk, -1 to lower it.
        Returns (k, parts, signals).
        """
        signed, goals = self.values[None] * SIGNS, (targets * SIGNS)[:, None]
        further = np.maximum(signed, goals) if towards > 0 else np.minimum(signed, goals)
        return np.where(signals[:, None], further * SIGNS, self.values[None])


def restricted(profiles: Profiles, acct: int) -> Profiles:
    """The profile of one account."""
    return profiles.only(pl.Series([acct], dtype=pl.UInt64))


def case_of(profiles: Profiles, scorer: Scorer, factor: float = 1.0) -> Case:
    """The case of the one account of ``profiles``, after ``factor`` times as many requests of its kind."""
    view = Grown(profiles, factor)
    found = candidates(profiles, view, lambda p: Grown(p, factor))
    return Case(found.x, float(view.n[0]), scorer)


def verdict_of(risk: float, scorer: Scorer) -> Verdict:
    """The verdict at a risk."""
    words: tuple[Verdict, ...] = ("clear", "watch", "flag")
    return words[int(scorer.verdicts(np.array([risk]))[0])]
