"""Ties: what holds the members of a group together, each with the chance that unrelated accounts would share it.

The ties' features and the slice's own score go into the campaign model, a logistic regression with weights of known sign.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import binom

from detector.assessment import Tie
from detector.campaigns import MIN_MEMBERS, Groups
from detector.features import EMBEDDING_SCALE
from detector.profiles import KIND, Profiles
from detector.scoring import Scorer
from detector.view import View

MIN_BITS = 3.0  # a tie that one in eight unrelated groups would have is not mentioned
MIN_SHARED = 0.2  # of the members must share an object before it ties the group: two of a hundred do not
MIN_EXCHANGEABLE = 0.5  # half as like one another as independent users are, or less: a split work queue
MIN_MOVEMENT = 0.3  # similarity of active hours above that of unrelated accounts, which share day and night as well
MAX_BITS = 40.0  # a tie's surprise is capped: beyond this more proves nothing more
TYPICAL_ICC = 0.08  # intraclass correlation of the prompts of unrelated accounts that share a client; see benchmarks
EXCHANGE_ROWS = 400  # rows per group for the exchangeability test

IDENTITY_TIES = {
    "payment": "payment method",
    "email_domain": "e-mail domain",
    "ip": "address",
    "network": "network",
    "tls": "TLS fingerprint",
    "user_agent": "client program",
    "birth": "day of registration",
    "settings": "explicit sampling settings",
}
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

FEATURES = (
    "log_odds",
    "log_members",
    "ownership",
    "infrastructure",
    "birth",
    "settings",
    "exchangeable",
    "co_movement",
    "slice_share",
    "one_organization",
)
"""Inputs of the campaign model, see :func:`group_features`."""


def group_features(
    groups: Groups, profiles: Profiles, scorer_log_odds: np.ndarray, view: View
) -> tuple[pl.DataFrame, dict[int, list[Tie]]]:
    """Features of the campaign model (``group`` and FEATURES), and the ties of each group in words.

    ``view`` is :func:`slice_view` of the groups, ``scorer_log_odds`` the scorer's log-odds of its rows.
    """
    shared_objects = {kind: _shared(groups.members, profiles, kind) for kind in (*IDENTITY_TIES, "organization")}
    base_movement = _co_movement(_hourly(profiles.sample))
    all_uses = (
        groups.members.join(profiles.totals.select("acct", "n"), on="acct")
        .group_by("group")
        .agg(pl.col("uses").sum() / pl.col("n").sum())
    )
    slice_share = dict(all_uses.iter_rows())
    seed_kinds = dict(groups.seeds.group_by("group").agg(pl.col("kind").unique()).iter_rows())
    rows_by_group = {int(k[0]): t for k, t in groups.rows.partition_by("group", as_dict=True).items()}
    members_by_group = {int(k[0]): t for k, t in groups.members.partition_by("group", as_dict=True).items()}
    out, ties = [], {}
    for group, log_odds in zip(view.acct, scorer_log_odds, strict=True):
        rows, members = rows_by_group[group], members_by_group[group]
        m = len(members)
        found: list[Tie] = []
        bits = {"ownership": 0.0, "infrastructure": 0.0, "birth": 0.0, "settings": 0.0}
        found_by = {CLASS_OF_TIE[k] for k in IDENTITY_TIES if KIND[k] in seed_kinds.get(group, ())}
        for kind, words in IDENTITY_TIES.items():
            shared, surprise = shared_objects[kind].get(group, (0, 0.0))
            if surprise > MIN_BITS:
                found.append(
                    Tie(
                        kind=kind,
                        weight=surprise,
                        members=shared,
                        text=f"{shared} of {m} accounts share one {words}; unrelated accounts would by a chance of 1 in 2^{surprise:.0f}.",
                    )
                )
                cls = CLASS_OF_TIE[kind]
                if cls not in found_by:  # the object that the group was found by surprises nobody
                    bits[cls] = max(bits[cls], surprise)
        organization, _ = shared_objects["organization"].get(group, (0, 0.0))
        icc = _intraclass(rows)
        exchangeable = float(np.clip(1 - icc / TYPICAL_ICC, 0, 1))
        if exchangeable > MIN_EXCHANGEABLE:
            found.append(
                Tie(
                    kind="split_queue",
                    weight=round(10 * exchangeable, 1),
                    members=m,
                    text=f"What the {m} accounts ask could be swapped between them unnoticed: parts of one work queue "
                    f"(intraclass correlation {max(icc, 0):.3f}; independent users: about {TYPICAL_ICC}).",
                )
            )
        movement = float(np.clip((_co_movement(_hourly(rows)) - base_movement) / max(1 - base_movement, 1e-6), 0, 1))
        if movement > MIN_MOVEMENT:
            found.append(
                Tie(
                    kind="timing",
                    weight=round(10 * movement, 1),
                    members=m,
                    text=f"The accounts are active in the same hours (similarity {movement:.2f} above that of unrelated accounts).",
                )
            )
        out.append(
            (
                group,
                log_odds,
                np.log2(m),
                *(bits[k] for k in ("ownership", "infrastructure", "birth", "settings")),
                exchangeable,
                movement,
                float(slice_share[group]),
                organization / m,
            )
        )
        ties[group] = sorted(found, key=lambda t: -t.weight)
    schema = {"group": pl.UInt64, **dict.fromkeys(FEATURES, pl.Float64)}
    return pl.DataFrame(out, schema=schema, orient="row"), ties


def _shared(members: pl.DataFrame, profiles: Profiles, kind: str) -> dict[int, tuple[int, float]]:
    """For each group: how many members share the most surprising object of a kind, and the surprise in bits.

    The surprise is that of the binomial tail: so many of the members, when one in ``df / accounts`` has the object, and any
    of the objects might have been the one. Objects shared by less than a fifth of the members count nothing.
    """
    objects = profiles.kind(kind).select("acct", "key").unique()
    population = objects.with_columns(pl.len().over("key").alias("df"))
    size = members.group_by("group").len("m")
    shared = (
        members.select("group", "acct")
        .join(population, on="acct")
        .group_by("group", "key")
        .agg(pl.len().alias("shared"), pl.col("df").first())
    )
    shared = (
        shared.filter(pl.col("shared") >= 2).join(size, on="group").filter(pl.col("shared") >= MIN_SHARED * pl.col("m"))
    )
    if not len(shared):
        return {}
    count, df, m = (shared[c].to_numpy() for c in ("shared", "df", "m"))
    chance = np.clip((np.maximum(df - count, 0) + 1) / max(len(profiles), 1), 1e-6, 1 - 1e-9)
    surprise = binom.logsf(count - 1, m, chance) / -np.log(2) - np.log2(max(population["key"].n_unique(), 1))
    best = (
        shared.with_columns(pl.Series("bits", np.clip(surprise, 0, MAX_BITS)))
        .sort("bits", "shared", "key", descending=True)
        .group_by("group", maintain_order=True)
        .first()
    )
    return {int(g): (int(k), float(b)) for g, k, b in best.select("group", "shared", "bits").iter_rows()}


def _intraclass(rows: pl.DataFrame) -> float:
    """Intraclass correlation of the slice's embeddings over its accounts (one-way random effects, Shrout & Fleiss 1979)."""
    rows = (
        rows.filter(pl.col("cluster") >= 0).unique(["acct", "prompt"], keep="any").sort("event_key").head(EXCHANGE_ROWS)
    )
    rows = rows.sort("acct")
    codes = np.unique(rows["acct"].to_numpy(), return_inverse=True)[1]
    k, n = (codes.max() + 1 if len(codes) else 0), len(codes)
    if k < MIN_MEMBERS or n < 2 * k:
        return TYPICAL_ICC
    vectors = rows["embedding"].to_numpy().astype(np.float32) / EMBEDDING_SCALE
    counts = np.bincount(codes, minlength=k).astype(float)
    sums = np.add.reduceat(vectors, np.flatnonzero(np.diff(codes, prepend=-1)), axis=0)
    means, grand = sums / counts[:, None], vectors.mean(axis=0)
    between = (counts[:, None] * (means - grand) ** 2).sum() / (k - 1)
    within = ((vectors - means[codes]) ** 2).sum() / max(n - k, 1)
    n0 = (n - (counts**2).sum() / n) / (k - 1)
    return float((between - within) / (between + (n0 - 1) * within + 1e-12))


def _hourly(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("acct", (pl.col("ts") // 3_600_000_000).alias("hour")).agg(
        pl.len().cast(pl.Float64).sqrt().alias("w")
    )


def _co_movement(hours: pl.DataFrame) -> float:
    """Mean cosine of the hourly activity of two different accounts."""
    m = hours["acct"].n_unique()
    if m < 2:
        return 0.0
    unit = hours.with_columns(pl.col("w") / (pl.col("w") ** 2).sum().over("acct").sqrt())
    total = unit.group_by("hour").agg(pl.col("w").sum())["w"]
    return float(((total**2).sum() - m) / (m * (m - 1)))


def campaign_log_odds(features: pl.DataFrame, scorer: Scorer) -> np.ndarray:
    """Log-odds that a group is a campaign, from :data:`FEATURES`."""
    weights = np.array([scorer.weights.campaign_weights.get(f, 0.0) for f in FEATURES])
    return scorer.weights.campaign_intercept + features.select(FEATURES).to_numpy() @ weights
