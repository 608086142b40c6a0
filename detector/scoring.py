"""From signal values to one calibrated risk, with each signal's share in it.

An additive model of the log-odds: risk = sigmoid(intercept + sum of f_s(x_s)), where each f_s is a piecewise linear,
monotone function of one signal (rising for evidence *for*, falling for evidence *against*). Additive, so that every
reason's contribution is exact; monotone, so that more of a suspicious thing never lowers the risk.
Ships as plain arrays (``assets/scoring.json``), fitted by ``python -m benchmarks.detection.train``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from scipy.special import expit

from detector.signals import SIGNALS

DEFAULT = Path(__file__).parent / "assets" / "scoring.json"


class Curve(msgspec.Struct):
    """Piecewise linear contribution of one signal: log-odds ``y`` at values ``x`` (rising)."""

    x: list[float]
    y: list[float]


class Weights(msgspec.Struct):
    """Everything the scorer has learnt. ``population`` holds each signal's quantiles over benign accounts, for percentiles."""

    version: str
    intercept: float
    curves: dict[str, Curve]
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
        """Read weights from JSON. Raises msgspec.ValidationError on anything else."""
        return cls(msgspec.json.decode(path.read_bytes(), type=Weights))

    def contributions(self, values: np.ndarray) -> np.ndarray:
        """Log-odds that each signal adds: float64 of shape (m, len(SIGNALS))."""
        out = np.zeros_like(values, dtype=float)
        for j, signal in enumerate(SIGNALS):
            curve = self.weights.curves.get(signal.name)
            if curve is not None:
                out[:, j] = np.interp(values[:, j], curve.x, curve.y)
        return out

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Log-odds of harvesting: float64 of shape (m,)."""
        return self.weights.intercept + self.contributions(values).sum(axis=1)

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
