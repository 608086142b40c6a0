"""Exceptions: an excepted signal does not count in an account's risk, and nothing else changes."""

from __future__ import annotations

import pytest

from detector.assessment import Assessment
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.simulate import PRESETS, simulate


@pytest.fixture(scope="module")
def profiles() -> tuple[Detector, Profiles]:
    """Labelled traffic, profiled."""
    detector = Detector.load()
    events = simulate(PRESETS["smoke"], 4).events
    return detector, detector.profile(detector.features(events))


@pytest.fixture(scope="module")
def plain(profiles: tuple[Detector, Profiles]) -> Assessment:
    """The assessment without exceptions."""
    detector, profile = profiles
    return detector.assess(profile)


def test_an_excepted_signal_counts_no_more(profiles: tuple[Detector, Profiles], plain: Assessment) -> None:
    """The strongest reason of the riskiest account is no reason any more, its score does not rise, others' evidence stays."""
    detector, profile = profiles
    before = next(
        a for a in plain.flagged() if any(e.signal != "campaign" and e.direction == "for" for e in a.evidence)
    )
    signal = next(e.signal for e in before.evidence if e.signal != "campaign" and e.direction == "for")
    after = {a.account_id: a for a in detector.assess(profile, {before.account_id: {signal}}).accounts}
    mine = after[before.account_id]
    assert signal not in {e.signal for e in mine.evidence}
    assert (mine.score or 0) <= (before.score or 0) + 1e-9
    assert (mine.risk, mine.requests) <= (before.risk + 1e-9, before.requests)
    others = [a for a in plain.accounts if a.campaign_id is None and a.account_id != before.account_id]
    assert all(after[a.account_id].evidence == a.evidence for a in others if after[a.account_id].campaign_id is None)


def test_all_signals_excepted_clear_an_account(profiles: tuple[Detector, Profiles], plain: Assessment) -> None:
    """With every reason excepted, membership included, a flagged account is not flagged."""
    detector, profile = profiles
    account = plain.flagged()[0]
    names = {e.signal for e in account.evidence if e.direction == "for"} | {"campaign"}
    for _ in range(5):  # other signals may come forward as the strongest ones go
        mine = next(
            a
            for a in detector.assess(profile, {account.account_id: names}).accounts
            if a.account_id == account.account_id
        )
        if mine.verdict != "flag":
            break
        names |= {e.signal for e in mine.evidence if e.direction == "for"}
    assert mine.verdict != "flag"
    assert mine.risk < account.risk


def test_an_excepted_member_is_in_no_campaign(profiles: tuple[Detector, Profiles], plain: Assessment) -> None:
    """Whose membership does not count is not listed among the members, and has no such reason; the others stay."""
    detector, profile = profiles
    campaign = max(plain.campaigns, key=lambda c: len(c.accounts))
    out, *rest = campaign.accounts
    found = detector.assess(profile, {out: {"campaign"}})
    mine = next(a for a in found.accounts if a.account_id == out)
    assert mine.campaign_id is None
    assert "campaign" not in {e.signal for e in mine.evidence}
    again = next(c for c in found.campaigns if c.campaign_id == campaign.campaign_id)
    assert (again.accounts, set(again.members)) == (rest, set(rest))
