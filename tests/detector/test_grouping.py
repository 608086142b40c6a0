"""Overlapping groups of one worker become one campaign; nobody is in two; the order of the rows decides nothing."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.campaigns import MIN_MEMBERS, Groups
from detector.grouping import SAME_WORKER, _risk_of, _together, _work_of

SCHEMA = {"group": pl.UInt64, "acct": pl.UInt64, "uses": pl.UInt32, "score": pl.Float64}
Row = tuple[int, int, int, float]


def accepted(*rows: Row) -> pl.DataFrame:
    """Accepted memberships: group, acct, uses, score."""
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def group(number: int, accts: range | list[int], score: float = 1.0) -> list[Row]:
    """A group of accounts with equal scores."""
    return [(number, acct, 5, score) for acct in accts]


def campaigns(table: pl.DataFrame) -> dict[int, set[int]]:
    """Accounts of each campaign."""
    return {g: set(a) for g, a in _together(table).group_by("campaign").agg("acct").iter_rows()}


@st.composite
def memberships(draw: st.DrawFn) -> list[Row]:
    """Up to six overlapping groups over twelve accounts."""
    pairs = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 11)), min_size=1, max_size=40, unique=True))
    return [(g, a, draw(st.integers(1, 9)), draw(st.sampled_from([0.5, 1.0, 2.0]))) for g, a in pairs]


def test_two_views_of_one_worker_are_one_campaign() -> None:
    """A smaller group with most members in a campaign brings its others into it; a chain of them ends in the same place."""
    table = accepted(*group(1, range(10)), *group(2, range(5, 12)), *group(3, range(9, 13)))
    assert campaigns(table) == {1: set(range(13))}


def test_separate_groups_stay_apart() -> None:
    """Groups without common members are campaigns of their own, and so are those with few, which keep to the larger one."""
    assert campaigns(accepted(*group(1, range(5)), *group(2, range(5, 9)))) == {1: set(range(5)), 2: set(range(5, 9))}
    overlap = accepted(*group(1, range(6)), *group(2, range(5, 10)))
    assert campaigns(overlap) == {1: set(range(6)), 2: set(range(6, 10))}


def test_the_share_of_the_same_worker_is_a_threshold() -> None:
    """With exactly SAME_WORKER of its members placed a group is another view; with fewer it is not."""
    assert SAME_WORKER == 0.5
    half = accepted(*group(1, range(8)), *group(2, [6, 7, 8, 9]))
    assert campaigns(half) == {1: set(range(10))}
    less = accepted(*group(1, range(8)), *group(2, [7, 8, 9, 10]))
    assert campaigns(less) == {1: set(range(8)), 2: {8, 9, 10}}


def test_too_small_a_rest_is_no_campaign() -> None:
    """Fewer than MIN_MEMBERS accounts are placed nowhere."""
    assert campaigns(accepted(*group(1, range(MIN_MEMBERS - 1)))) == {}
    assert campaigns(accepted(*group(1, range(6)), *group(2, [0, 6, 7]))) == {1: set(range(6))}


def test_an_account_keeps_its_best_score() -> None:
    """Of several memberships the one with the highest score is told, then the one with most uses."""
    table = accepted(*group(1, range(5)), *group(2, range(5), 3.0), (3, 0, 9, 3.0), (3, 1, 1, 3.0), (3, 2, 5, 0.5))
    placed = {a: (c, g, s) for a, c, g, s, _ in _together(table).iter_rows()}
    assert {c for c, _, _ in placed.values()} == {1}
    assert placed[0] == (1, 3, 3.0)
    assert placed[1] == placed[2] == placed[3] == placed[4] == (1, 2, 3.0)


@settings(max_examples=200, deadline=None)
@given(memberships(), st.randoms())
def test_nobody_is_in_two_and_order_does_not_matter(rows: list[Row], dice: object) -> None:
    """Each account is placed at most once, in a campaign of at least MIN_MEMBERS that is one of the groups; shuffled rows give the same."""
    placed = _together(accepted(*rows))
    assert placed["acct"].n_unique() == len(placed)
    assert set(placed["campaign"]) <= {g for g, *_ in rows}
    assert (placed.group_by("campaign").len()["len"] >= MIN_MEMBERS).all()
    members = {(g, a) for g, a, *_ in rows}
    assert all((g, a) in members for a, g in placed.select("acct", "group").iter_rows())
    shuffled = rows[:]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _together(accepted(*shuffled)).sort("acct").equals(placed.sort("acct"))


def test_the_work_of_a_campaign_is_that_of_its_members_in_all_its_groups() -> None:
    """Rows of both groups that members are best placed in become the campaign's, each once, without the rows of those who were not accepted."""
    rows = pl.DataFrame(
        [(g, a, 10 * a + i) for g in (1, 2) for a in (0, 1, 2, 9) for i in (range(2) if g == 1 else range(1, 3))],
        schema={"group": pl.UInt64, "acct": pl.UInt64, "event_key": pl.UInt64},
        orient="row",
    )
    seeds = pl.DataFrame(
        {"group": [1, 2], "kind": [3, 3], "key": [7, 8]},
        schema={"group": pl.UInt64, "kind": pl.UInt8, "key": pl.UInt64},
    )
    placed = _together(accepted(*group(1, range(2), 2.0), *group(1, [2]), *group(2, range(2)), *group(2, [2], 2.0)))
    work = _work_of(Groups.of_rows(rows, seeds), placed)
    assert work.members.sort("acct").rows() == [(1, 0, 3), (1, 1, 3), (1, 2, 3)]
    assert sorted(work.rows["event_key"]) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert set(work.seeds["key"]) == {7, 8}


def test_a_campaign_is_as_risky_as_its_group_is() -> None:
    """Its risk is that of the MIN_MEMBERS-th most suspicious member: one or two alone do not make a campaign."""
    assert _risk_of(pl.Series([0.9, 0.95, 0.3, 0.2, 0.1]).to_numpy()) == 0.3
    assert _risk_of(pl.Series([0.9, 0.4]).to_numpy()) == 0.4
