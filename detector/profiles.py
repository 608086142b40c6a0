"""Profiles: mergeable tables per account and day.

Four tables, each merged by an operation that is associative, commutative and exact (sums of integers, minima, maxima,
bottom-k by hash), so that any split and any order of the same events gives the same profile:

``accounts``  acct, account_id, created (min)
``counts``    acct, day -> sums of counters
``objects``   acct, day, kind, key -> n (sum), first, last: every countable thing an account touches (conversation states,
              template pieces, clusters, networks, ten-minute slots, ...)
``sample``    bottom-k events per account and day by hash of the event id: feature rows with their quantised embedding
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, Self

import polars as pl

from detector.features import DAY_US, HOUR_US, IDENTITIES, FeatureFrame
from detector.intent import CLASSES
from detector.movement import co_movement

SAMPLE_PER_DAY = 400  # events kept per account and day; a quiet account is kept whole, a loud one is seen well enough
ROWS_AT_ONCE = 1_000_000  # objects summed at a time; a group-by takes about 250 bytes for each
SLOT_US = 600_000_000  # ten minutes: finer than a working session, coarser than a burst

KINDS = (
    "state",
    "parent",
    "prompt",
    "piece",
    "answer",
    "cluster",
    "system",
    "tools",
    "slot",
    "hour_of_week",
    *IDENTITIES,
)
KIND = {name: i for i, name in enumerate(KINDS)}

MARKS = {
    "stateless": (pl.col("user_turns") <= 1) & (pl.col("tool_turns") == 0),
    "multi_turn": pl.col("user_turns") > 1,
    "tool_loops": pl.col("tool_turns") > 0,
    "choices": pl.col("n") > 1,
    "logprobs": pl.col("logprobs") >= 3,
    "warm": pl.col("temperature") > 0,
    "long_inputs": pl.col("prompt_chars") > 1500,
    "text_rows": pl.col("prompt") != 0,
}
"""What a request is by itself, each counted in a profile under its name."""

SUMS = {
    "n": pl.len().cast(pl.Int64),
    "failed": pl.col("failed").sum().cast(pl.Int64),
    "input_tokens": pl.col("input_tokens").sum(),
    "output_tokens": pl.col("output_tokens").sum(),
    "reasoning_tokens": pl.col("reasoning_tokens").sum(),
    "prompt_chars": pl.col("prompt_chars").cast(pl.Int64).sum(),
    "system_chars": pl.col("system_chars").cast(pl.Int64).sum(),
    **{name: mark.sum().cast(pl.Int64) for name, mark in MARKS.items()},
    **{f"intent_{c}": pl.col(f"intent_{c}").cast(pl.Int64).sum() for c in CLASSES},
}

HOURS = 168  # of a week
HOUR_OF_WEEK = (pl.col("ts") // HOUR_US - 96) % HOURS  # Monday 00:00 UTC first: 1970-01-05 was one

_KEYS = ["acct", "day", "kind", "key"]
_SAMPLE_DROP = ["account_id", "created", "answers"]


class Shared(NamedTuple):
    """Who has the objects of a kind: ``owners`` of those that two accounts or more have (acct, key, ``df``: how many accounts), and how
    many ``different`` ones there are in all."""

    owners: pl.DataFrame
    different: int


@dataclass(frozen=True)
class Profiles:
    """Profiles of a set of accounts over a set of days; see the module for the four tables."""

    accounts: pl.DataFrame
    counts: pl.DataFrame
    objects: pl.DataFrame
    sample: pl.DataFrame

    @classmethod
    def build(cls, frame: FeatureFrame) -> Self:
        """Profile of a batch of feature rows. The same event given twice counts once."""
        frame = frame.unique("event_key", keep="any").with_columns((pl.col("ts") // DAY_US).cast(pl.Int32).alias("day"))
        return cls(_least(frame), _counts(frame), _objects(frame), _bottom_k(frame.drop(_SAMPLE_DROP)))

    @classmethod
    def merge(cls, parts: Sequence[Profiles]) -> Profiles:
        """Profile of the union of the parts' events. Associative, commutative and exact; parts must not share events."""
        return parts[0] if len(parts) == 1 else _merge(_by_table(parts))

    @classmethod
    def of_rows(cls, rows: pl.DataFrame) -> Profiles:
        """Profile of sampled feature rows (as kept in ``sample``) under the ``acct`` they carry: slices of accounts."""
        return _OfRows(rows)

    def window(self, since: datetime | None, until: datetime | None = None) -> Profiles:
        """The part from the day of ``since`` on (UTC), up to that of ``until`` with it; all of it for None."""
        if since is None and until is None:
            return self
        recent = pl.lit(True)
        if since is not None:
            recent &= pl.col("day") >= int(since.timestamp() * 1_000_000 // DAY_US)
        if until is not None:
            recent &= pl.col("day") <= int(until.timestamp() * 1_000_000 // DAY_US)
        counts = self.counts.filter(recent)
        return Profiles(
            self.accounts.join(counts.select("acct").unique(), on="acct", how="semi"),
            counts,
            self.objects.filter(recent),
            self.sample.filter(recent),
        )

    def only(self, accts: pl.Series) -> Profiles:
        """The part of some accounts."""
        mine = pl.col("acct").is_in(accts.implode())
        return Profiles(*(table.filter(mine) for table in self._tables))

    @property
    def _tables(self) -> tuple[pl.DataFrame, ...]:
        return self.accounts, self.counts, self.objects, self.sample

    def __len__(self) -> int:
        return len(self.accounts)

    def to_bytes(self) -> bytes:
        """The four tables as one Arrow IPC stream after another, each behind its length."""
        out = io.BytesIO()
        for table in self._tables:
            block = io.BytesIO()
            table.write_ipc(block, compression="zstd")
            out.write(block.getbuffer().nbytes.to_bytes(8, "little"))
            out.write(block.getbuffer())
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Profiles:
        """Inverse of :meth:`to_bytes`. Raises ValueError on anything else."""
        tables, at = [], 0
        try:
            for _ in range(4):
                size = int.from_bytes(data[at : at + 8], "little")
                tables.append(pl.read_ipc(io.BytesIO(data[at + 8 : at + 8 + size])))
                at += 8 + size
        except Exception as error:
            raise ValueError(f"not a profile: {error}") from error
        return cls(*tables)

    def equals(self, other: Profiles) -> bool:
        """True when both profiles say the same, whatever the order of their rows."""
        by = (["acct"], ["acct", "day"], _KEYS, ["acct", "day", "event_key"])
        pairs = zip(self._tables, other._tables, by, strict=True)
        return all(mine.sort(k).equals(theirs.select(mine.columns).sort(k)) for mine, theirs, k in pairs)

    @cached_property
    def totals(self) -> pl.DataFrame:
        """Counters per account over all days, with ``days`` active."""
        return (
            self.counts.group_by("acct")
            .agg(*(pl.col(c).sum() for c in SUMS), pl.col("first").min(), pl.col("last").max(), pl.len().alias("days"))
            .sort("acct")
        )

    @cached_property
    def _by_kind(self) -> dict[str, pl.DataFrame]:
        return {}

    def kind(self, *names: str) -> pl.DataFrame:
        """Objects of some kinds, summed over days: kind, acct, key, n, first, last. Each kind is summed when first asked for."""
        for name in names:
            if name not in self._by_kind:
                self._by_kind[name] = self._sum_kind(name)
        return pl.concat([self._by_kind[name] for name in names])

    def shared(self, name: str) -> Shared:
        """Objects of one kind that accounts have in common, found when first asked for."""
        if name not in self._shared_by_kind:
            owned = self.kind(name).select("acct", "key").with_columns(pl.len().over("key").alias("df"))
            self._shared_by_kind[name] = Shared(owned.filter(pl.col("df") >= 2), owned["key"].n_unique())
        return self._shared_by_kind[name]

    @cached_property
    def _shared_by_kind(self) -> dict[str, Shared]:
        return {}

    @cached_property
    def co_movement(self) -> float:
        """Mean cosine of the hourly activity of two different accounts."""
        return co_movement(self.sample)

    def _sum_kind(self, name: str) -> pl.DataFrame:
        return _sum_over(self.objects.filter(pl.col("kind") == KIND[name]), ["kind", "acct", "key"])


class _OfRows(Profiles):
    """Of rows at hand: objects are counted kind by kind, those that are asked for."""

    def __init__(self, rows: pl.DataFrame) -> None:
        accounts = rows.group_by("acct").agg(
            pl.col("acct").first().cast(pl.String).alias("account_id"), pl.lit(None, pl.Int64).alias("created")
        )
        for name, table in (("accounts", accounts), ("counts", _counts(rows)), ("sample", rows)):
            object.__setattr__(self, name, table)

    @cached_property
    def _worded(self) -> pl.DataFrame:
        return _with_keys(self.sample.with_columns(pl.lit([], pl.List(pl.UInt64)).alias("answers")))

    @cached_property
    def objects(self) -> pl.DataFrame:
        return pl.concat(pl.collect_all([_count(self._worded, kind, ["acct", "day"]) for kind in KINDS]))

    def _sum_kind(self, name: str) -> pl.DataFrame:
        return _count(self._worded, name, ["acct"]).select("kind", "acct", "key", "n", "first", "last").collect()


def _by_table(parts: Sequence[Profiles]) -> list[list[pl.DataFrame]]:
    return [list(tables) for tables in zip(*(p._tables for p in parts), strict=True)]


def _merge(tables: list[list[pl.DataFrame]]) -> Profiles:
    """Merge table by table; each list is emptied, so that what nobody else holds makes room for the next."""
    merged = []
    for merge, table in zip((_least, _sum_counts, _sum_objects, _bottom_k), tables, strict=True):
        whole = pl.concat(table)
        table.clear()
        merged.append(merge(whole))
        del whole
    return Profiles(*merged)


def _least(accounts: pl.DataFrame) -> pl.DataFrame:
    return accounts.group_by("acct").agg(pl.col("account_id").min(), pl.col("created").min())


def _counts(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("acct", "day").agg(
        *(e.alias(c) for c, e in SUMS.items()), pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last")
    )


def _sum_counts(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.group_by("acct", "day").agg(
        *(pl.col(c).sum() for c in SUMS), pl.col("first").min(), pl.col("last").max()
    )


def _objects(frame: pl.DataFrame) -> pl.DataFrame:
    base = _with_keys(frame)
    return pl.concat(pl.collect_all([_count(base, kind, ["acct", "day"]) for kind in KINDS]))


def _with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        (pl.col("cluster") + 2).cast(pl.UInt64).alias("cluster"),
        (pl.col("ts") // SLOT_US).cast(pl.UInt64).alias("slot"),
        (HOUR_OF_WEEK + 1).cast(pl.UInt64).alias("hour_of_week"),
    )


def _count(base: pl.DataFrame, kind: str, by: list[str]) -> pl.LazyFrame:
    """Objects of a kind in feature rows: the columns ``by``, kind, key, n, first, last."""
    column = {"piece": "pieces", "answer": "answers"}.get(kind, kind)
    keys = base.lazy().select(*by, "ts", pl.col(column).alias("key"))
    if column in ("pieces", "answers"):
        keys = keys.explode("key").drop_nulls("key")
    counted = (
        keys.filter(pl.col("key") != 0)
        .group_by(*by, "key")
        .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
    )
    return counted.select(*by, pl.lit(KIND[kind], pl.UInt8).alias("kind"), "key", "n", "first", "last")


def _sum_objects(objects: pl.DataFrame) -> pl.DataFrame:
    return _sum_over(objects, _KEYS)


def _sum_over(objects: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Sums by some keys, among them ``acct``; many rows are summed a slice of the accounts at a time, which bounds memory."""
    slices = -(-len(objects) // ROWS_AT_ONCE)
    parts = (objects.filter(pl.col("acct") % slices == i) for i in range(slices)) if slices > 1 else [objects]
    sums = (pl.col("n").sum(), pl.col("first").min(), pl.col("last").max())
    return pl.concat([part.group_by(keys).agg(sums) for part in parts])


def _bottom_k(rows: pl.DataFrame) -> pl.DataFrame:
    """At most SAMPLE_PER_DAY rows per account and day, those with the smallest event keys (uniform, as keys are hashes)."""
    day = ["acct", "day"]
    crowded = rows.group_by(day).len().filter(pl.col("len") > SAMPLE_PER_DAY)
    if not len(crowded):
        return rows
    keys = rows.select(*day, "event_key").join(crowded, on=day, how="semi")
    last = keys.group_by(day).agg(pl.col("event_key").bottom_k(SAMPLE_PER_DAY).max().alias("last"))
    within = rows.select(*day, "event_key").join(last, on=day, how="left", maintain_order="left")
    return rows.filter(within.select((pl.col("event_key") <= pl.col("last")).fill_null(True)).to_series())


def merge_all(parts: Iterable[Profiles], fan_in: int = 16) -> Profiles | None:
    """Merge profiles as they come, in a tree: at most ``fan_in`` of a level are held, and no row is copied more than
    log(parts) times. None for no parts."""
    levels: list[list[Profiles]] = []
    for part in parts:
        for level in levels:
            level.append(part)
            if len(level) < fan_in:
                break
            part = _merge_and_clear(level)
        else:
            levels.append([part])
        del part
    rest = [part for level in levels for part in level]
    levels.clear()
    return _merge_and_clear(rest) if rest else None


def _merge_and_clear(parts: list[Profiles]) -> Profiles:
    if len(parts) == 1:
        return parts[0]
    tables = _by_table(parts)
    parts.clear()
    return _merge(tables)
