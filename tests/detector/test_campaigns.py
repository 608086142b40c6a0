"""Candidate groups: looked at some at a time they are what they are all at once."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from detector.accounts import score_accounts
from detector.campaigns import CandidateGroups, discover
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.simulate import PRESETS, simulate
from detector.ties import group_features


@pytest.fixture(scope="module")
def profiles(detector: Detector) -> Profiles:
    """Labelled traffic, profiled."""
    return detector.profile(detector.features(simulate(PRESETS["smoke"], 4).events))


@pytest.fixture(scope="module")
def found(profiles: Profiles) -> CandidateGroups:
    """Its candidate groups, several of them."""
    groups = discover(profiles)
    assert len(groups) > 3
    return groups


@pytest.mark.parametrize("requests", [1, 100, 10**9])
def test_each_group_has_its_turn_once(found: CandidateGroups, requests: int) -> None:
    """Together the turns have the rows, members and seeds of all groups, and none of a group is in another turn."""
    whole, turns = found.groups(), list(found.in_turn(requests))
    names = [set(turn.members["group"]) for turn in turns]
    assert sum(map(len, names)) == len(set().union(*names)) == len(whole)
    for table, by in (
        ("rows", ["group", "event_key"]),
        ("members", ["group", "acct"]),
        ("seeds", ["group", "kind", "key"]),
    ):
        together = pl.concat(getattr(turn, table) for turn in turns)
        assert together.sort(by).equals(getattr(whole, table).sort(by))
    if requests == 1:
        assert len(turns) == len(whole)


def test_the_features_of_a_group_do_not_depend_on_the_others_of_its_turn(
    detector: Detector, profiles: Profiles, found: CandidateGroups
) -> None:
    """Features of groups looked at by themselves are those of all groups at once."""
    own = score_accounts(profiles, detector.scorer)
    log_odds = pl.DataFrame({"acct": own.view.acct, "log_odds": own.log_odds})
    whole = group_features(found.groups(), profiles, log_odds)
    turns = [group_features(turn, profiles, log_odds) for turn in found.in_turn(1)]
    assert pl.concat(turn.view.acct for turn in turns).equals(whole.view.acct)
    np.testing.assert_allclose(np.vstack([turn.x for turn in turns]), whole.x, rtol=1e-6, atol=1e-9)
