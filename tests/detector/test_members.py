"""Features of members: what an account uses of the group's objects is counted, and measured against all that it does."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from detector.accounts import UNKNOWN
from detector.campaigns import Groups
from detector.event import Event
from detector.members import FEATURES, _keys, member_features
from detector.pieces import hash64
from detector.pipeline import Detector
from detector.profiles import KIND, Profiles
from detector.ties import UNKNOWN_MEMBER, group_features
from tests.detector.builders import event

FRAMES = ("Write the full derivation in numbered steps please.", "State the final answer on a line of its own.")
SYSTEM = "You solve tasks of a school book."
USES = {"a": ((0, 1), 6, 0), "b": ((0,), 4, 4), "c": ((0, 1), 8, 2)}  # frames, framed requests, ordinary ones


def log() -> list[Event]:
    """Three accounts that use the frames to a different extent, with traffic of their own beside it; d uses none."""
    events: list[Event] = []
    for who, (frames, framed, ordinary) in USES.items():
        for i in range(framed):
            text = " ".join([*(FRAMES[f] for f in frames), f"task {who}{'x' * i}"])
            events.append(event(len(events), who, 7 * len(events), (text,), system=SYSTEM if who == "a" else None))
        for i in range(ordinary):
            events.append(event(len(events), who, 7 * len(events), (f"chat {who}{'y' * i}",)))
    return events + [event(90 + i, "d", i, (f"else {'z' * i}",)) for i in range(5)]


@pytest.fixture(scope="module")
def profiles(detector: Detector) -> Profiles:
    """Its profile."""
    return detector.profile(detector.features(log()))


def groups_of(profiles: Profiles, copies: int = 1) -> Groups:
    """The requests that carry a frame, as one group, or as several over the same rows."""
    framed = profiles.sample.filter(pl.col("pieces").list.eval(pl.element() % 2 == 0).list.any())
    keys = framed.select("acct", pl.col("pieces").alias("key")).explode("key")
    shared = keys.unique().group_by("key").len().filter(pl.col("len") >= 2)["key"]
    seeds = [(KIND["piece"], key) for key in shared] + [(KIND["system"], hash64(SYSTEM))]
    groups = pl.DataFrame({"group": pl.Series(range(1, copies + 1), dtype=pl.UInt64)})
    rows = framed.join(groups, how="cross")
    schema = {"kind": pl.UInt8, "key": pl.UInt64}
    return Groups.of_rows(rows, groups.join(pl.DataFrame(seeds, schema=schema, orient="row"), how="cross"))


def features_of(
    profiles: Profiles, groups: Groups, log_odds: dict[str, float] | None = None
) -> dict[tuple[int, str], dict[str, float]]:
    """Each membership's features by name."""
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    accts = {n: a for a, n in names.items()}
    own = pl.DataFrame(
        [(accts[n], v) for n, v in (log_odds or {}).items()],
        schema={"acct": pl.UInt64, "log_odds": pl.Float64},
        orient="row",
    )
    found = group_features(groups, profiles, own)
    campaign = found.table.select("group", pl.lit(1.5).alias("campaign_log_odds"))
    table, x = member_features(groups, found, campaign, profiles.totals, own)
    assert x.shape == (len(table), len(FEATURES))
    assert np.isfinite(x).all()
    keys = zip(table["group"], table["acct"], strict=True)
    return {(g, names[a]): dict(zip(FEATURES, row, strict=True)) for (g, a), row in zip(keys, x.tolist(), strict=True)}


def test_keys_and_hits_are_counted(profiles: Profiles) -> None:
    """``keys`` counts different objects of the group that an account uses, ``hits`` each time that it uses one."""
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    found = {names[a]: (k, h) for a, k, h in _keys(groups_of(profiles)).select("acct", "keys", "hits").iter_rows()}
    assert found == {
        "a": (3, 6 * 3),  # both frames and the system prompt, in each of six requests
        "b": (1, 4),
        "c": (2, 8 * 2),
    }


def test_a_sharer_of_no_object_has_no_keys(profiles: Profiles) -> None:
    """A group's objects are its own: seeds of another group count nothing."""
    groups = groups_of(profiles)
    other = Groups(groups.members, groups.rows, groups.seeds.with_columns((pl.col("group") + 1).alias("group")))
    assert len(_keys(other)) == 0
    assert all(f["keys"] == f["relative_keys"] == 0 for f in features_of(profiles, other).values())


def test_shares_are_of_all_that_an_account_sent(profiles: Profiles) -> None:
    """``share`` and ``share_of_all`` are the shared requests over all requests; uses are counted by account."""
    found = features_of(profiles, groups_of(profiles))
    assert set(found) == {(1, who) for who in USES}
    for who, (_, framed, ordinary) in USES.items():
        mine = found[1, who]
        assert mine["share"] == mine["share_of_all"] == pytest.approx(framed / (framed + ordinary))
        assert np.exp(mine["log_uses"]) == pytest.approx(framed)
        assert np.exp(mine["log_requests"]) == pytest.approx(framed + ordinary)
        assert np.exp(mine["relative_uses"]) == pytest.approx(framed / np.mean([f for _, f, _ in USES.values()]))


def test_a_request_in_several_groups_is_shared_once(profiles: Profiles) -> None:
    """``share_of_all`` is of the union of all groups: two views of the same work do not double it."""
    once, twice = features_of(profiles, groups_of(profiles)), features_of(profiles, groups_of(profiles, copies=2))
    assert len(twice) == 2 * len(once)
    for (_, who), mine in twice.items():
        assert mine["share_of_all"] == pytest.approx(once[1, who]["share_of_all"])


def test_work_in_another_group_counts_for_all_of_them(profiles: Profiles) -> None:
    """Where two groups hold different requests of an account, ``share`` is of the one and ``share_of_all`` of both."""
    both = groups_of(profiles, copies=2)
    half = (pl.col("event_key").rank("ordinal").over("group", "acct") % 2) == (pl.col("group") % 2).cast(pl.UInt32)
    rows = both.rows.filter(half)
    split = Groups.of_rows(rows, both.seeds)
    found = features_of(profiles, split)
    for who, (_, framed, ordinary) in USES.items():
        assert found[1, who]["share"] + found[2, who]["share"] == pytest.approx(framed / (framed + ordinary))
        assert found[1, who]["share_of_all"] == pytest.approx(framed / (framed + ordinary))


def test_accounts_of_which_nothing_is_known_count_alike(profiles: Profiles) -> None:
    """Own log-odds below UNKNOWN_MEMBER, or none, are UNKNOWN_MEMBER; others are kept."""
    found = features_of(profiles, groups_of(profiles), {"a": 2.5, "b": UNKNOWN})
    assert {who: f["account_log_odds"] for (_, who), f in found.items()} == {
        "a": 2.5,
        "b": UNKNOWN_MEMBER,
        "c": UNKNOWN_MEMBER,
    }
