"""Parts of an account's traffic, set apart by one attribute, so that cover traffic does not dilute what stands out.

Who mixes a harvest with ordinary conversations leaves a part of the requests that differs from the rest in some attribute: a
constant sentence, explicit settings, log-probabilities, histories that were never built up here, ... Each part is scored by the
same signals as a whole account.
"""

from __future__ import annotations

import polars as pl

from detector.features import HOUR_US
from detector.intent import CLASSES, LIKELY
from detector.profiles import MARKS, Profiles
from detector.view import REPEAT, View

MIN_REQUESTS = 8  # an account or part below this is never flagged on its own: nothing can be known of it
SHARE = (0.08, 0.9)  # of an account's requests; a larger part is the account, a smaller one an exception
PER_ATTRIBUTE = 2  # parts of one account by the same attribute, the largest ones

ATTRIBUTES = {
    "sentence": "that carry one constant sentence",
    "system": "with one system prompt",
    "settings": "with one set of sampling settings",
    "tools": "with one set of tools",
    "model": "to one of its models",
    "logprobs": "that ask for log-probabilities",
    "intent": "that look like one kind of harvest",
    "alone": "that nothing follows up",
    "replayed": "whose earlier turns never happened here",
    "sampled": "that sample one task again and again",
    "hour": "of one hour",
    "day": "of one day",
}
"""What sets a part apart, and the words for it."""
WHOLE = len(ATTRIBUTES)  # stands for the account as a whole
_AT = {name: i for i, name in enumerate(ATTRIBUTES)}


def parts(
    profiles: Profiles, view: View, span: tuple[int, int] = (0, 2**64 - 1), only: pl.Series | None = None
) -> pl.DataFrame:
    """Feature rows of all parts with ``group`` (part), ``attribute`` (position in ATTRIBUTES) and ``share`` of the account's rows.

    ``span`` are the first and the last account of those whose parts are wanted, ``only`` the wanted parts, where not all are.
    """
    first, last = (pl.lit(acct, pl.UInt64) for acct in span)
    mine = pl.col("acct").is_between(first, last)
    own = profiles.sample.filter(mine)
    sample = own.join(
        pl.DataFrame({"acct": view.acct, "all": view.n}).filter(pl.col("all") >= MIN_REQUESTS / SHARE[1]), on="acct"
    )
    states, parents = view.kind("state").filter(mine), view.kind("parent").filter(mine)
    states = states.select("acct", pl.col("key").alias("state"), pl.col("n").alias("times"))
    parents = parents.select("acct", pl.col("key").alias("state"), pl.lit(True).alias("continued"))
    known = states.select("acct", pl.col("state").alias("parent"), pl.lit(True).alias("known"))
    rows = (
        sample.select(
            "event_key",
            "acct",
            "ts",
            "day",
            "state",
            "parent",
            "system",
            "settings",
            "tools",
            "model",
            "logprobs",
            "user_turns",
            "tool_turns",
            "n",
            "pieces",
            *(f"intent_{c}" for c in CLASSES),
        )
        .join(states, on=["acct", "state"], how="left")
        .join(parents, on=["acct", "state"], how="left")
        .join(known, on=["acct", "parent"], how="left")
    )
    keys = {
        "system": pl.col("system"),
        "settings": pl.col("settings"),
        "tools": pl.col("tools"),
        "model": pl.col("model"),
        "logprobs": (pl.col("logprobs") > 0).cast(pl.UInt64),
        "alone": (MARKS["stateless"] & pl.col("continued").is_null()).cast(pl.UInt64),
        "replayed": ((pl.col("parent") != 0) & pl.col("known").is_null()).cast(pl.UInt64),
        "hour": (pl.col("ts") // HOUR_US).cast(pl.UInt64),
        "day": pl.col("day").cast(pl.UInt64),
        "sampled": ((pl.col("times") >= REPEAT) | (pl.col("n") > 1)).cast(pl.UInt64),
    }
    likely = [
        (pl.when(pl.col(f"intent_{c}") >= LIKELY).then(i).otherwise(0))
        for i, c in enumerate(CLASSES)
        if c != "ordinary"
    ]
    keys["intent"] = pl.sum_horizontal(likely).cast(pl.UInt64)
    tables = [
        rows.select("event_key", "acct", pl.lit(_AT[a], pl.UInt8).alias("attribute"), k.alias("key")).filter(
            pl.col("key") != 0
        )
        for a, k in keys.items()
    ]
    pieces = (
        rows.select(
            "event_key", "acct", pl.lit(_AT["sentence"], pl.UInt8).alias("attribute"), pl.col("pieces").alias("key")
        )
        .explode("key")
        .drop_nulls("key")
    )
    tables.append(pieces.filter(pl.col("key") % 2 == 0))
    marked = pl.concat(tables)
    totals = rows.group_by("acct").agg(pl.len().alias("all"))
    sizes = marked.group_by("acct", "attribute", "key").agg(pl.len().alias("size")).join(totals, on="acct")
    sizes = sizes.with_columns((pl.col("size") / pl.col("all")).alias("share")).filter(
        (pl.col("size") >= MIN_REQUESTS) & pl.col("share").is_between(*SHARE)
    )
    kept = (
        sizes.sort("size", "key", descending=True)
        .group_by("acct", "attribute", maintain_order=True)
        .head(PER_ATTRIBUTE)
        .with_columns(pl.struct("acct", "attribute", "key").hash(1).alias("group"))
    )
    hits = marked.join(kept.select("acct", "attribute", "key", "group", "share"), on=["acct", "attribute", "key"])
    hits = hits.select("acct", "event_key", "group", "attribute", "share")
    hits = hits if only is None else hits.filter(pl.col("group").is_in(only.implode()))
    return own.join(hits, on=["acct", "event_key"])  # an event may stand in several prefixes of an account
