"""Single requests beside what their account does as a whole: what a signal's ``shows`` reads."""

from __future__ import annotations

import numpy as np
import polars as pl

from detector.intent import LIKELY
from detector.profiles import MARKS
from detector.view import View


class Rows:
    """Feature rows, each of an account (``acct``) of the view. Every answer is an array of shape (rows,)."""

    def __init__(self, table: pl.DataFrame, view: View) -> None:
        self.table = table
        self.view = view

    def column(self, name: str) -> np.ndarray:
        """A column as it is."""
        return self.table[name].to_numpy()

    def marked(self, name: str) -> np.ndarray:
        """Whether each request is what a mark of :data:`detector.profiles.MARKS` says."""
        return self.table.select(MARKS[name]).to_series().to_numpy()

    def likely(self, intent: str) -> np.ndarray:
        """Whether each request counts as of an intent class."""
        return self.column(f"intent_{intent}") >= LIKELY

    def times(self, kind: str, column: str | None = None) -> np.ndarray:
        """How many requests of its account have the object of a kind that stands in a column, that of its name if none is given."""
        return self.times_of(self.view.kind(kind), column or kind)

    def times_of(self, objects: pl.DataFrame, column: str) -> np.ndarray:
        """The same in a table (acct, key, n) of objects; 0 where a request's is not in it."""
        keys = self.table.select("acct", pl.col(column).alias("key"))
        mine = objects.join(keys.select("acct").unique(), on="acct", how="semi").select("acct", "key", "n")
        return keys.join(mine, on=["acct", "key"], how="left", maintain_order="left")["n"].fill_null(0).to_numpy()

    def usual(self, kind: str) -> np.ndarray:
        """Whether each request has the account's most frequent object of a kind."""
        times = pl.Series(self.times(kind))
        most = self.view.kind(kind).group_by("acct").agg(pl.col("n").max())
        top = self.table.select("acct").join(most, on="acct", how="left", maintain_order="left")["n"].fill_null(0)
        return ((times > 0) & (times == top)).to_numpy()

    def carries(self, pieces: pl.DataFrame) -> np.ndarray:
        """Whether each request has one of its account's pieces of a table (acct, key)."""
        each = self.table.select("acct", pl.col("pieces").alias("key")).with_row_index("row").explode("key")
        hits = each.join(pieces.select("acct", "key").unique(), on=["acct", "key"], how="semi")["row"].unique()
        found = np.zeros(len(self.table), bool)
        found[hits.to_numpy()] = True
        return found
