"""Fixtures of the detector's tests: the shipped detector, loaded once."""

import pytest

from detector.pipeline import Detector


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The shipped detector."""
    return Detector.load()
