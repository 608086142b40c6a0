"""Groups that share no object: accounts that each stand out by themselves, and ask as one account would, or move as one.

A work queue that is split leaves no sentence, task or address in common. What is left is that the parts could be swapped: the mean
prompts of two accounts differ by no more than those of two samples of the same prompts. Beyond that, some work only in the same
hours. Neither says anything of an ordinary account, so only those that are suspicious alone are compared; being put together
changes nobody's risk.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from detector.accounts import AccountScores
from detector.campaigns import MIN_MEMBERS, Groups
from detector.embeddings import different_prompts, unpacked
from detector.features import HOUR_US
from detector.parts import MIN_REQUESTS, parts
from detector.profiles import Profiles
from detector.ragged import bounds, sums
from detector.view import View

MAX_ACCOUNTS = 2_000  # compared with one another, the most suspicious ones; bounds the matrix
PROMPTS = 128  # different ones of an account that its mean is of
SWAPPED = 1.5  # squared distance of two means over what sampling alone gives; 1 for one queue, about 1 + n / 12 for
# independent users with n prompts each (intraclass correlation 0.08, see ties.TYPICAL_ICC)
TOGETHER = 0.6  # cosine of two accounts' hourly activity, above that of unrelated accounts
MIN_HOURS = 6  # with requests, before an account's hours say anything


def work_alike(profiles: Profiles, accounts: AccountScores, suspicious: pl.Series) -> Groups:
    """Groups of at least MIN_MEMBERS of the ``suspicious`` accounts (acct) that share one queue, or their hours.

    Their rows are those of each account's most suspicious part; there are no seeds.
    """
    rows = _work(profiles, accounts, suspicious)
    found = _swappable(rows)
    rest = rows.join(found, on="acct", how="anti")
    found = pl.concat([found, _in_step(rest, profiles.co_movement)])
    seeds = pl.DataFrame(schema={"group": pl.UInt64, "kind": pl.UInt8, "key": pl.UInt64})
    return Groups.of_rows(rows.join(found, on="acct"), seeds)


def _work(profiles: Profiles, accounts: AccountScores, suspicious: pl.Series) -> pl.DataFrame:
    """Feature rows of each account's most suspicious part, or of all of it; of the MAX_ACCOUNTS most suspicious."""
    best = pl.DataFrame({"acct": accounts.view.acct, "best": accounts.group, "log_odds": accounts.log_odds})
    best = best.filter(pl.col("acct").is_in(suspicious.implode())).sort("log_odds", "acct", descending=True)
    best = best.head(MAX_ACCOUNTS).select("acct", "best")
    sample = profiles.sample.join(best, on="acct")
    whole = sample.filter(pl.col("best") == 0).drop("best")
    mixed = Profiles.of_rows(sample.filter(pl.col("best") != 0).drop("best"))
    if not len(mixed):
        return whole
    of_parts = parts(mixed, View(mixed), only=best["best"])
    return pl.concat([whole, of_parts.select(whole.columns)])


def _swappable(rows: pl.DataFrame) -> pl.DataFrame:
    """Accounts (acct, group) whose prompts could be swapped unnoticed."""
    some = different_prompts(rows, ["acct"], PROMPTS).filter(pl.len().over("acct") >= MIN_REQUESTS)
    sizes = some.group_by("acct", maintain_order=True).len("n")
    if len(sizes) < MIN_MEMBERS:
        return _clusters(sizes["acct"], np.zeros((0, 0)), SWAPPED)
    vectors = unpacked(rows["embedding"].gather(some["row"]))
    n = sizes["n"].to_numpy().astype(float)
    edges = bounds(sizes["n"].to_numpy())
    means = sums(vectors, edges) / n[:, None]
    squares = np.add.reduceat((vectors**2).sum(axis=1), edges[:-1]) / n
    length = (means**2).sum(axis=1)
    error = np.maximum(squares - length, 1e-6) / (n - 1)  # of the mean: its expected squared distance from the true one
    apart = np.maximum(length[:, None] + length[None] - 2 * means @ means.T, 0.0)
    return _clusters(sizes["acct"], apart / (error[:, None] + error[None]), SWAPPED)


def _in_step(rows: pl.DataFrame, usual: float) -> pl.DataFrame:
    """Accounts (acct, group) that are active in the same hours; ``usual`` is the cosine of unrelated accounts' activity."""
    hours = rows.group_by("acct", (pl.col("ts") // HOUR_US).alias("hour")).agg(
        pl.len().cast(pl.Float64).sqrt().alias("w")
    )
    hours = hours.filter(pl.len().over("acct") >= MIN_HOURS).sort("acct", "hour")
    accts, which = np.unique(hours["acct"].to_numpy(), return_inverse=True)
    if len(accts) < MIN_MEMBERS:
        return _clusters(pl.Series(accts, dtype=pl.UInt64), np.zeros((0, 0)), 1.0)
    first = int(hours["hour"].min())  # type: ignore[arg-type]
    activity = np.zeros((len(accts), int(hours["hour"].max()) - first + 1))  # type: ignore[arg-type]
    activity[which, hours["hour"].to_numpy() - first] = hours["w"].to_numpy()
    activity /= np.linalg.norm(activity, axis=1, keepdims=True)
    alike = (activity @ activity.T - usual) / max(1 - usual, 1e-6)
    return _clusters(pl.Series(accts), (1 - alike).clip(0), 1 - TOGETHER)


def _clusters(accts: pl.Series, apart: np.ndarray, limit: float) -> pl.DataFrame:
    """Average-linkage clusters (acct, group) of at least MIN_MEMBERS accounts no farther apart than ``limit`` on average.

    A group is named by its first account.
    """
    if len(apart) < MIN_MEMBERS:
        return pl.DataFrame(schema={"acct": pl.UInt64, "group": pl.UInt64})
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform(apart, checks=False), method="average")
    found = pl.DataFrame({"acct": accts, "cluster": fcluster(tree, limit, "distance")})
    found = found.filter(pl.len().over("cluster") >= MIN_MEMBERS)
    return found.select("acct", pl.col("acct").min().over("cluster").alias("group"))
