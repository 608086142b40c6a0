"""Methods are measured at equal shares of honest accounts flagged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.detection.baselines.measure import ALLOWED, SHIPPED, STRICT, compare, flags, judge, print_comparison

T0 = datetime(2026, 9, 7, tzinfo=UTC)
HONEST = 1000
LABELS = pl.DataFrame(
    [
        *((f"a{i}", "attack", "reasoning", "c1" if i < 2 else "c2", False) for i in range(4)),
        *((f"b{i:04}", "benign", "tutor" if i < 100 else "chat", None, i < 100) for i in range(HONEST)),
    ],
    schema=["account_id", "label", "family", "campaign_id", "lookalike"],
    orient="row",
)
HARVEST = pl.DataFrame(
    [(f"a{i}-{h}", f"a{i}", True, T0 + timedelta(hours=h)) for i in range(4) for h in range(8 if i == 3 else 2)],
    schema=["event_id", "account_id", "harvest", "timestamp"],
    orient="row",
)
CAMPAIGNS = pl.DataFrame({"campaign_id": ["c1", "c2"], "cover": [0.0, 0.5], "accounts": [2, 2], "requests": [20, 501]})
SCORES = LABELS.select(
    "account_id",
    # a0 and a1 above all honest ones; a2 above all but five; a3 above none but the lowest
    pl.Series("good", [2000.0, 1999.0, 994.5, 0.5, *range(HONEST)]),
    pl.Series("constant", [1.0] * (HONEST + 4)),
)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=60),
    st.lists(st.integers(0, 20), max_size=20),
    st.floats(0, 1),
)
def test_no_more_than_the_share_is_flagged(honest: list[int], others: list[int], allowed: float) -> None:
    """At most the allowed share is flagged, no lower score is while a higher is not, and the next lower cut would be too many."""
    scores, is_honest = np.array([*honest, *others], float), np.arange(len(honest) + len(others)) < len(honest)
    flagged = flags(scores, is_honest, allowed)
    spare = int(allowed * len(honest))
    assert flagged[is_honest].sum() <= spare
    assert not flagged.any() or flagged.all() or scores[flagged].min() > scores[~flagged].max()
    if not flagged.all():
        lower = scores >= scores[~flagged].max()
        assert lower[is_honest].sum() > spare


def test_figures_by_hand() -> None:
    """At 1 % a good score catches three accounts, at 0.1 % two; a campaign counts by the harvest that its accounts sent."""
    figures = compare(SCORES, LABELS, HARVEST, CAMPAIGNS)["good"]
    loose, strict = figures.at[str(ALLOWED)], figures.at[str(STRICT)]
    assert (loose.attackers.k, loose.benign.k, loose.lookalikes.k, loose.campaigns.k) == (3, 10, 0, 1)
    assert (strict.attackers.k, strict.benign.k, strict.campaigns.k, strict.campaigns.n) == (2, 1, 1, 2)
    assert figures.auc == pytest.approx((1000 + 1000 + 995 + 1) / 4000)
    assert loose.settings["cover"]["0"].k == 1
    assert loose.settings["cover"]["0.5"].k == 0
    assert {name: rate.n for name, rate in loose.settings["accounts"].items()} == {"2": 2}
    assert list(loose.settings["requests"]) == ["1–20", "over 500"]


def test_look_alikes_are_counted() -> None:
    """A score that finds the look-alikes suspicious flags them and nobody else."""
    scores = LABELS.select("account_id", pl.col("lookalike").cast(pl.Float64).alias("tutor hunter"))
    at = compare(scores.head(54), LABELS)["tutor hunter"].at[str(ALLOWED)]  # the others have no row
    assert (at.benign.k, at.lookalikes.k) == (0, 0)  # 50 tie: more than 1 %
    ranked = scores.with_columns(pl.Series("tutor hunter", range(HONEST + 4, 0, -1)))
    at = compare(ranked, LABELS)["tutor hunter"].at[str(ALLOWED)]
    assert (at.benign.k, at.lookalikes.k, at.lookalikes.n) == (10, 10, 100)


def test_a_score_without_information_catches_nothing() -> None:
    """All the same score: no threshold may be passed, and the ranking is chance."""
    figures = compare(SCORES, LABELS, HARVEST)["constant"]
    assert figures.auc == 0.5
    assert all(at.attackers.k == at.benign.k == 0 and at.settings == {} for at in figures.at.values())


def test_findings_are_also_judged_as_given() -> None:
    """The shipped verdicts stand beside the thresholds on risk."""
    found = LABELS.select(
        "account_id",
        SCORES["good"].alias("risk"),
        pl.when(pl.col("account_id") == "a3").then(pl.lit("flag")).otherwise(pl.lit("clear")).alias("verdict"),
        pl.lit(T0).alias("flagged_at"),
    )
    figures = judge(found, LABELS, HARVEST, CAMPAIGNS)
    assert figures.at[str(ALLOWED)].attackers.k == 3
    assert (figures.at[SHIPPED].attackers.k, figures.at[SHIPPED].benign.k, figures.at[SHIPPED].campaigns.k) == (1, 0, 1)


def test_labels_of_one_side_are_refused() -> None:
    """Without attackers or without honest accounts nothing can be compared."""
    with pytest.raises(ValueError, match="both attackers and honest"):
        compare(SCORES, LABELS.filter(pl.col("label") == "benign"))


def test_the_table_shows_every_method() -> None:
    """One line a method, with both thresholds."""
    console = Console(file=StringIO(), width=110)
    print_comparison(console, compare(SCORES, LABELS, HARVEST))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 % / 0.1 %" in shown
    assert "75.0% / 50.0%" in shown
    assert "constant" in shown
