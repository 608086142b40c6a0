"""Which accounts ask alike: a sample of each account's distinct prompts in one FAISS index, and what changes from day to day.

Made of profiles alone, so accounts whose text is not kept are found as well. The search is exact over the sample.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import faiss
import numpy as np
import polars as pl

from detector.features import EMBEDDING_SCALE
from detector.profiles import KIND, Profiles

MAX_VECTORS = 400_000  # in all: 100 MB, and a tenth of a second a query on one core
PER_ACCOUNT = (4, 32)  # prompts kept of each account: fewer the more accounts there are
HITS = 2_000  # nearest prompts that are looked at for each query
NEAR = 0.6  # cosine of static embeddings from which two prompts ask for alike things
RECENT_DAYS = 7  # that drift compares with the days before
FLOOR = 1e-4  # share of a topic, at least: keeps the index of stability finite
_SCALE = EMBEDDING_SCALE**2


class Match(NamedTuple):
    """An account that asks alike."""

    account_id: str
    similarity: float  # mean over the queries of its nearest prompt's cosine
    prompts: int  # of its sampled ones that lie near any query
    sampled: int


class Drift(NamedTuple):
    """What is asked of late, compared with before."""

    stability: float | None  # population stability index of the topics; None where there is nothing to compare
    recent_days: int
    days: list[tuple[int, int, float]]  # day since 1970, requests, mean cosine with the nearest centroid


@dataclass(frozen=True)
class Likeness:
    """``names`` of accounts, ``owner`` of each vector (position in names), ``days`` with counters, and the index."""

    names: list[str]
    owner: np.ndarray
    index: faiss.Index
    days: pl.DataFrame  # account_id, day, requests, input_tokens, output_tokens
    topics: pl.DataFrame  # day, cluster, requests
    coverage: pl.DataFrame  # day, similarity, n

    @classmethod
    def build(cls, profiles: Profiles, centroids: np.ndarray) -> Likeness:
        """Of profiles, and the codebook's centroids of shape (k, d) that drift is measured by."""
        accounts = profiles.accounts.select("acct", "account_id").sort("account_id").with_row_index("number")
        few, many = PER_ACCOUNT
        per_account = int(np.clip(MAX_VECTORS // max(len(accounts), 1), few, many))
        worded = profiles.sample.filter(pl.col("cluster") >= 0).select(
            "acct", "day", "prompt", "event_key", "embedding"
        )
        chosen = (
            worded.sort("event_key")
            .unique(["acct", "prompt"], keep="first", maintain_order=True)
            .with_columns(pl.int_range(pl.len()).over("acct").alias("rank"))
            .filter(pl.col("rank") < per_account)
            .join(accounts.select("acct", "number"), on="acct", maintain_order="left")
            .head(MAX_VECTORS)
        )
        vectors = _floats(chosen["embedding"])
        index = _empty(centroids.shape[1])
        if len(vectors):
            index.add(vectors)
        return cls(
            accounts["account_id"].to_list(),
            chosen["number"].to_numpy().astype(np.int32),
            index,
            _days(profiles, accounts),
            _topics(profiles),
            _coverage(worded, centroids),
        )

    def search(self, queries: np.ndarray, limit: int, without: str | None = None) -> list[Match]:
        """Accounts whose prompts lie nearest to some unit vectors of shape (q, d), the most alike first."""
        count = self.index.ntotal
        if not len(queries) or not count:
            return []
        scaled = np.clip(np.rint(queries * EMBEDDING_SCALE), -127, 127).astype(np.float32)
        dots, found = self.index.search(scaled, min(HITS, count))
        cosines = np.clip(dots / _SCALE, 0.0, 1.0)
        hits = pl.DataFrame(
            {
                "query": np.repeat(np.arange(len(queries)), found.shape[1]),
                "vector": found.ravel(),
                "account": self.owner[found.ravel()],
                "cosine": cosines.ravel().astype(np.float64),
            }
        )
        best = (
            hits.group_by("account", "query")
            .agg(pl.col("cosine").max())
            .group_by("account")
            .agg(pl.col("cosine").sum())
        )
        near = hits.filter(pl.col("cosine") >= NEAR).group_by("account").agg(pl.col("vector").n_unique().alias("near"))
        table = best.join(near, on="account", how="left").sort(["cosine", "account"], descending=[True, False])
        matches = [
            Match(self.names[a], min(total / len(queries), 1.0), near or 0, int(self.sampled[a]))
            for a, total, near in table.head(limit + 1).iter_rows()
        ]
        return [m for m in matches if m.account_id != without][:limit]

    def vectors_of(self, account_id: str) -> np.ndarray:
        """The sampled prompts of an account as unit vectors of shape (n, d); empty for an unknown one."""
        at = np.flatnonzero(self.owner == self._number.get(account_id, -1))
        rows = [self.index.reconstruct(int(i)) for i in at]
        found = np.array(rows, np.float32).reshape(len(rows), self.index.d)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    @cached_property
    def sampled(self) -> np.ndarray:
        """Sampled prompts of each account."""
        return np.bincount(self.owner, minlength=len(self.names))

    @cached_property
    def _number(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def drift(self) -> Drift:
        """Topics of the last days against those before (population stability index), and how well topics fit, by day."""
        by_day = self.topics.group_by("day").agg(pl.col("requests").sum()).sort("day")
        fit = dict(self.coverage.select("day", "similarity").iter_rows())
        days = [(d, n, float(fit.get(d, float("nan")))) for d, n in by_day.iter_rows()]
        stability = None
        if days and days[-1][0] - days[0][0] >= RECENT_DAYS:
            recent = pl.col("day") > days[-1][0] - RECENT_DAYS
            now, then = (self._shares(self.topics.filter(f)) for f in (recent, ~recent))
            both = now.join(then, on="cluster", how="full", coalesce=True).fill_null(0.0)
            p, q = (np.maximum(both[c].to_numpy(), FLOOR) for c in ("share", "share_right"))
            stability = float(((p - q) * np.log(p / q)).sum())
        return Drift(stability, RECENT_DAYS, days)

    @staticmethod
    def _shares(topics: pl.DataFrame) -> pl.DataFrame:
        summed = topics.group_by("cluster").agg(pl.col("requests").sum())
        return summed.select("cluster", (pl.col("requests") / pl.col("requests").sum()).alias("share"))

    def to_bytes(self) -> bytes:
        """Everything, block after block, each behind its length."""
        tables = (pl.DataFrame({"owner": self.owner}), self.days, self.topics, self.coverage)
        index = faiss.serialize_index(self.index).tobytes()
        blocks = [index, *(_block(t) for t in (pl.DataFrame({"name": self.names}), *tables))]
        return b"".join(len(b).to_bytes(8, "little") + b for b in blocks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Likeness:
        """Inverse of :meth:`to_bytes`. Raises ValueError on anything else."""
        blocks, at = [], 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 8], "little")
            blocks.append(data[at + 8 : at + 8 + size])
            at += 8 + size
        try:
            index = faiss.deserialize_index(np.frombuffer(blocks[0], np.uint8))
            names, owner, days, topics, coverage = (pl.read_ipc(io.BytesIO(b)) for b in blocks[1:])
        except Exception as error:
            raise ValueError(f"not an index of accounts: {error}") from error
        return cls(names["name"].to_list(), owner["owner"].to_numpy(), index, days, topics, coverage)


def _empty(dimension: int) -> faiss.Index:
    return faiss.IndexScalarQuantizer(
        dimension, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
    )


def _floats(embeddings: pl.Series) -> np.ndarray:
    return (
        np.ascontiguousarray(embeddings.to_numpy().astype(np.float32))
        if len(embeddings)
        else np.zeros((0, 1), np.float32)
    )


def _days(profiles: Profiles, accounts: pl.DataFrame) -> pl.DataFrame:
    return profiles.counts.join(accounts.select("acct", "account_id"), on="acct").select(
        "account_id", "day", pl.col("n").alias("requests"), "input_tokens", "output_tokens"
    )


def _topics(profiles: Profiles) -> pl.DataFrame:
    return (
        profiles.objects.filter((pl.col("kind") == KIND["cluster"]) & (pl.col("key") > 1))
        .group_by("day", pl.col("key").alias("cluster"))
        .agg(pl.col("n").sum().alias("requests"))
    )


def _coverage(rows: pl.DataFrame, centroids: np.ndarray) -> pl.DataFrame:
    """Mean cosine of each day's sampled prompts with the nearest centroid; of the first 2,000 of a day."""
    some = rows.sort("event_key").group_by("day", maintain_order=True).head(2_000)
    if not len(some):
        return pl.DataFrame(schema={"day": pl.Int32, "similarity": pl.Float64, "n": pl.UInt32})
    vectors = _floats(some["embedding"])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    index = faiss.IndexFlatIP(centroids.shape[1])
    index.add(np.ascontiguousarray(centroids, np.float32))
    nearest, _ = index.search(vectors, 1)
    table = pl.DataFrame({"day": some["day"], "similarity": nearest[:, 0].astype(np.float64)})
    return table.group_by("day").agg(pl.col("similarity").mean(), pl.len().alias("n"))


def _block(table: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    table.write_ipc(out, compression="zstd")
    return out.getvalue()
