"""The timeline counts every request once, in its hour or day."""

from __future__ import annotations

from datetime import timedelta

from detector.pipeline import Detector
from detector.report import timeline
from tests.detector.builders import START, event


def test_counts_every_request(detector: Detector) -> None:
    """Hours without requests are there too, and flagged accounts are told from others."""
    events = [event(i, "acct_a", minute=i * 10.0) for i in range(12)]
    events += [event(100 + i, "acct_b", minute=300 + i) for i in range(5)]
    bins = timeline(detector.profile(detector.features(events)), {"acct_a"})
    assert [(b.flagged, b.other) for b in bins] == [(6, 0), (6, 0), (0, 0), (0, 0), (0, 0), (0, 5)]
    assert bins[0].start == START
    assert bins[1].start - bins[0].start == timedelta(hours=1)


def test_long_logs_are_drawn_by_day(detector: Detector) -> None:
    """A log of weeks has one bin a day; one stray time years ago does not make thousands of empty ones."""
    events = [event(i, "acct_a", minute=i * 1440.0) for i in range(20)]
    profile = detector.profile(detector.features(events))
    assert [b.other for b in timeline(profile, set())] == [1] * 20
    stray = detector.profile(detector.features([*events, event(99, "acct_a", minute=-60 * 24 * 365 * 20.0)]))
    assert len(timeline(stray, set())) == 21


def test_empty(detector: Detector) -> None:
    """No requests, no timeline."""
    assert timeline(detector.profile(detector.features([])), set()) == []
