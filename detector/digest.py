"""What a finding shows of the requests behind it: examples, templates, topics and hours, for many accounts or campaigns at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from detector.assessment import Template
from detector.profiles import HOUR_OF_WEEK, HOURS

EXAMPLES = 6  # requests that a finding points to
TEMPLATES = 5  # shown of a finding, the most used first
MIN_TEMPLATE = (3, 0.05)  # requests, and share of all: a sentence in fewer is no template of the finding
CLUSTERS = 40  # shown of a finding


@dataclass
class Digest:
    """Of one account's or campaign's requests."""

    examples: list[str] = field(default_factory=list)  # event ids, of different prompts
    templates: list[Template] = field(default_factory=list)
    clusters: list[tuple[int, int]] = field(default_factory=list)  # (cluster, requests), most frequent first
    activity: list[int] = field(default_factory=lambda: [0] * HOURS)  # requests by hour of the week


def digests(rows: pl.DataFrame, by: str, usage: pl.DataFrame) -> dict[int, Digest]:
    """A digest for each value of the column ``by`` of feature rows.

    ``usage`` tells in how many ``accounts`` a sentence (``pieces``) is used, within each value of ``by`` where it has that column.
    """
    rows = rows.select(by, "event_key", "event_id", "ts", "cluster", "prompt", "pieces").sort(by, "event_key")
    out = {int(key): Digest() for key in rows[by].unique()}
    different = rows.unique([by, "prompt"], keep="first", maintain_order=True).group_by(by, maintain_order=True)
    for key, ids in different.agg(pl.col("event_id").head(EXAMPLES)).iter_rows():
        out[key].examples = ids
    for key, cluster, n in _clusters(rows, by).iter_rows():
        out[key].clusters.append((cluster, n))
    for key, at, n in rows.group_by(by, HOUR_OF_WEEK.alias("hour")).len().iter_rows():
        out[key].activity[at] = n
    for row in _templates(rows, by, usage).iter_rows(named=True):
        out[row[by]].templates.append(
            Template(
                template_id=f"{row['pieces']:016x}",
                requests=row["n"],
                share=row["n"] / row["all"],
                distinct_slots=row["slots"],
                accounts=row["accounts"],
                event_ids=row["ids"],
            )
        )
    return out


def _clusters(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    topics = rows.filter(pl.col("cluster") >= 0).group_by(by, "cluster").len()
    topics = topics.sort(by, "len", "cluster", descending=[False, True, False])
    return topics.group_by(by, maintain_order=True).head(CLUSTERS)


def _templates(rows: pl.DataFrame, by: str, usage: pl.DataFrame) -> pl.DataFrame:
    """The sentences that most of the requests share: by, pieces, n, slots (different prompts), ids, all, accounts."""
    sizes = rows.group_by(by).agg(pl.len().alias("all"))
    used = rows.select(by, "event_id", "prompt", "pieces").explode("pieces").drop_nulls("pieces")
    used = used.filter(pl.col("pieces") % 2 == 0)
    few, share = MIN_TEMPLATE
    frequent = (
        used.group_by(by, "pieces")
        .len("n")
        .join(sizes, on=by)
        .filter((pl.col("n") >= few) & (pl.col("n") >= share * pl.col("all")))
        .sort(by, "n", "pieces", descending=[False, True, False])
        .group_by(by, maintain_order=True)
        .head(TEMPLATES)
    )
    told = (
        used.join(frequent.select(by, "pieces"), on=[by, "pieces"])
        .group_by(by, "pieces")
        .agg(pl.col("prompt").n_unique().alias("slots"), pl.col("event_id").sort().head(EXAMPLES).alias("ids"))
    )
    on = [c for c in (by, "pieces") if c in usage.columns]
    return (
        frequent.join(told, on=[by, "pieces"], how="left", maintain_order="left")
        .join(usage, on=on, how="left", maintain_order="left")
        .with_columns(pl.col("accounts").fill_null(1))
    )
