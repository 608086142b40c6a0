"""Flag times: that of the first prefix that passes, as a stream that stops at nothing would have seen it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from detector import flagtime
from detector.accounts import score_accounts
from detector.flagtime import CAMPAIGN_GROWTH, GROWTH, _cuts, account_flag_times, campaign_flag_times
from detector.grouping import place
from detector.parts import MIN_REQUESTS
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.scoring import FLAG_AT
from detector.simulate import PRESETS, simulate

TRUNCATED = 8  # members that stop after their flag
STREAMED = 12  # accounts whose prefixes are all scored one by one


@pytest.fixture(scope="module")
def profiles(detector: Detector) -> Profiles:
    """Labelled traffic, profiled."""
    return detector.profile(detector.features(simulate(PRESETS["smoke"], 4).events))


def test_an_account_is_flagged_at_its_first_prefix_that_passes(detector: Detector, profiles: Profiles) -> None:
    """Prefix by prefix, each account scored alone: the last request of the first that passes tells the time."""
    scorer = detector.scorer
    own = score_accounts(profiles, scorer)
    flagged = scorer.risk(own.log_odds) > FLAG_AT
    times = account_flag_times(profiles, own, flagged, scorer)
    accts = own.view.acct.filter(pl.Series(flagged)).sort().to_list()
    assert times
    assert set(times) <= set(accts)
    longest = int(profiles.sample.filter(pl.col("acct").is_in(accts)).group_by("acct").len()["len"].max())  # type: ignore[arg-type]
    for acct in accts[:STREAMED]:
        rows = profiles.sample.filter(pl.col("acct") == acct).sort("ts", "event_key")
        passed = (
            int(rows["ts"][cut - 1])
            for cut in map(int, _cuts(longest, GROWTH))
            if cut <= len(rows)
            and scorer.risk(score_accounts(Profiles.of_rows(rows.head(cut)), scorer).log_odds)[0] > FLAG_AT
        )
        assert times.get(acct) == next(passed, None)


def test_nothing_is_looked_for_after_a_known_flag(detector: Detector, profiles: Profiles) -> None:
    """Known times leave every earlier one as it is, and drop the others."""
    own = score_accounts(profiles, detector.scorer)
    flagged = detector.scorer.risk(own.log_odds) > FLAG_AT
    times = account_flag_times(profiles, own, flagged, detector.scorer)
    middle = sorted(times.values())[len(times) // 2]
    found = account_flag_times(profiles, own, flagged, detector.scorer, dict.fromkeys(times, middle))
    assert found == {acct: at for acct, at in times.items() if at < middle}
    first = int(profiles.sample["ts"].min())  # type: ignore[arg-type]
    assert account_flag_times(profiles, own, flagged, detector.scorer, dict.fromkeys(times, first + 1)) == {}


@pytest.mark.parametrize("growth", [GROWTH, CAMPAIGN_GROWTH])
def test_checkpoints_do_not_depend_on_who_sent_most(growth: float) -> None:
    """Of a shorter history the checkpoints are the first of a longer one's, none of them beyond its end."""
    longest = _cuts(20_000, growth)
    assert longest[0] == MIN_REQUESTS
    for size in (1, MIN_REQUESTS - 1, MIN_REQUESTS, MIN_REQUESTS + 1, 97, 5_000, 20_000):
        assert _cuts(size, growth).tolist() == [cut for cut in longest.tolist() if cut <= size]


def test_members_are_flagged_between_their_campaigns_first_and_last_request(
    detector: Detector, profiles: Profiles
) -> None:
    """Every flagged member has a time, no earlier than its own first request and no later than its campaign's last."""
    scorer = detector.scorer
    own = score_accounts(profiles, scorer)
    placement = place(profiles, own, scorer)
    assert placement is not None
    risk = pl.Series(scorer.risk(placement.placed["score"].to_numpy()))
    flagged = placement.placed.filter(risk > FLAG_AT)
    times = campaign_flag_times(placement.work, flagged, profiles, own, scorer)
    assert set(times) == set(flagged["acct"])
    last = dict(placement.work.rows.group_by("group").agg(pl.col("ts").max()).iter_rows())
    first = dict(profiles.sample.group_by("acct").agg(pl.col("ts").min()).iter_rows())
    for acct, campaign in flagged.select("acct", "campaign").iter_rows():
        assert first[acct] <= times[acct] <= last[campaign]


def test_what_a_member_sends_after_its_flag_tells_nothing_of_its_time(
    detector: Detector, profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream knew only what had come: a member that joins, and sends nothing after its flag, is flagged at the same time."""
    joined: list[dict[int, int]] = []  # accounts that passed at a use: the others have the time of their last
    found = flagtime._joined
    monkeypatch.setattr(flagtime, "_joined", lambda *given: joined.append(found(*given)) or joined[-1])
    scorer = detector.scorer
    own = score_accounts(profiles, scorer)
    placement = place(profiles, own, scorer)
    assert placement is not None
    flagged = placement.placed.filter(pl.Series(scorer.risk(placement.placed["score"].to_numpy()) > FLAG_AT))
    work = placement.work
    times = campaign_flag_times(work, flagged, profiles, own, scorer)
    last = dict(work.rows.group_by("acct").agg(pl.col("ts").max()).iter_rows())
    early = sorted(acct for acct, at in joined[0].items() if at < last[acct])[:TRUNCATED]
    assert early
    for acct in early:
        assert times[acct] == joined[0][acct]
        come = (pl.col("acct") != acct) | (pl.col("ts") <= times[acct])
        campaign_flag_times(
            replace(work, rows=work.rows.filter(come)),
            flagged,
            replace(profiles, sample=profiles.sample.filter(come)),
            own,
            scorer,
        )
        assert joined[-1].get(acct) == times[acct]


def test_times_do_not_depend_on_how_many_who_join_are_looked_at_together(
    detector: Detector, profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One stage of a campaign at a time, or all of them together: the same time for everyone."""
    own = score_accounts(profiles, detector.scorer)
    placement = place(profiles, own, detector.scorer)
    assert placement is not None
    risk = pl.Series(detector.scorer.risk(placement.placed["score"].to_numpy()))
    flagged = placement.placed.filter(risk > FLAG_AT)
    turns: list[int] = []
    in_turn = flagtime._in_turn
    monkeypatch.setattr(
        flagtime, "_in_turn", lambda moments: turns.append(len(list(in_turn(moments)))) or in_turn(moments)
    )
    found = []
    for at_once in (1, 10**9):
        monkeypatch.setattr(flagtime, "JOINED_AT_ONCE", at_once)
        found.append(campaign_flag_times(placement.work, flagged, profiles, own, detector.scorer))
    assert found[0] == found[1]
    assert max(turns) > 1
    assert turns[-1] == 1
