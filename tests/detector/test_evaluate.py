"""Evaluation: figures on hand-made cases, and no dependence on the order of rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.evaluate import Rate, bootstrap, evaluate, measure

T0 = datetime(2026, 9, 7, tzinfo=UTC)
FOUND = pl.DataFrame(
    [
        ("a1", 0.9, "flag", T0 + timedelta(hours=2)),
        ("a2", 0.8, "flag", T0 + timedelta(hours=1)),
        ("a3", 0.1, "clear", None),
        ("b1", 0.7, "flag", T0),
        ("b2", 0.0, "clear", None),
    ],
    schema={"account_id": pl.String, "risk": pl.Float64, "verdict": pl.String, "flagged_at": pl.Datetime("us", "UTC")},
    orient="row",
)
LABELS = pl.DataFrame(
    [
        ("a1", "attack", "f", "c1", False),
        ("a2", "attack", "f", "c1", False),
        ("a3", "attack", "g", "c2", False),
        ("b1", "benign", "tutor", None, True),
        ("b2", "benign", "chat", None, False),
    ],
    schema=["account_id", "label", "family", "campaign_id", "lookalike"],
    orient="row",
)
HARVEST = pl.DataFrame(
    [(f"{a}{h}", a, True, T0 + timedelta(hours=h)) for a in ("a1", "a2", "a3") for h in range(4)],
    schema=["event_id", "account_id", "harvest", "timestamp"],
    orient="row",
)


def test_figures_by_hand() -> None:
    """One of two campaigns is caught; a1 sent three of four before its flag, a2 two of four, a3 all."""
    metrics = measure(FOUND, LABELS, HARVEST)
    assert (metrics.campaigns.k, metrics.campaigns.n) == (1, 2)
    assert (metrics.attackers.k, metrics.attackers.n) == (2, 3)
    assert (metrics.benign.k, metrics.benign.n, metrics.lookalikes.k, metrics.lookalikes.n) == (1, 2, 1, 1)
    assert metrics.exposure == pytest.approx((5 / 8 + 1) / 2)
    assert metrics.requests_to_detection == 5
    assert metrics.families["f"].rate == 1.0
    assert metrics.kinds["tutor"].k == 1


@settings(deadline=None)  # each example draws two bootstraps: its time is the machine's
@given(st.permutations(range(5)), st.permutations(range(5)), st.permutations(range(12)))
def test_order_of_rows_does_not_matter(found: list[int], labels: list[int], harvest: list[int]) -> None:
    """Shuffled tables give the same metrics."""
    assert measure(FOUND[found], LABELS[labels], HARVEST[harvest]) == measure(FOUND, LABELS, HARVEST)


@given(st.integers(0, 50), st.integers(0, 50))
def test_intervals_hold_their_rate(k: int, more: int) -> None:
    """A Wilson interval contains its rate and stays within 0 and 1."""
    rate = Rate.of(k, k + more)
    assert 0 <= rate.low <= rate.rate <= rate.high + 1e-12 <= 1 + 1e-9


def test_missing_files_and_columns_are_named(tmp_path: Path) -> None:
    """Errors say which file or column is missing and how to make it."""
    with pytest.raises(FileNotFoundError, match="distillwatch audit"):
        evaluate(tmp_path, tmp_path)
    FOUND.write_parquet(tmp_path / "accounts.parquet")
    with pytest.raises(FileNotFoundError, match="labels"):
        evaluate(tmp_path, tmp_path)
    LABELS.drop("label").write_parquet(tmp_path / "labels.parquet")
    with pytest.raises(ValueError, match="label"):
        evaluate(tmp_path, tmp_path)


def test_intervals_of_means_by_hand() -> None:
    """A bootstrap interval holds the figure, is a point where all values agree, and does not depend on their order."""
    assert bootstrap([0.5, 0.5, 0.5], "mean") == (0.5, 0.5)
    assert bootstrap([], "median") is None
    low, high = bootstrap([0.0, 0.2, 0.4, 0.9], "mean") or (1.0, 0.0)
    assert 0.0 <= low < 0.375 < high <= 0.9
    assert bootstrap([0.9, 0.4, 0.0, 0.2], "mean") == (low, high)


def test_campaigns_by_setting() -> None:
    """Where campaigns tell how they hid, the caught ones are counted by each setting."""
    campaigns = pl.DataFrame({"campaign_id": ["c1", "c2"], "cover": [0.5, 0.8], "other": [1, 2]})
    by_setting = measure(FOUND, LABELS, HARVEST, campaigns).settings
    assert {value: (r.k, r.n) for value, r in by_setting["cover"].items()} == {"0.5": (1, 1), "0.8": (0, 1)}
    assert "other" not in by_setting


def test_cover_does_not_count() -> None:
    """Requests of cover are no harvest: neither a campaign's share nor its exposure knows them."""
    cover = HARVEST.with_columns(pl.lit(False).alias("harvest"), pl.col("event_id") + "c")
    both = pl.concat([HARVEST, cover])
    assert measure(FOUND, LABELS, both) == measure(FOUND, LABELS, HARVEST)


def test_half_of_the_harvest_makes_a_catch() -> None:
    """A campaign is caught when the flagged accounts sent half of its harvest, and not with less."""
    labels = pl.DataFrame(
        [("a1", "attack", "f", "c", False), ("a3", "attack", "f", "c", False)], schema=LABELS.schema, orient="row"
    )
    for flagged, expected in ((3, 1), (2, 0)):
        sent = pl.concat([HARVEST.filter(account_id="a1")[:flagged], HARVEST.filter(account_id="a3")[:3]])
        assert measure(FOUND, labels, sent).campaigns.k == expected


def test_columns_that_an_audit_lacks_are_named(tmp_path: Path) -> None:
    """An accounts.parquet that is none is refused by name."""
    LABELS.write_parquet(tmp_path / "labels.parquet")
    FOUND.drop("risk").write_parquet(tmp_path / "accounts.parquet")
    with pytest.raises(ValueError, match="risk"):
        evaluate(tmp_path, tmp_path)


def test_labels_of_another_log_are_refused(tmp_path: Path) -> None:
    """Where no account has a label there is nothing to measure, and 0 % would be read as a result."""
    FOUND.with_columns(pl.col("account_id") + "_of_another_log").write_parquet(tmp_path / "accounts.parquet")
    LABELS.write_parquet(tmp_path / "labels.parquet")
    with pytest.raises(ValueError, match="labels of another log"):
        evaluate(tmp_path, tmp_path)
