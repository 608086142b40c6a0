"""Ties of groups: what is computed for all groups at once is what a plain loop gives, and surprise is surprise."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.campaigns import MIN_MEMBERS
from detector.features import EMBEDDING_SCALE
from detector.movement import co_movement, co_movements
from detector.profiles import KIND, Profiles
from detector.tie_words import chance
from detector.ties import (
    MAX_BITS,
    MEMBER_ROWS,
    MIN_SHARED,
    TYPICAL_ICC,
    _intraclass,
    _shared,
)

DIMENSION = 8
HOUR = 3_600_000_000


def rows_of(sizes: list[list[int]], rng: np.random.Generator, spread: float = 1.0) -> pl.DataFrame:
    """Requests of groups with accounts of these sizes: different prompts, embeddings around a mean of the account."""
    parts = []
    for group, accounts in enumerate(sizes):
        for acct, size in enumerate(accounts):
            centre = rng.normal(size=DIMENSION) * spread
            codes = np.clip(np.rint((centre + rng.normal(size=(size, DIMENSION))) * 20), -127, 127).astype(np.int8)
            parts.append(
                pl.DataFrame(
                    {
                        "group": pl.Series([group] * size, dtype=pl.UInt64),
                        "acct": pl.Series([acct] * size, dtype=pl.UInt64),
                        "prompt": pl.Series(rng.integers(1, 2**60, size), dtype=pl.UInt64),
                        "event_key": pl.Series(rng.integers(1, 2**60, size), dtype=pl.UInt64),
                        "cluster": pl.Series([0] * size, dtype=pl.Int32),
                        "embedding": pl.Series(codes, dtype=pl.Array(pl.Int8, DIMENSION)),
                    }
                )
            )
    return pl.concat(parts)


def vectors(rows: pl.DataFrame, group: int) -> list[np.ndarray]:
    """Embeddings of each account of a group."""
    mine = rows.filter(pl.col("group") == group).sort("acct")
    return [
        t["embedding"].to_numpy().astype(float) / EMBEDDING_SCALE
        for t in mine.partition_by("acct", maintain_order=True)
    ]


def plain_icc(accounts: list[np.ndarray]) -> float:
    """ICC(1) of a one-way random effects model (Shrout & Fleiss 1979) from sums of squares, one account at a time."""
    k, n = len(accounts), np.array([len(a) for a in accounts], float)
    count = n.sum()
    mean = np.vstack(accounts).mean(axis=0)
    between = sum(len(a) * ((a.mean(axis=0) - mean) ** 2).sum() for a in accounts) / (k - 1)
    within = sum(((a - a.mean(axis=0)) ** 2).sum() for a in accounts) / (count - k)
    n0 = (count - (n**2).sum() / count) / (k - 1)
    return float((between - within) / (between + (n0 - 1) * within))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(2, MEMBER_ROWS), min_size=MIN_MEMBERS, max_size=6), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
    st.floats(0, 2),
)
def test_the_intraclass_correlation_is_that_of_a_plain_loop(sizes: list[list[int]], seed: int, spread: float) -> None:
    """For groups of any sizes, and in any order of the rows."""
    rng = np.random.default_rng(seed)
    rows = rows_of(sizes, rng, spread)
    icc, _ = _intraclass(rows.sample(fraction=1.0, shuffle=True, seed=seed % 2**31))
    got = dict(icc.iter_rows())
    assert set(got) == set(range(len(sizes)))
    for group in range(len(sizes)):
        assert got[group] == pytest.approx(plain_icc(vectors(rows, group)), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, MEMBER_ROWS), min_size=2, max_size=6), st.integers(0, 2**32 - 1))
def test_likeness_is_the_cosine_with_the_mean_of_the_others(sizes: list[int], seed: int) -> None:
    """Of each member, computed one at a time."""
    rows = rows_of([sizes], np.random.default_rng(seed))
    _, likeness = _intraclass(rows)
    accounts = vectors(rows, 0)
    for acct, value in likeness.select("acct", "likeness").iter_rows():
        own = accounts[acct].sum(axis=0)
        others = sum(a.sum(axis=0) for i, a in enumerate(accounts) if i != acct)
        assert value == pytest.approx(own @ others / np.linalg.norm(own) / np.linalg.norm(others), abs=1e-4)


def test_one_work_queue_has_no_intraclass_correlation() -> None:
    """Accounts that draw from one source are exchangeable; accounts with subjects of their own are not."""
    sizes = [[20] * 8]
    queue, _ = _intraclass(rows_of(sizes, np.random.default_rng(1), spread=0.0))
    users, _ = _intraclass(rows_of(sizes, np.random.default_rng(1), spread=1.0))
    assert abs(queue["icc"][0]) < TYPICAL_ICC / 2
    assert users["icc"][0] > 4 * TYPICAL_ICC


def test_too_few_prompts_say_nothing() -> None:
    """Below two prompts a member, or MIN_MEMBERS members, the correlation is that of unrelated accounts."""
    icc, _ = _intraclass(rows_of([[1, 1, 2], [9] * (MIN_MEMBERS - 1)], np.random.default_rng(2)))
    assert icc["icc"].to_list() == [TYPICAL_ICC, TYPICAL_ICC]
    none, likeness = _intraclass(
        rows_of([[3, 3, 3]], np.random.default_rng(2)).with_columns(pl.lit(-1).alias("cluster"))
    )
    assert len(none) == len(likeness) == 0


def bits(members: int, sharing: int, outside: int, accounts: int) -> tuple[int, float]:
    """How many share, and the surprise, of a group of ``members`` where ``sharing`` have one payment method, as ``outside`` others do."""
    names = pl.Series(range(accounts), dtype=pl.UInt64)
    having = [*range(sharing), *range(members, members + outside)]
    one = {"acct": pl.Series(having, dtype=pl.UInt64), "key": pl.Series([7] * len(having), dtype=pl.UInt64)}
    objects = pl.DataFrame(one).with_columns(
        pl.lit(0, pl.Int32).alias("day"),
        pl.lit(KIND["payment"], pl.UInt8).alias("kind"),
        *(pl.lit(1, pl.Int64).alias(c) for c in ("n", "first", "last")),
    )
    profiles = Profiles(pl.DataFrame({"acct": names}), pl.DataFrame(), objects, pl.DataFrame())
    group = pl.DataFrame({"group": pl.Series([1] * members, dtype=pl.UInt64), "acct": names[:members]})
    found = _shared(group, profiles, "payment")
    return (int(found["payment_shared"][0]), float(found["payment_bits"][0])) if len(found) else (0, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 20), st.integers(0, 60), st.data())
def test_surprise_grows_with_those_who_share_and_falls_with_others_who_do(
    members: int, outside: int, data: st.DataObject
) -> None:
    """One member more that shares an object surprises no less; one stranger more that has it no more."""
    sharing = data.draw(st.integers(2, members - 1))
    _, now = bits(members, sharing, outside, 200)
    assert 0 <= now <= MAX_BITS
    assert bits(members, sharing + 1, outside, 200)[1] >= now
    assert bits(members, sharing, outside + 1, 200)[1] <= now + 1e-9


def test_surprise_is_that_of_the_binomial_tail() -> None:
    """Three of three accounts with one payment method that no other of a thousand has: 1000 to the third in bits."""
    sharing, surprise = bits(3, 3, 0, 1000)
    assert sharing == 3
    assert surprise == pytest.approx(3 * np.log2(1000))


def test_what_few_members_share_is_no_tie() -> None:
    """One account alone, or less than a fifth of the members, ties nobody."""
    assert bits(10, 1, 0, 1000) == (0, 0.0)
    assert bits(20, round(20 * MIN_SHARED) - 1, 0, 1000) == (0, 0.0)
    assert bits(20, round(20 * MIN_SHARED), 0, 1000)[0] == 4


def hours(active: list[list[int]]) -> pl.DataFrame:
    """Requests of accounts of one group at these hours."""
    pairs = [(acct, hour) for acct, mine in enumerate(active) for hour in mine]
    return pl.DataFrame(
        {
            "group": pl.Series([1] * len(pairs), dtype=pl.UInt64),
            "acct": pl.Series([a for a, _ in pairs], dtype=pl.UInt64),
            "ts": pl.Series([h * HOUR for _, h in pairs], dtype=pl.Int64),
        }
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=2, max_size=6))
def test_movement_is_the_mean_cosine_of_pairs(active: list[list[int]]) -> None:
    """Of the roots of hourly counts, pair by pair; it is the same for a whole log."""
    roots = [np.sqrt(np.bincount(mine, minlength=10)) for mine in active]
    unit = [r / np.linalg.norm(r) for r in roots]
    pairs = [float(a @ b) for i, a in enumerate(unit) for b in unit[:i]]
    assert co_movements(hours(active))["movement"][0] == pytest.approx(np.mean(pairs))
    assert co_movement(hours(active)) == pytest.approx(np.mean(pairs))


def test_the_same_hours_are_one_and_other_hours_nothing() -> None:
    """Accounts active together move together; accounts that never meet do not."""
    assert co_movement(hours([[1, 2, 2], [2, 2, 1], [1, 2, 2]])) == pytest.approx(1.0)
    assert co_movement(hours([[1, 2], [3, 4], [5]])) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("bits", "words"),
    [(3.0, "1 in 8"), (10.0, "1 in 1,000"), (19.9, "1 in 980,000"), (20.0, "less than 1 in a million")],
)
def test_chances_are_told_in_words(bits: float, words: str) -> None:
    """Two figures of a chance, and beyond a million no more of them."""
    assert chance(bits) == words
