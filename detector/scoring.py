"""From signal values to one calibrated risk, with each signal's share in it.

Gradient-boosted trees over the signals, monotone in each: more evidence *for* never lowers the risk, more evidence *against*
never raises it, whatever the other signals say. A reason's contribution is the signal's share in the log-odds, and all
shares add up to it. Ships as plain arrays (``assets/scoring.json``), fitted by ``python -m benchmarks.detection.train_scoring``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from scipy.special import expit

from detector.signals import SIGNALS, evaluate
from detector.trees import TreeModel, Trees
from detector.view import View

DEFAULT = Path(__file__).parent / "assets" / "scoring.json"


class Weights(msgspec.Struct):
    """Everything the scorer has learnt. ``population`` holds each signal's quantiles over benign accounts, for percentiles."""

    version: str
    signals: list[str]  # names of the features, in order
    trees: Trees
    population: dict[str, list[float]]
    flag_at: float  # risk from which an account is flagged, set for the target share of false flags
    watch_at: float
    campaign_intercept: float = 0.0
    campaign_weights: dict[str, float] = {}
    campaign_flag_at: float = 0.5


@dataclass(frozen=True)
class Scorer:
    """Scores signal values of shape (m, len(SIGNALS))."""

    weights: Weights

    @classmethod
    def load(cls, path: Path = DEFAULT) -> Scorer:
        """Read weights from JSON. Raises msgspec.ValidationError on anything else, ValueError for other signals than these."""
        weights = msgspec.json.decode(path.read_bytes(), type=Weights)
        if weights.signals != [s.name for s in SIGNALS]:
            raise ValueError(f"{path} was fitted on other signals: fit it again, or calibrate with this version")
        return cls(weights)

    @cached_property
    def model(self) -> TreeModel:
        """The trees, ready to evaluate."""
        return TreeModel(self.weights.trees)

    def contributions(self, values: np.ndarray) -> np.ndarray:
        """Log-odds that each signal adds: float64 of shape (m, len(SIGNALS))."""
        return self.model.shares(values)

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Log-odds of harvesting: float64 of shape (m,)."""
        return self.model.base + self.contributions(values).sum(axis=1)

    def risk(self, values: np.ndarray) -> np.ndarray:
        """Probability of harvesting: float64 of shape (m,)."""
        return expit(self.log_odds(values))

    def percentiles(self, values: np.ndarray) -> np.ndarray:
        """Share of the benign population that has a lower value: float64 of shape (m, len(SIGNALS))."""
        out = np.full_like(values, 0.5, dtype=float)
        for j, signal in enumerate(SIGNALS):
            grid = self.weights.population.get(signal.name)
            if grid:
                out[:, j] = np.searchsorted(grid, values[:, j], side="left") / len(grid)
        return out


@dataclass(frozen=True)
class Scored:
    """Signal values, contributions and log-odds of the rows of a view."""

    view: View
    values: np.ndarray
    contributions: np.ndarray
    log_odds: np.ndarray


def score(view: View, scorer: Scorer) -> Scored:
    """Evaluate and score all signals on a view."""
    values = evaluate(view)
    contributions = scorer.contributions(values)
    return Scored(view, values, contributions, scorer.model.base + contributions.sum(axis=1))


def logit(p: float) -> float:
    """Log-odds of a probability strictly between 0 and 1."""
    return float(np.log(p / (1 - p)))
