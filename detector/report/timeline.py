"""When the log's requests were made, by flagged accounts and by all others; exact, from the profiles' ten-minute slots."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import polars as pl

from detector.features import DAY_US, HOUR_US
from detector.profiles import KIND, SLOT_US, Profiles
from detector.report.summary import TimeBin

HOURLY_UP_TO_DAYS = 10  # a longer log is drawn by day: more than 240 bars cannot be told apart
MAX_BINS = 1_000  # a clock gone wrong in one row must not make a chart of a million empty days


def timeline(profiles: Profiles, flagged: Collection[str]) -> list[TimeBin]:
    """Requests by hour, or by day for a long log, without gaps; ``flagged`` are account ids."""
    slots = profiles.objects.filter(pl.col("kind") == KIND["slot"])
    if not len(slots):
        return []
    start, end = int(slots["key"].min()) * SLOT_US, int(slots["key"].max()) * SLOT_US  # type: ignore[arg-type]
    width = HOUR_US if end - start <= HOURLY_UP_TO_DAYS * DAY_US else DAY_US
    guilty = profiles.accounts.filter(pl.col("account_id").is_in(list(flagged))).select(
        "acct", pl.lit(True).alias("flagged")
    )
    bins = (
        slots.join(guilty, on="acct", how="left")
        .with_columns(
            (pl.col("key").cast(pl.Int64) * SLOT_US // width).alias("bin"), pl.col("flagged").fill_null(False)
        )
        .group_by("bin", "flagged")
        .agg(pl.col("n").sum())
    )
    counts = {(int(b), bool(f)): int(n) for b, f, n in bins.iter_rows()}
    first, last = start // width, end // width
    numbers = range(first, last + 1) if last - first < MAX_BINS else sorted({b for b, _ in counts})[-MAX_BINS:]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        TimeBin(epoch + timedelta(microseconds=b * width), counts.get((b, True), 0), counts.get((b, False), 0))
        for b in numbers
    ]
