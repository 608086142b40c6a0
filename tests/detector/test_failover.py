"""Fail-overs: who takes up the work after whom."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from detector.failover import MAX_GAP, SILENCE, failovers
from tests.detector.builders import START

HOURS = timedelta(hours=1)


def spans(**hours: tuple[float, float]) -> dict[str, tuple]:
    """First and last request of each, in hours."""
    return {name: (START + a * HOURS, START + b * HOURS) for name, (a, b) in hours.items()}


def test_a_pool_works_one_account_after_another() -> None:
    """Each start right after another's end is a fail-over from that one, by silence."""
    found = failovers(spans(a=(0, 30), b=(31, 60), c=(62, 200), d=(0, 200)))
    assert [(f.stopped, f.taken_up_by, f.after / HOURS, f.by_people) for f in found] == [
        ("a", "b", 1, False), ("b", "c", 2, False),
    ]  # fmt: skip


def test_what_people_stopped_is_told() -> None:
    """An account that an action holds up is stopped from then on, even though it goes on asking."""
    found = failovers(spans(a=(0, 100), b=(41, 100)), {"a": START + 40 * HOURS, "stranger": START})
    assert [(f.stopped, f.at, f.taken_up_by, f.by_people) for f in found] == [("a", START + 40 * HOURS, "b", True)]


def test_who_works_until_the_end_was_not_stopped() -> None:
    """Accounts silent for less than SILENCE have not stopped; a start later than MAX_GAP takes nothing up."""
    hours = SILENCE / HOURS
    assert not failovers(spans(a=(0, 10), b=(11, 10 + hours - 0.1)))
    assert failovers(spans(a=(0, 10), b=(11, 10 + hours)))
    late = 10 + MAX_GAP / HOURS
    assert failovers(spans(a=(0, 10), b=(late, 100)))
    assert not failovers(spans(a=(0, 10), b=(late + 0.1, 100)))
    assert not failovers({})


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted).map(tuple)
    )
)
def test_each_stop_and_each_start_is_in_one_pair(hours: dict[str, tuple[int, int]]) -> None:
    """Nobody takes over twice or from itself, and never before the stop, whatever the order of the members."""
    work = spans(**hours)
    found = failovers(work)
    assert len({f.stopped for f in found}) == len({f.taken_up_by for f in found}) == len(found)
    assert all(f.stopped != f.taken_up_by and work[f.taken_up_by][0] == f.at + f.after for f in found)
    assert found == failovers(dict(reversed(work.items())))
