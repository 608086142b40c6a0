"""Profiles are mergeable: any split and any order of the same events gives the same profile."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector import profiles as module
from detector.pipeline import Detector
from detector.profiles import KIND, Profiles, merge_all
from tests.detector.builders import START, event

TEXTS = (
    "What is the capital of France?",
    "Write a function that reverses a list in Python.",
    "Explain photosynthesis to a ten year old child.",
    "Rate the answer below from 1 to 10 and explain the score.",
    "",
    "写一首关于秋天的诗",
)


@st.composite
def logs(draw: st.DrawFn) -> list:
    """Logs of up to 40 events of four accounts over four days."""
    size = draw(st.integers(1, 40))
    return [
        event(
            i,
            draw(st.sampled_from("abcd")),
            draw(st.integers(0, 4 * 1440)),
            tuple(draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3))),
        )
        for i in range(size)
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=logs(), data=st.data())
def test_any_split_and_order_gives_the_same_profile(detector: Detector, log: list, data: st.DataObject) -> None:
    """Shuffling the events and merging the profiles of any parts in a tree equals one profile of all."""
    whole = detector.profile(detector.features(log))
    shuffled = data.draw(st.permutations(log))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=4)))
    parts = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(log)], strict=True) if a < b]
    merged = merge_all([detector.profile(detector.features(p)) for p in parts], fan_in=2)
    assert merged is not None
    assert merged.equals(whole)


def test_a_crowded_day_keeps_the_same_sample_whatever_the_order(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bottom-k sampling is a function of the set of events alone."""
    monkeypatch.setattr(module, "SAMPLE_PER_DAY", 5)
    log = [event(i, "a", i % 60, (f"question number {i} about rivers",)) for i in range(40)]
    forward = merge_all([detector.profile(detector.features(log[i : i + 7])) for i in range(0, 40, 7)])
    backward = detector.profile(detector.features(log[::-1]))
    assert forward is not None
    assert len(forward.sample) == 5
    assert forward.equals(backward)


def test_bytes_round_trip(detector: Detector) -> None:
    """A profile read back from its bytes is the same profile."""
    profile = detector.profile(detector.features([event(i, "ab"[i % 2], i) for i in range(9)]))
    assert Profiles.from_bytes(profile.to_bytes()).equals(profile)


@pytest.mark.parametrize("data", [b"", b"short", b"\xff" * 64])
def test_other_bytes_are_refused(data: bytes) -> None:
    """Bytes that are no profile raise ValueError."""
    with pytest.raises(ValueError, match="not a profile"):
        Profiles.from_bytes(data)


def test_the_same_event_twice_counts_once(detector: Detector) -> None:
    """A duplicate within a batch changes nothing."""
    once = detector.profile(detector.features([event(1), event(2)]))
    twice = detector.profile(detector.features([event(1), event(2), event(1)]))
    assert once.equals(twice)


def test_window_forgets_older_days(detector: Detector) -> None:
    """A window holds the requests of its days alone."""
    profile = detector.profile(detector.features([event(1, "old", 0), event(2, "new", 3 * 1440)]))
    recent = profile.window(START + timedelta(days=2))
    assert recent.accounts["account_id"].to_list() == ["new"]
    assert int(recent.totals["n"].sum()) == 1


def test_states_tell_follow_ups_from_replays(detector: Detector) -> None:
    """A second turn whose first was asked here has a known parent; one that was never asked has not."""
    profile = detector.profile(
        detector.features(
            [event(1, turns=("first",)), event(2, turns=("first", "second")), event(3, turns=("never", "asked"))]
        )
    )
    states = set(profile.objects.filter(profile.objects["kind"] == KIND["state"])["key"].to_list())
    parents = profile.objects.filter(profile.objects["kind"] == KIND["parent"])["key"].to_list()
    assert [p in states for p in parents].count(True) == 1
    assert [p in states for p in parents].count(False) == 1


def test_a_group_is_the_merge_of_its_members(detector: Detector) -> None:
    """Requests of several accounts under one label are one profile, with their counters summed."""
    rows = detector.profile(detector.features([event(i, "abc"[i % 3], i) for i in range(12)])).sample
    merged = Profiles.of_rows(rows.with_columns(pl.lit(7, pl.UInt64).alias("acct")))
    assert merged.totals["n"].to_list() == [12]


def test_objects_of_rows_are_those_of_their_account(detector: Detector) -> None:
    """Counted from rows kind by kind, as when asked for all at once, objects are those of the profile of the same events."""
    built = detector.profile(
        detector.features([event(i, "ab"[i % 2], i * 400, (f"question {i % 3}",)) for i in range(20)])
    )
    of_rows = Profiles.of_rows(built.sample)
    by = ["acct", "day", "kind", "key"]
    assert of_rows.objects.select(built.objects.columns).sort(by).equals(built.objects.sort(by))
    for kind in KIND:
        assert of_rows.kind(kind).sort("acct", "key").equals(built.kind(kind).sort("acct", "key"))


def test_sums_by_slices_are_the_same(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many objects are summed some accounts at a time, with the same sums."""
    log = [event(i, "abcdefg"[i % 7], i, (f"question {i % 5} about rivers",)) for i in range(60)]
    parts = [detector.profile(detector.features(log[i : i + 9])) for i in range(0, 60, 9)]
    whole = Profiles.merge(parts)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 40)
    sliced = merge_all(iter(parts), fan_in=3)
    assert sliced is not None
    assert sliced.equals(whole)
    assert sliced.kind("piece").sort("acct", "key").equals(whole.kind("piece").sort("acct", "key"))
    assert all(len(part) for part in parts)  # merging leaves its parts as they were
