"""Features of groups: the signals of their shared work, and what ties their members beside it.

A tie counts by its surprise: how unlikely it is that as many unrelated accounts would share the object. The object that a
group was found by surprises nobody and does not count again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import binom

from detector import ragged
from detector.campaigns import MIN_MEMBERS, Groups, slice_view
from detector.embeddings import different_prompts
from detector.movement import co_movements
from detector.profiles import KIND, Profiles
from detector.signals import SIGNALS, evaluate
from detector.view import View

MIN_BITS = 3.0  # a tie that one in eight unrelated groups would have is not mentioned
MIN_SHARED = 0.2  # of the members must share an object before it ties the group: two of a hundred do not
MAX_BITS = 40.0  # a tie's surprise is capped: beyond this more proves nothing more
TYPICAL_ICC = 0.08  # intraclass correlation of the prompts of unrelated accounts that share a client; see benchmarks
MEMBER_ROWS = 24  # different prompts of a member that are compared with the others': enough for a mean, and bounded
UNKNOWN_MEMBER = -5.0  # log-odds of a member of whom too little is known
LOW_QUARTILE = 0.25

CLASS_OF_TIE = {
    "payment": "ownership",
    "email_domain": "ownership",
    "ip": "infrastructure",
    "network": "infrastructure",
    "tls": "infrastructure",
    "user_agent": "infrastructure",
    "birth": "birth",
    "settings": "settings",
}
TIE_CLASSES = ("ownership", "infrastructure", "birth", "settings")
SEED_KINDS = ("piece", "system", "state", "prompt", "payment", "ip", "settings")

GROUP = {  # feature -> sign of its influence; 0 is free
    "log_members": 0,
    **dict.fromkeys(TIE_CLASSES, 1),
    "exchangeable": 1,
    "co_movement": 1,
    "slice_share": 0,
    "one_organization": -1,
    "member_log_odds": 1,
    "member_log_odds_low": 1,
    "log_requests": 0,
    "log_requests_per_member": 0,
    **dict.fromkeys((f"by_{k}" for k in SEED_KINDS), 0),
}
FEATURES = (*(s.name for s in SIGNALS), *GROUP)
"""Inputs of the campaign model."""


@dataclass(frozen=True)
class GroupTies:
    """What is known of groups beside the signals of their work."""

    table: pl.DataFrame  # group, the columns of GROUP, icc, and per kind of tie ``<kind>_shared`` and ``<kind>_bits``
    likeness: pl.DataFrame  # group, acct, likeness: cosine of a member's mean prompt and that of the others


@dataclass(frozen=True)
class GroupFeatures(GroupTies):
    """One row a group, in the order of ``view``."""

    view: View  # of the shared work
    x: np.ndarray  # (groups, len(FEATURES))


def group_features(
    groups: Groups, profiles: Profiles, log_odds: pl.DataFrame, totals: pl.DataFrame | None = None
) -> GroupFeatures:
    """Features of the groups; ``log_odds`` (acct, log_odds) are the accounts' own.

    ``totals`` (acct, n) tells how much each account has sent in all, where that is not what ``profiles`` hold. Both may be by
    group and account, where each group is seen at a time of its own.
    """
    totals = profiles.totals if totals is None else totals
    known = known_by(totals)
    view = slice_view(groups.rows)
    m = groups.members.group_by("group").agg(pl.len().alias("members"), pl.col("uses").sum().alias("requests"))
    own = (
        groups.members.join(log_odds, on=known, how="left")
        .with_columns(pl.col("log_odds").fill_null(UNKNOWN_MEMBER).clip(UNKNOWN_MEMBER))
        .join(totals.select(*known, "n"), on=known)
        .group_by("group")
        .agg(
            (pl.col("uses").sum() / pl.col("n").sum()).alias("slice_share"),
            pl.col("log_odds").mean().alias("member_log_odds"),
            pl.col("log_odds").quantile(LOW_QUARTILE).alias("member_log_odds_low"),
        )
    )
    table = pl.DataFrame({"group": view.acct})
    icc, likeness = _intraclass(groups.rows)
    for part in (m, own, icc, co_movements(groups.rows), _seed_kinds(groups.seeds)):
        table = table.join(part, on="group", how="left", maintain_order="left")
    for kind in (*CLASS_OF_TIE, "organization"):
        table = table.join(_shared(groups.members, profiles, kind), on="group", how="left", maintain_order="left")
    base = profiles.co_movement
    table = table.fill_null(0).with_columns(
        pl.col("members").log(2).alias("log_members"),
        (1 - pl.col("icc") / TYPICAL_ICC).clip(0, 1).alias("exchangeable"),
        ((pl.col("movement") - base) / max(1 - base, 1e-6)).clip(0, 1).alias("co_movement"),
        (pl.col("organization_shared") / pl.col("members")).alias("one_organization"),
        pl.col("requests").log1p().alias("log_requests"),
        (pl.col("requests") / pl.col("members")).log1p().alias("log_requests_per_member"),
        *(_class_bits(c).alias(c) for c in TIE_CLASSES),
    )
    x = np.hstack([evaluate(view), table.select(list(GROUP)).cast(pl.Float64).to_numpy()])
    return GroupFeatures(table, likeness, view, x)


def known_by(table: pl.DataFrame) -> list[str]:
    """What something is known of: accounts, or accounts as they were when a group was looked at."""
    return [c for c in ("group", "acct") if c in table.columns]


def _class_bits(name: str) -> pl.Expr:
    """The most surprising tie of a class, unless it is what the group was found by."""
    found_by = [pl.col(f"by_{k}") > 0 for k in SEED_KINDS if CLASS_OF_TIE.get(k) == name]
    bits = pl.max_horizontal(pl.col(f"{k}_bits") for k, c in CLASS_OF_TIE.items() if c == name)
    return pl.when(pl.any_horizontal(found_by)).then(0.0).otherwise(bits) if found_by else bits


def _seed_kinds(seeds: pl.DataFrame) -> pl.DataFrame:
    return seeds.group_by("group").agg(
        (pl.col("kind") == KIND[k]).any().cast(pl.Float64).alias(f"by_{k}") for k in SEED_KINDS
    )


def _shared(members: pl.DataFrame, profiles: Profiles, kind: str) -> pl.DataFrame:
    """For each group: how many members share the most surprising object of a kind, and the surprise in bits.

    The surprise is that of the binomial tail: so many of the members, when one in ``df / accounts`` has the object, and any
    of the objects might have been the one. Objects shared by less than a fifth of the members count nothing.
    """
    names = {"shared": f"{kind}_shared", "bits": f"{kind}_bits"}
    objects = profiles.shared(kind)
    size = members.group_by("group").len("m")
    shared = (
        members.select("group", "acct")
        .join(objects.owners, on="acct")
        .group_by("group", "key")
        .agg(pl.len().alias("shared"), pl.col("df").first())
        .filter(pl.col("shared") >= 2)
        .join(size, on="group")
        .filter(pl.col("shared") >= MIN_SHARED * pl.col("m"))
    )
    count, df, m = (shared[c].to_numpy() for c in ("shared", "df", "m"))
    chance = np.clip((np.maximum(df.astype(float) - count, 0) + 1) / max(len(profiles), 1), 1e-6, 1 - 1e-9)
    surprise = binom.logsf(count - 1, m, chance) / -np.log(2) - np.log2(max(objects.different, 1))
    best = (
        shared.with_columns(pl.Series("bits", np.clip(surprise, 0, MAX_BITS), pl.Float64))
        .sort("bits", "shared", "key", descending=True)
        .group_by("group", maintain_order=True)
        .first()
    )
    return best.select("group", "shared", "bits").rename(names)


def _intraclass(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Per group the intraclass correlation of the embeddings over its accounts (one-way random effects, Shrout & Fleiss
    1979), and per member the cosine of its mean with that of the other members."""
    some = different_prompts(rows, ["group", "acct"], MEMBER_ROWS)
    if not len(some):
        return (
            pl.DataFrame(schema={"group": pl.UInt64, "icc": pl.Float64}),
            pl.DataFrame(schema={"group": pl.UInt64, "acct": pl.UInt64, "likeness": pl.Float64}),
        )
    parts = some.group_by("group", "acct", maintain_order=True).len("n")
    sizes = parts["n"].to_numpy()
    sums, squares = _part_sums(rows["embedding"].gather(some["row"]), sizes)
    n = sizes.astype(float)
    groups = parts.group_by("group", maintain_order=True).len("k")
    k = groups["k"].to_numpy().astype(float)
    edges = ragged.bounds(groups["k"].to_numpy())
    first = edges[:-1]
    total, count = ragged.sums(sums, edges).astype(float), np.add.reduceat(n, first)
    own, towards = _products(sums, total, edges)
    whole = np.einsum("ij,ij->i", total, total)
    explained = np.add.reduceat(own / n, first)
    between = (explained - whole / count) / np.maximum(k - 1, 1)
    within = (np.add.reduceat(squares, first) - explained) / np.maximum(count - k, 1)
    n0 = (count - np.add.reduceat(n**2, first) / count) / np.maximum(k - 1, 1)
    icc = (between - within) / (between + (n0 - 1) * within + 1e-12)
    icc = np.where((k >= MIN_MEMBERS) & (count >= 2 * k), icc, TYPICAL_ICC)
    others = np.repeat(whole, groups["k"].to_numpy()) - 2 * towards + own  # squared norm of the other members' sum
    likeness = (towards - own) / np.maximum(np.sqrt(others * own), 1e-9)
    return (
        groups.select("group", pl.Series("icc", icc)),
        parts.select("group", "acct", pl.Series("likeness", likeness.astype(float))),
    )


def _part_sums(embedding: pl.Series, sizes: np.ndarray, chunk: int = 50_000) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the quantised vectors of consecutive rows, as many as each of ``sizes`` says, int32 of shape (parts, d), and of their
    squared norms, float64; a bounded number of rows is unpacked at once. Integers, so that no order of summation shows."""
    codes = embedding.to_numpy()
    edges = ragged.bounds(sizes)
    sums = np.zeros((len(sizes), codes.shape[1]), np.int32)
    squares = np.zeros(len(sizes))
    for low in range(0, len(codes), chunk):
        vectors = codes[low : low + chunk].astype(np.int32)
        high = low + len(vectors)
        some = slice(np.searchsorted(edges, low, side="right") - 1, np.searchsorted(edges, high))
        within = np.clip(edges[some.start : some.stop + 1], low, high) - low
        sums[some] += ragged.sums(vectors, within)
        squares[some] += np.add.reduceat(np.einsum("ij,ij->i", vectors, vectors), within[:-1])
    return sums, squares


def _products(
    sums: np.ndarray, total: np.ndarray, edges: np.ndarray, chunk: int = 20_000
) -> tuple[np.ndarray, np.ndarray]:
    """Squared norm of each part's sum, and its inner product with the ``total`` of its group, whose parts begin at ``edges``."""
    own, towards = np.empty(len(sums)), np.empty(len(sums))
    group = np.repeat(np.arange(len(total)), np.diff(edges))
    for low in range(0, len(sums), chunk):
        some = slice(low, low + chunk)
        vectors = sums[some].astype(float)
        own[some] = np.einsum("ij,ij->i", vectors, vectors)
        towards[some] = np.einsum("ij,ij->i", vectors, total[group[some]])
    return own, towards
