"""Features of a group's members: does this account work for the group, or does it only share something with it?

No guilt by association: in a group that was found by a sentence, who used it once among ordinary conversations is a
bystander. What tells them apart is how much of the account is the shared work, how many of the group's objects it uses, how
like the others' its part is, what signals that part shows, and how the account looks by itself.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from detector.campaigns import Groups, slice_view
from detector.intent import CLASSES
from detector.profiles import KIND
from detector.signals import SIGNALS, evaluate
from detector.ties import SEED_KINDS, UNKNOWN_MEMBER, GroupTies, known_by

SIGNS = {  # feature -> sign of its influence; 0 is free
    "campaign_log_odds": 1,
    "account_log_odds": 1,
    "log_uses": 0,
    "share": 0,
    "share_of_all": 1,
    "relative_uses": 0,
    "relative_keys": 1,
    "keys": 0,
    "relative_hits": 0,
    "log_members": 0,
    "slice_share": 0,
    "log_group_requests": 0,
    "log_requests_per_member": 0,
    "member_log_odds": 0,
    "likeness": 1,
    "log_requests": 0,
    "one_organization": -1,
    "exchangeable": 0,
    "alone": 0,
    "distinct": 0,
    "logprobs": 0,
    "log_chars": 0,
    **{f"intent_{c}": (-1 if c == "ordinary" else 0) for c in CLASSES},
    **dict.fromkeys((f"by_{k}" for k in SEED_KINDS), 0),
    **{s.name: 1 if s.direction == "for" else -1 for s in SIGNALS},
}
FEATURES = tuple(SIGNS)
"""Inputs of the member model."""

OF_GROUP = (
    "log_members",
    "slice_share",
    "log_requests_per_member",
    "member_log_odds",
    "one_organization",
    "exchangeable",
)
"""Features of the whole group that stand beside a member's own."""


def member_features(
    groups: Groups,
    features: GroupTies,
    campaign_log_odds: pl.DataFrame,
    totals: pl.DataFrame,
    log_odds: pl.DataFrame,
) -> tuple[pl.DataFrame, np.ndarray]:
    """Memberships (group, acct, uses, ...) and their features, float64 of shape (memberships, len(FEATURES)).

    ``campaign_log_odds`` (group, campaign_log_odds) of the groups, ``log_odds`` (acct, log_odds) of the
    accounts, ``totals`` (acct, n) all that each has sent. Where these are by group and account, each group is seen at a time of
    its own: of what an account shares only that with the one group counts.
    """
    own = groups.rows.group_by("group", "acct").agg(
        ((pl.col("user_turns") <= 1) & (pl.col("tool_turns") == 0)).mean().alias("alone"),
        (pl.col("prompt").n_unique() / pl.len()).alias("distinct"),
        (pl.col("logprobs") > 0).mean().alias("logprobs"),
        pl.col("prompt_chars").cast(pl.Float64).log1p().mean().alias("log_chars"),
        *((pl.col(f"intent_{c}").cast(pl.Float64).mean() / 1000).alias(f"intent_{c}") for c in CLASSES),
    )
    by = ["group", "acct"]
    kinds, known = [f"by_{k}" for k in SEED_KINDS], known_by(totals)
    table = (
        groups.members.join(_keys(groups), on=by, how="left", maintain_order="left")
        .join(own, on=by, how="left", maintain_order="left")
        .join(features.likeness, on=by, how="left", maintain_order="left")
        .join(totals.select(*known, "n"), on=known, how="left", maintain_order="left")
        .join(log_odds.rename({"log_odds": "account_log_odds"}), on=known, how="left", maintain_order="left")
        .join(campaign_log_odds, on="group", how="left", maintain_order="left")
        .join(
            features.table.select("group", pl.col("log_requests").alias("log_group_requests"), *OF_GROUP, *kinds),
            on="group",
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("account_log_odds").fill_null(UNKNOWN_MEMBER).clip(UNKNOWN_MEMBER))
        .fill_null(0)
    )
    shared = groups.rows.group_by(known).agg(pl.col("event_key").n_unique().alias("shared"))  # with any of the groups
    table = table.join(shared, on=known, how="left", maintain_order="left")
    hits = pl.col("hits") / pl.col("uses")
    table = table.with_columns(
        pl.col("uses").log().alias("log_uses"),
        (pl.col("uses") / pl.col("n")).alias("share"),
        (pl.col("shared") / pl.col("n")).alias("share_of_all"),
        (pl.col("uses") / pl.col("uses").mean().over("group")).log().alias("relative_uses"),
        (pl.col("keys") / pl.col("keys").mean().over("group").clip(0.1)).alias("relative_keys"),
        (hits / hits.mean().over("group").clip(0.1)).alias("relative_hits"),
        pl.col("n").log().alias("log_requests"),
    )
    table = table.join(_signals(groups.rows), on=by, how="left", maintain_order="left").fill_null(0)
    return table, table.select(pl.col(f).cast(pl.Float64) for f in FEATURES).to_numpy()


def _signals(rows: pl.DataFrame) -> pl.DataFrame:
    """Per membership the signals of what the account sent for the group."""
    key = pl.struct("group", "acct").hash(3)
    view = slice_view(rows.with_columns(key.alias("group")))
    names = rows.select("group", "acct").unique().with_columns(key.alias("member"))
    values = pl.DataFrame(evaluate(view), schema=[s.name for s in SIGNALS])
    found = pl.DataFrame({"member": view.acct}).hstack(values).join(names, on="member")
    return found.drop("member")


def _keys(groups: Groups) -> pl.DataFrame:
    """Per membership: how many of the group's objects the account uses (``keys``), and how often (``hits``)."""
    found = []
    for kind, column in (
        ("piece", "pieces"),
        ("system", "system"),
        ("state", "state"),
        ("state", "parent"),
        ("settings", "settings"),
    ):
        seeds = groups.seeds.filter(pl.col("kind") == KIND[kind]).select("group", "key")
        rows = groups.rows.select("group", "acct", pl.col(column).alias("key"))
        rows = rows.explode("key") if kind == "piece" else rows
        found.append(rows.join(seeds, on=["group", "key"]).select("group", "acct", "key"))
    return (
        pl.concat(found).group_by("group", "acct").agg(pl.col("key").n_unique().alias("keys"), pl.len().alias("hits"))
    )
