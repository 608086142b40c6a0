"""Signals: one file each. A module in this package with a ``SIGNAL`` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np

from detector.signals.base import Signal
from detector.view import View


def _discover() -> tuple[Signal, ...]:
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return tuple(
        sorted((m.SIGNAL for m in modules if hasattr(m, "SIGNAL")), key=lambda s: (s.direction != "for", s.name))
    )


SIGNALS: tuple[Signal, ...] = _discover()


SIGNS = np.array([1 if s.direction == "for" else -1 for s in SIGNALS], np.int8)
"""The way in which each signal moves the risk: 1 up, -1 down."""


def evaluate(view: View) -> np.ndarray:
    """Values of all signals: float64 of shape (accounts, len(SIGNALS)), in the order of :data:`SIGNALS`."""
    if not len(view):
        return np.zeros((0, len(SIGNALS)))
    return np.column_stack([s.value(view) for s in SIGNALS])
