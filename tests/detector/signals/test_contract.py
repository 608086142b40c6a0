"""Every signal keeps the contract: a file like the others, finite values, sentences with numbers."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

from detector import signals as package
from detector.pipeline import Detector
from detector.signals import SIGNALS
from detector.signals.base import Signal
from detector.view import View
from tests.detector.builders import event

MODULES = [m.name for m in pkgutil.iter_modules(package.__path__) if m.name != "base"]


@pytest.fixture(scope="module")
def view(detector: Detector) -> View:
    """Three accounts: one that converses, one that asks once, one without any text."""
    log = [
        event(1, "a", 0, ("hi", "and then?", "thanks")),
        event(2, "a", 5, ("hi",)),
        event(3, "b", 9, ("Explain tides.",)),
        event(4, "c", 9, ("",)),
    ]
    return View(detector.profile(detector.features(log)))


@pytest.mark.parametrize("name", MODULES)
def test_a_signal_is_documented(name: str) -> None:
    """Each file says what it fires on, what not, how it is evaded, and where it comes from, and defines the signal of its name."""
    module = importlib.import_module(f"detector.signals.{name}")
    for section in ("Fires on", "Does not fire on", "Known evasion:", "Source:"):
        assert section in (module.__doc__ or ""), f"{name} lacks {section!r}"
    assert module.SIGNAL.name == name


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: s.name)
def test_values_are_finite_and_not_negative(signal: Signal, view: View) -> None:
    """One finite value an account, zero meaning nothing, also for accounts of one request or without text."""
    values = signal.value(view)
    assert values.shape == (3,)
    assert np.isfinite(values).all()
    assert (values >= 0).all()


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: s.name)
def test_the_sentence_is_plain(signal: Signal) -> None:
    """The evidence is one sentence without markup, for small and large values."""
    for value in (0.0, 0.37, 1.0):
        text = signal.text(value, 120)
        assert text.endswith(".")
        assert "\n" not in text
        assert "{" not in text


def test_directions_and_names_are_settled() -> None:
    """Names are unique and both directions are present: a verdict weighs reasons against as well."""
    names = [s.name for s in SIGNALS]
    assert len(names) == len(set(names)) >= 15
    assert {s.direction for s in SIGNALS} == {"for", "against"}


def test_beyond_what_it_measures_a_sentence_says_so() -> None:
    """Where a value is cut, the sentence names the bound and no exact number."""
    signal = next(s for s in SIGNALS if s.name == "answer_length")
    assert "8 or more output tokens" in signal.text(1.0, 9)
    assert "0.5 or less output tokens" in signal.text(0.0, 9)
    assert "about 2.8 output tokens" in signal.text(0.625, 9)
