"""One small simulated log, profiled and assessed once, with a case of every verdict in it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from detector.assessment import AccountFinding, Assessment
from detector.event import Event
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.simulate import PRESETS, simulate


class Log(NamedTuple):
    """A log and what was found in it."""

    events: list[Event]
    profiles: Profiles
    assessment: Assessment

    def of(self, verdict: str) -> list[AccountFinding]:
        """Findings with a verdict, those with the most requests first."""
        return sorted((a for a in self.assessment.accounts if a.verdict == verdict), key=lambda a: -a.requests)

    def acct(self, account_id: str) -> int:
        """The key of an account."""
        names = self.profiles.accounts
        return int(names.filter(names["account_id"] == account_id)["acct"][0])


@pytest.fixture(scope="session")
def log(detector: Detector) -> Log:
    """The simulated log."""
    events = simulate(PRESETS["smoke"], 1).events
    profiles = detector.profile(detector.features(events))
    return Log(events, profiles, detector.assess(profiles))
