"""One account as the scorer sees it on its own, and what would become of its risk if it were otherwise.

Counterfactual explanations (Wachter et al. 2017, arXiv 1711.00399), searched with the real scorer: nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from detector.assess import SLICE_PENALTY, slices
from detector.assessment import Verdict
from detector.flagtime import MIN_REQUESTS
from detector.profiles import Profiles
from detector.scoring import Scorer, logit
from detector.signals import SIGNALS, evaluate
from detector.view import View

SIGNS = np.array([1.0 if s.direction == "for" else -1.0 for s in SIGNALS])
"""The way in which each signal raises the risk."""

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
    """Signal values of an account, (parts, signals): the whole of it first, then its slices, each with its penalty in log-odds."""

    values: np.ndarray
    penalty: np.ndarray
    requests: float
    scorer: Scorer

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Log-odds of harvesting for k variants of the values, (k, parts, signals): the worst part's. Shape (k,)."""
        variants, parts, signals = values.shape
        each = self.scorer.log_odds(values.reshape(-1, signals)).reshape(variants, parts) - self.penalty
        worst = each.max(axis=1)
        cap = logit(self.scorer.weights.watch_at) - 1e-6
        return np.minimum(worst, cap) if self.requests < MIN_REQUESTS else worst

    @property
    def risk(self) -> float:
        """The account's own risk, without any campaign."""
        return float(expit(self.log_odds(self.values[None])[0]))

    @property
    def by_slice(self) -> bool:
        """True where a slice (the requests with one frame) is riskier than the account as a whole."""
        each = self.scorer.log_odds(self.values) - self.penalty
        return bool(each.argmax() > 0)

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
    mine = pl.col("acct") == acct
    return Profiles(*(t.filter(mine) for t in (profiles.accounts, profiles.counts, profiles.objects, profiles.sample)))


def case_of(profiles: Profiles, scorer: Scorer, factor: float = 1.0) -> Case:
    """The case of the one account of ``profiles``, after ``factor`` times as many requests of its kind."""
    view = Grown(profiles, factor)
    rows = slices(profiles, View(profiles))
    values, penalty = [evaluate(view)], [np.zeros(len(view))]
    if len(rows):
        sliced = Grown(Profiles.of_rows(rows.with_columns(pl.col("group").alias("acct")).drop("group")), factor)
        known = sliced.n >= MIN_REQUESTS
        values.append(evaluate(sliced)[known])
        penalty.append(np.full(known.sum(), SLICE_PENALTY))
    return Case(np.vstack(values), np.concatenate(penalty), float(view.n[0]), scorer)


def verdict_of(risk: float, scorer: Scorer) -> Verdict:
    """The verdict at a risk."""
    weights = scorer.weights
    return "flag" if risk >= weights.flag_at else "watch" if risk >= weights.watch_at else "clear"
