"""One row of derived quantities per account (or group, or slice): the common ground that all signals read.

Everything here is computed from :class:`~detector.profiles.Profiles` alone, vectorised over all accounts.
Shares of few requests are shrunk towards zero (``k / (n + PRIOR)``), so that three requests never look extreme.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from detector.embeddings import dequantised, different_prompts
from detector.pieces import length_of
from detector.profiles import Profiles
from detector.ragged import bounds

PRIOR = 4.0  # pseudo-requests of the ordinary kind that every share starts with
REPEAT = 3  # the same state at least three times is sampling; twice is a retry
REVISIT_US = 3_600_000_000  # microseconds after which a prompt that is asked again comes back; before, it is sampled
BREADTH_SAMPLE = 128  # distinct prompts per account for the breadth estimate; its error is then under 5 %
TYPICAL_SPREAD = (
    0.7  # variance (1 - mean cosine) of unlike prompts; below it variations are of one thing, like a number
)
CONSTANT = 0.5  # share of an account's requests from which a sentence is part of a frame
MAX_FRAME = 0.8  # share of the text that a frame is taken to be, at most: what little else there is says little
ALL_FRAME = 0.92  # share from which nothing but numbers in the frame varies: then it is no frame around anything
ROWS_AT_ONCE = 8_192  # prompts unpacked at a time for it: 8 MB
BREADTH_PRIOR = 12.0  # pseudo-prompts at the prior breadth
BREADTH_PRIOR_VALUE = 20.0  # effective dimensions of an ordinary account with a handful of prompts


class View:
    """Derived quantities of a set of profiles, one row an account, sorted by ``acct``."""

    def __init__(self, profiles: Profiles) -> None:
        self.profiles = profiles
        self.totals = profiles.totals
        self.acct = self.totals["acct"]
        self._accts = self.acct.to_numpy()
        self.n = self.totals["n"].to_numpy().astype(float)
        self._kinds: dict[str, pl.DataFrame] = {}

    def __len__(self) -> int:
        return len(self.acct)

    def total(self, column: str) -> np.ndarray:
        """A counter of :attr:`Profiles.totals`, float64 of shape (accounts,)."""
        return self.totals[column].to_numpy().astype(float)

    def share(self, counts: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
        """Shrunk share of requests."""
        return counts / ((self.n if of is None else of) + PRIOR)

    def aligned(self, table: pl.DataFrame, column: str, default: float = 0.0) -> np.ndarray:
        """Column of a table keyed by ``acct``, aligned to :attr:`acct`; ``default`` where an account is absent."""
        out = np.full(len(self), default)
        accts = table["acct"].to_numpy()
        at = np.searchsorted(self._accts, accts)
        known = np.flatnonzero(at < len(self))
        known = known[self._accts[at[known]] == accts[known]]
        values = table[column].cast(pl.Float64)
        out[at[known]] = (values.fill_null(default) if values.null_count() else values).to_numpy()[known]
        return out

    def summed(self, table: pl.DataFrame, count: pl.Expr) -> np.ndarray:
        """Sum of a count over the rows of a table with ``acct``, aligned to :attr:`acct`."""
        return self.aligned(table.group_by("acct").agg(count.sum().alias("n")), "n")

    def kind(self, name: str) -> pl.DataFrame:
        """Objects of one kind over all days: acct, key, n, first, last."""
        if name not in self._kinds:
            self._kinds[name] = self.profiles.kind(name).drop("kind")
        return self._kinds[name]

    @cached_property
    def states(self) -> pl.DataFrame:
        """Per account: distinct conversation states, requests in repeated states, follow-ups, orphans, restarts."""
        states, parents = self.kind("state"), self.kind("parent")
        per_state = states.group_by("acct").agg(
            pl.len().alias("distinct"),
            pl.col("n").filter(pl.col("n") >= REPEAT).sum().alias("sampled"),
            (pl.col("n") >= REPEAT).sum().alias("sampled_states"),
        )
        known = parents.join(states.select("acct", "key", pl.lit(True).alias("known")), on=["acct", "key"], how="left")
        per_parent = known.group_by("acct").agg(
            pl.col("n").filter(pl.col("known")).sum().alias("follow_ups"),
            pl.col("n").filter(pl.col("known").is_null()).sum().alias("orphans"),
            (pl.col("n") - 1).filter(pl.col("n") >= REPEAT).sum().alias("restarts"),
        )
        return per_state.join(per_parent, on="acct", how="left").fill_null(0)

    @cached_property
    def frames(self) -> pl.DataFrame:
        """Per account: requests that carry its most frequent sentence (``top``), its key, and the distinct prompts around it."""
        pieces = self.kind("piece").filter(pl.col("key") % 2 == 0)
        top = pieces.sort("n", "key", descending=True).group_by("acct", maintain_order=True).first()
        top = top.select("acct", pl.col("key").alias("frame"), pl.col("n").alias("top"))
        carried = (
            self.profiles.sample.select("acct", "prompt", "pieces")
            .explode("pieces")
            .join(top, left_on=["acct", "pieces"], right_on=["acct", "frame"], how="inner")
            .group_by("acct")
            .agg(pl.len().alias("carried"), pl.col("prompt").n_unique().alias("fillings"))
        )
        return top.join(carried, on="acct", how="left").fill_null(0)

    @cached_property
    def returning(self) -> pl.DataFrame:
        """Long passages that an account used more than once, but not with every request: acct, key, n."""
        used = self.kind("piece").filter((pl.col("key") % 2 == 1) & (pl.col("n") > 1))
        used = used.join(self.totals.select("acct", pl.col("n").alias("all")), on="acct")
        return used.filter(pl.col("n") < CONSTANT * pl.col("all")).select("acct", "key", "n")

    @cached_property
    def revisited(self) -> pl.DataFrame:
        """Last prompts that came back to an account more than REVISIT_US later: acct, key, n."""
        spans = pl.col("last") - pl.col("first")
        return self.kind("prompt").filter(spans > REVISIT_US).select("acct", "key", "n")

    @cached_property
    def frame_share(self) -> np.ndarray:
        """Share of the characters of an account's prompts that are sentences which most of its requests have in common; 0
        where they are all of it.

        Sentences of a constant system prompt are counted among them at first, so its length is taken off.
        """
        pieces = self.kind("piece").join(self.totals.select("acct", pl.col("n").alias("all")), on="acct")
        constant = pieces.filter(pl.col("n") >= CONSTANT * pl.col("all"))
        chars = constant.group_by("acct").agg((length_of(pl.col("key")) * pl.col("n")).sum().alias("chars"))
        framed = np.maximum(self.aligned(chars, "chars") - self.total("system_chars"), 0)
        share = framed / np.maximum(self.total("prompt_chars"), 1)
        return np.where(share < ALL_FRAME, np.minimum(share, MAX_FRAME), 0.0)

    def distinct(self, kind: str) -> np.ndarray:
        """Number of different objects of a kind per account."""
        return self.aligned(self.kind(kind).group_by("acct").len(), "len")

    @cached_property
    def clusters(self) -> pl.DataFrame:
        """Per account: effective number of topics (exponential of the Shannon entropy) and the share of the largest."""
        topics = (
            self.kind("cluster")
            .filter(pl.col("key") > 1)
            .with_columns((pl.col("n") / pl.col("n").sum().over("acct")).alias("p"))
        )
        return topics.group_by("acct").agg(
            (-(pl.col("p") * pl.col("p").log()).sum()).exp().alias("effective"), pl.col("p").max().alias("largest")
        )

    @cached_property
    def rhythm(self) -> pl.DataFrame:
        """Per account: active ten-minute slots, active hours of the day (effective number), days, busiest slot, unevenness."""
        slots = self.kind("slot")
        per_slot = slots.group_by("acct").agg(
            pl.len().alias("slots"),
            pl.col("n").max().alias("busiest"),
            (pl.col("n").var(ddof=0).fill_null(0) / pl.col("n").mean()).alias("fano"),
            (pl.col("key").max() - pl.col("key").min() + 1).alias("span_slots"),
        )
        hours = (
            slots.with_columns(((pl.col("key") // 6) % 24).alias("hour"))
            .group_by("acct", "hour")
            .agg(pl.len().alias("n"))
            .with_columns((pl.col("n") / pl.col("n").sum().over("acct")).alias("p"))
            .group_by("acct")
            .agg((-(pl.col("p") * pl.col("p").log()).sum()).exp().alias("hours"))
        )
        return per_slot.join(hours, on="acct", how="left")

    @cached_property
    def breadth(self) -> np.ndarray:
        """Effective dimension of each account's distinct prompts, shrunk towards an ordinary account's.

        The participation ratio tr(C)^2 / tr(C^2) of the covariance of the centred embeddings, with tr(C^2) estimated from
        distinct pairs only, times the spread where that is below an ordinary one.
        Centring removes a constant template, and the spread is that of what is not in the template (a mean of token vectors
        varies with the share of the tokens that vary), so what varies in its slots is what counts.
        """
        sample = different_prompts(self.profiles.sample, ["acct"], BREADTH_SAMPLE)
        sizes = sample.group_by("acct", maintain_order=True).len()
        codes = self.profiles.sample["embedding"].gather(sample["row"])
        varying = 1 - self.frame_share[np.searchsorted(self._accts, sizes["acct"].to_numpy())]
        estimates = _participation(codes, sizes["len"].to_numpy().astype(int), varying)
        table = sizes.select("acct", pl.Series("log_breadth", estimates, pl.Float64), pl.col("len").alias("size"))
        log_breadth, size = self.aligned(table, "log_breadth"), self.aligned(table, "size")
        return np.exp((size * log_breadth + BREADTH_PRIOR * np.log(BREADTH_PRIOR_VALUE)) / (size + BREADTH_PRIOR))

    @cached_property
    def fed_back(self) -> pl.DataFrame:
        """Sentences of answers that an account was given before they stood in its prompts: acct, key, n (requests)."""
        answers, pieces = self.kind("answer"), self.kind("piece")
        back = pieces.join(answers.select("acct", "key", pl.col("first").alias("answered")), on=["acct", "key"])
        return back.filter(pl.col("last") > pl.col("answered")).select("acct", "key", "n")


def _participation(embedding: pl.Series, sizes: np.ndarray, varying: np.ndarray) -> np.ndarray:
    """Logarithm of the participation ratio, times the relative spread, of each account's centred rows: float64 of shape (m,).

    The quantised ``embedding``, of as many rows as the sum of ``sizes``, holds the accounts' one after another; ``varying`` is the
    share of each one's text that varies. Fewer than three rows have the prior's.
    """
    out = np.full(len(sizes), np.log(BREADTH_PRIOR_VALUE))
    if not len(embedding):
        return out
    codes, starts = embedding.to_numpy(), bounds(sizes)[:-1]
    height = 2 ** np.ceil(np.log2(np.maximum(sizes, 4))).astype(int)  # padded to it: what others send changes no sum
    with threadpool_limits(1, user_api="blas"):  # the matrices are small: threads would only wait for each other
        for rows in np.unique(height[sizes >= 3]):
            alike = np.flatnonzero((height == rows) & (sizes >= 3))
            for low in range(0, len(alike), max(ROWS_AT_ONCE // rows, 1)):
                some = alike[low : low + max(ROWS_AT_ONCE // rows, 1)]
                out[some] = _participation_of(codes, starts[some], sizes[some], rows, varying[some])
    return out


def _participation_of(
    codes: np.ndarray, starts: np.ndarray, sizes: np.ndarray, rows: int, varying: np.ndarray
) -> np.ndarray:
    """The same of accounts that are all padded to as many ``rows``."""
    within = (np.arange(rows) < sizes[:, None])[..., None]
    block = dequantised(codes[np.minimum(starts[:, None] + np.arange(rows), len(codes) - 1)])
    block *= within
    n = sizes.astype(np.float32)
    block -= block.sum(axis=1, keepdims=True) / n[:, None, None]
    block *= within
    gram = block @ block.transpose(0, 2, 1)
    diagonal = np.einsum("kii->ki", gram)
    trace = diagonal.sum(axis=1) / (n - 1)
    squared = (np.square(gram).sum(axis=(1, 2)) - np.square(diagonal).sum(axis=1)) / (n * (n - 1))
    bias = trace**2 / (n - 1)  # centring makes each pair correlate by -1/(n-1) on average
    squared = np.maximum(squared - bias / (n - 1), 1e-9)
    spread = np.clip(trace / varying**2 / TYPICAL_SPREAD, 0.01, 1.0)
    ratio = np.log(np.clip(trace**2 / squared * spread, 1.0, 256.0))
    return np.where(trace > 1e-9, ratio, 0.0)
