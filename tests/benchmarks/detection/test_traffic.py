"""Labelled traffic of accounts that have only begun."""

from __future__ import annotations

from collections import Counter

from benchmarks.detection.traffic import just_begun
from detector.simulate import PRESETS, simulate


def test_half_of_the_accounts_keep_their_first_requests_only() -> None:
    """Nobody is left out; who is cut keeps the first requests in order; labels of requests that are gone are gone as well."""
    whole = simulate(PRESETS["smoke"], 4)
    begun = just_begun(whole, 7)
    sent = {a: [e.event_id for e in whole.events if e.account_id == a] for a in {e.account_id for e in whole.events}}
    left = Counter(e.account_id for e in begun.events)
    assert {e.event_id for e in begun.events} == {e for a, ids in sent.items() for e in ids[: left[a]]}
    assert all(left[a] >= min(len(ids), 2) for a, ids in sent.items())
    assert 2 in {left[a] for a, ids in sent.items() if len(ids) > 2}
    cut = [a for a, ids in sent.items() if left[a] < len(ids)]
    assert 0.3 < len(cut) / sum(len(ids) > 1 for ids in sent.values()) < 0.6
    kept = {e.event_id for e in begun.events}
    assert set(begun.harvest["event_id"]) == set(whole.harvest["event_id"]) & kept
    assert begun.accounts.equals(whole.accounts)
    assert [e.event_id for e in just_begun(whole, 7).events] == [e.event_id for e in begun.events]
