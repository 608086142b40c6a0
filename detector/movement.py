"""How much accounts move together in time, hour by hour."""

from __future__ import annotations

import polars as pl

from detector.features import HOUR_US


def co_movements(rows: pl.DataFrame) -> pl.DataFrame:
    """Per group the mean cosine of the hourly activity of two different accounts, as ``movement``."""
    hours = rows.group_by("group", "acct", (pl.col("ts") // HOUR_US).alias("hour")).agg(
        pl.len().cast(pl.Float64).sqrt().alias("w")
    )
    unit = hours.with_columns(pl.col("w") / (pl.col("w") ** 2).sum().over("group", "acct").sqrt())
    total = unit.group_by("group", "hour").agg(pl.col("w").sum()).group_by("group").agg((pl.col("w") ** 2).sum())
    m = hours.group_by("group").agg(pl.col("acct").n_unique().cast(pl.Float64).alias("m"))
    return total.join(m, on="group").select(
        "group", ((pl.col("w") - pl.col("m")) / (pl.col("m") * (pl.col("m") - 1)).clip(1)).alias("movement")
    )


def co_movement(rows: pl.DataFrame) -> float:
    """Mean cosine of the hourly activity of two different accounts of a log, from their feature rows."""
    one = co_movements(rows.select("acct", "ts", pl.lit(0, pl.UInt64).alias("group")))
    return float(one["movement"].sum())
