"""People's word on groups: it holds, whatever the order; twice is once; taken away it leaves no trace."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.accounts import AccountScores, score_accounts
from detector.campaigns import MIN_MEMBERS
from detector.grouping import Placement, campaign_name, place
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.regrouping import Constraint, regroup
from detector.simulate import PRESETS, simulate

ACCOUNTS = [f"acct_{n:02d}" for n in range(12)]


def join(number: int, *accounts: str) -> Constraint:
    """These belong together."""
    return Constraint(number=number, together=True, sides=(frozenset(accounts),))


def split(number: int, *sides: str) -> Constraint:
    """The letters of each side are accounts that belong not with the others."""
    return Constraint(number=number, together=False, sides=tuple(frozenset(side) for side in sides))


def groups(campaign_of: dict[str, str]) -> set[frozenset[str]]:
    """Who is with whom, whatever it is called."""
    return {frozenset(a for a, c in campaign_of.items() if c == name) for name in campaign_of.values()}


@st.composite
def constraints(draw: st.DrawFn) -> list[Constraint]:
    """Up to six words on any accounts, of which some are in no campaign."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        named = draw(st.lists(st.sampled_from([*ACCOUNTS, "gone"]), min_size=2, max_size=8, unique=True))
        cut = draw(st.integers(1, len(named) - 1))
        together = draw(st.booleans())
        sides = (named,) if together else (named[:cut], named[cut:])
        found.append(Constraint(number=number, together=together, sides=tuple(map(frozenset, sides))))
    return found


placements = st.fixed_dictionaries({}, optional=dict.fromkeys(ACCOUNTS, st.sampled_from(["c1", "c2", "c3", "c4"])))


@settings(max_examples=150, deadline=None)
@given(placements, constraints(), st.randoms())
def test_neither_order_nor_repetition_matters(
    campaign_of: dict[str, str], words: list[Constraint], dice: Random
) -> None:
    """Any order of the constraints and of the accounts gives the same, and so does applying all of them again."""
    once = regroup(campaign_of, words)
    shuffled, accounts = words[:], list(campaign_of)
    dice.shuffle(shuffled)
    dice.shuffle(accounts)
    assert regroup({a: campaign_of[a] for a in accounts}, shuffled) == once
    assert regroup(once, words) == once
    assert once.keys() == campaign_of.keys()


@settings(max_examples=150, deadline=None)
@given(placements, constraints())
def test_the_last_word_holds(campaign_of: dict[str, str], words: list[Constraint]) -> None:
    """Whom the newest joined are together, whom it split are apart, whatever was said before; without a word nothing moves."""
    assert regroup(campaign_of, []) == campaign_of
    found = regroup(campaign_of, words)
    if not words:
        return
    homes = [{found[a] for a in side & found.keys()} for side in words[-1].sides]
    if words[-1].together:
        assert len(homes[0]) <= 1
    else:
        assert not homes[0] & homes[1]


@settings(max_examples=150, deadline=None)
@given(placements, constraints())
def test_campaigns_of_which_nobody_spoke_stay(campaign_of: dict[str, str], words: list[Constraint]) -> None:
    """A campaign without any named account is as it was found."""
    named = {a for w in words for side in w.sides for a in side}
    found = regroup(campaign_of, words)
    for name in set(campaign_of.values()):
        members = {a for a, c in campaign_of.items() if c == name}
        if not members & named:
            assert members == {a for a, c in campaign_of.items() if found[a] == name and c == name}
            assert {found[a] for a in members} == {name}


def of(**campaigns: str) -> dict[str, str]:
    """Accounts, a letter each, by campaign."""
    return {a: name for name, accounts in campaigns.items() for a in accounts}


def test_the_largest_part_keeps_the_name_and_the_newcomers() -> None:
    """A new account of a campaign that was split stays with the largest part, which keeps the name."""
    found = regroup(of(c1="abcdez"), [split(1, "ab", "cde")])
    assert groups(found) == {frozenset("ab"), frozenset("cdez")}
    assert found["c"] == "c1" != found["a"]


def test_newcomers_follow_their_group() -> None:
    """Of campaigns that were joined, a new account of either comes along; one stray member does not draw its new campaign along."""
    assert groups(regroup(of(c1="abcx", c2="defy"), [join(1, *"abcdef")])) == {frozenset("abcxdefy")}
    assert groups(regroup(of(c1="abc", c2="de", c3="fuvw"), [join(1, *"abcdef")])) == {
        frozenset("abcdef"), frozenset("uvw"),
    }  # fmt: skip


def test_a_word_that_is_taken_back_leaves_no_trace() -> None:
    """With the later split undone the earlier joining holds again, also for what was named by the split."""
    found, joining, splitting = of(c1="abc", c2="def"), join(1, *"abcdef"), split(2, "ab", "cdef")
    assert groups(regroup(found, [joining, splitting])) == {frozenset("ab"), frozenset("cdef")}
    assert groups(regroup(found, [joining])) == {frozenset("abcdef")}
    assert regroup(found, []) == found


class Found(NamedTuple):
    """Labelled traffic of two harvesters, and the campaigns that are found in it."""

    detector: Detector
    profiles: Profiles
    scores: AccountScores
    placed: dict[str, str]

    def place(self, *words: Constraint) -> Placement:
        """The places of accounts, as people want them."""
        placement = place(self.profiles, self.scores, self.detector.scorer, constraints=words)
        assert placement is not None
        return placement

    def names(self, placement: Placement) -> dict[str, str]:
        """The campaign of each account."""
        names = dict(self.profiles.accounts.select("acct", "account_id").iter_rows())
        return {names[a]: campaign_name(c) for a, c in placement.placed.select("acct", "campaign").iter_rows()}


@pytest.fixture(scope="module")
def found() -> Found:
    """Profiled once."""
    detector = Detector.load()
    events = [e for seed in (1, 2) for e in simulate(PRESETS["smoke"], seed).events]
    profiles = detector.profile(detector.features(events))
    scores = score_accounts(profiles, detector.scorer)
    plain = Found(detector, profiles, scores, {})
    return plain._replace(placed=plain.names(plain.place()))


def largest(placed: dict[str, str]) -> list[frozenset[str]]:
    """Campaigns by size."""
    return sorted(groups(placed), key=lambda g: (-len(g), sorted(g)))


def test_what_people_joined_is_one_campaign(found: Found) -> None:
    """Two campaigns that people joined are one with the work of both; split again by a later word they are as before."""
    one, other = largest(found.placed)[:2]
    both = join(1, *one, *other)
    merged = found.place(both)
    assert groups(found.names(merged)) == groups(found.placed) - {one, other} | {one | other}
    work = found.place().work.rows["event_key"]
    assert set(merged.work.rows["event_key"]) == set(work)
    assert merged.work.rows["group"].n_unique() == len(groups(found.placed)) - 1
    apart = Constraint(number=2, together=False, sides=(one, other))
    assert groups(found.names(found.place(apart, both))) == groups(found.placed)


def test_what_is_split_off_must_be_tied_by_itself(found: Found) -> None:
    """Whoever is left with too few to be a campaign is in none; the rest stays one, on its own work."""
    campaign = sorted(largest(found.placed)[0])
    few, rest = campaign[: MIN_MEMBERS - 1], campaign[MIN_MEMBERS - 1 :]
    after = found.place(Constraint(number=1, together=False, sides=(frozenset(few), frozenset(rest))))
    placed = found.names(after)
    assert frozenset(rest) in groups(placed)
    assert not placed.keys() & set(few)
