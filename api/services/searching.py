"""Accounts that ask alike, and accounts at the top, with what is known of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from api.schemas.search import SimilarAccount, SimilarIn, SimilarOut, TopBy, TopOut, TopRow
from api.services.likeness import Searcher
from api.storage import cases
from api.storage.engine import Database

MAX_EXAMPLE = 16  # prompts of an example account that are searched with
_SHOWN = ("risk", "verdict", "state", "requests", "harvest", "campaign_id")


class NothingToSearch(ValueError):
    """The text has no known word, or the account no prompt in the index."""


def similar(database: Database, searcher: Searcher, asked: SimilarIn) -> SimilarOut:
    """Accounts that ask like a text or like an account. Raises NoIndex, NothingToSearch."""
    built = searcher.built()
    if asked.text is not None:
        queries = searcher.encode(asked.text)
        if not len(queries):
            raise NothingToSearch(
                "no word of this text is known to the encoder: write a sentence as a prompt would have it"
            )
    else:
        queries = built.likeness.vectors_of(asked.account_id or "")[:MAX_EXAMPLE]
        if not len(queries):
            raise NothingToSearch(
                "this account has no prompt in the index: it is unknown, or sent no text within the window"
            )
    found = built.likeness.search(queries, asked.limit, asked.account_id)
    rows = cases.rows_of(database, [m.account_id for m in found])
    items = [
        SimilarAccount(
            **m._asdict(),
            **({name: getattr(rows[m.account_id], name) for name in _SHOWN} if m.account_id in rows else {}),
        )
        for m in found
    ]
    likeness = built.likeness
    return SimilarOut(items=items, built_at=built.at, accounts=len(likeness.names), sampled=likeness.index.ntotal)


def top(database: Database, searcher: Searcher, by: TopBy, days: int, limit: int) -> TopOut:
    """The accounts that sent most in the last days, with the days before them. Raises NoIndex."""
    built = searcher.built()
    table = built.likeness.days
    last = table["day"].max()
    if not isinstance(last, int):
        return TopOut(by=by, days=days, items=[], total=0, total_before=0, until_day=None, built_at=built.at)
    now, before = (
        table.filter((pl.col("day") > last - (i + 1) * days) & (pl.col("day") <= last - i * days))
        .group_by("account_id")
        .agg(pl.col(by).sum().alias("value"))
        .with_columns(pl.col("value").rank("min", descending=True).alias("rank"))
        for i in (0, 1)
    )
    first = now.sort(["value", "account_id"], descending=[True, False]).head(limit)
    joined = first.join(before, on="account_id", how="left", suffix="_before", maintain_order="left")
    rows = cases.rows_of(database, first["account_id"].to_list())
    items = [
        TopRow(
            account_id=name,
            value=value,
            before=earlier or 0,
            rank=rank,
            rank_before=rank_before,
            **({f: getattr(rows[name], f) for f in ("risk", "verdict", "state")} if name in rows else {}),
        )
        for name, value, rank, earlier, rank_before in joined.iter_rows()
    ]
    return TopOut(
        by=by,
        days=days,
        items=items,
        total=int(now["value"].sum()),
        total_before=int(before["value"].sum()),
        until_day=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=last),
        built_at=built.at,
    )
