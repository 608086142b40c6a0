"""The requests behind each reason: those that show what it speaks of, or lack it where it speaks by its absence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from detector.rows import Rows
from detector.signals import SIGNALS
from detector.view import View

MOST = 12  # requests that a reason points to


@dataclass(frozen=True)
class Behind:
    """Of one reason."""

    event_ids: list[str]
    requests: int | None  # of those looked at; None where it is of all of them together
    of: int  # requests looked at


NOTHING = Behind([], None, 0)


def behind(table: pl.DataFrame, view: View, reasons: Mapping[int, np.ndarray]) -> dict[int, dict[int, Behind]]:
    """What stands behind each reason, by account of the view and position of the signal.

    ``table`` are the accounts' feature rows, ``reasons`` of each account int8 of shape (len(SIGNALS),): 1 where it shows a
    signal, -1 where it lacks it, 0 where that is no reason.
    """
    if not reasons:
        return {}
    table = table.filter(pl.col("acct").is_in(pl.Series(list(reasons), dtype=pl.UInt64).implode())).sort(
        "acct", "event_key"
    )
    sizes = dict(table.group_by("acct").len().iter_rows())
    found: dict[int, dict[int, Behind]] = {acct: {} for acct in reasons}
    rows = Rows(table, view)
    accts = np.array(sorted(reasons), np.uint64)
    signs = np.array([reasons[a] for a in sorted(reasons)])[np.searchsorted(accts, table["acct"].to_numpy())]
    for j, signal in enumerate(SIGNALS):
        wanted = signs[:, j] != 0
        if not wanted.any():
            continue
        if signal.shows is not None:
            wanted &= signal.shows(rows) == (signs[:, j] > 0)
        chosen = _chosen(table.filter(wanted), signal.beside)
        for acct in reasons:
            if reasons[acct][j]:
                n, ids = chosen.get(acct, (0, []))
                found[acct][j] = Behind(ids, None if signal.shows is None else n, sizes.get(acct, 0))
    return found


def _chosen(table: pl.DataFrame, beside: str | None) -> dict[int, tuple[int, list[str]]]:
    """For each account the number of its rows, and the ids of some: of different prompts, or those that belong side by side."""
    sizes = table.group_by("acct").agg(pl.len().alias("n"))
    different = ["acct", "prompt"] if beside is None else ["acct", "event_key"]
    some = table.sort("acct", beside or "event_key", "ts").unique(different, keep="first", maintain_order=True)
    ids = some.group_by("acct").agg(pl.col("event_id").head(MOST))
    return {acct: (n, event_ids) for acct, n, event_ids in sizes.join(ids, on="acct").iter_rows()}
