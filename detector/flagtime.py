"""When the stream would have flagged: findings replayed on growing prefixes of the sample."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
from scipy.special import expit

from detector.campaigns import MIN_MEMBERS, slice_view
from detector.findings import when
from detector.profiles import Profiles
from detector.scoring import Scored, Scorer, logit, score
from detector.ties import campaign_log_odds
from detector.view import View

MIN_REQUESTS = 8  # an account or slice below this is never flagged on its own: nothing can be known of it
CHECKPOINTS = 16  # prefixes, in equal steps of log requests, at which the flag time is looked for


def account_flag_times(profiles: Profiles, own: Scored, flagged: np.ndarray, scorer: Scorer) -> dict[int, datetime]:
    """For each flagged account the time at which its own growing profile first passed the threshold, where it did.

    Replayed on the account's sample at CHECKPOINTS prefixes.
    """
    accts = own.view.acct.filter(pl.Series(flagged))
    if not len(accts):
        return {}
    rows = profiles.sample.filter(pl.col("acct").is_in(accts.implode())).sort("acct", "ts", "event_key")
    rows = rows.with_columns(
        (pl.int_range(pl.len()).over("acct") + 1).alias("rank"), pl.len().over("acct").alias("size")
    )
    times: dict[int, int] = {}
    for cut in _cuts(int(rows["size"].max()))[::-1]:  # type: ignore[arg-type]
        prefix = rows.filter((pl.col("rank") <= cut) & (pl.col("size") >= cut))
        if not len(prefix):
            continue
        view = View(Profiles.of_rows(prefix.drop("rank", "size")))
        passed = set(
            view.acct.filter(pl.Series(score(view, scorer).log_odds >= logit(scorer.weights.flag_at))).to_list()
        )
        ends = prefix.group_by("acct").agg(pl.col("ts").max())
        times.update({int(a): int(t) for a, t in ends.iter_rows() if a in passed})
    return {a: when(t) for a, t in times.items()}


def campaign_flag_times(rows: pl.DataFrame, features: pl.DataFrame, scorer: Scorer) -> dict[int, int]:
    """Time (microseconds) at which the growing slice of each group first made it a campaign, replayed at CHECKPOINTS prefixes."""
    ranked = rows.sort("group", "ts", "event_key").with_columns(
        (pl.int_range(pl.len()).over("group") + 1).alias("rank"), pl.len().over("group").alias("size")
    )
    times = {int(g): int(t) for g, t in rows.group_by("group").agg(pl.col("ts").max()).iter_rows()}
    for cut in _cuts(int(ranked["size"].max()))[::-1]:  # type: ignore[arg-type]
        prefix = ranked.filter((pl.col("rank") <= cut) & (pl.col("size") >= cut))
        about = prefix.group_by("group").agg(
            pl.col("acct").n_unique().alias("members"), pl.col("ts").max().alias("end")
        )
        about = about.filter(pl.col("members") >= MIN_MEMBERS)
        if not len(about):
            continue
        view = slice_view(prefix.join(about.select("group"), on="group", how="semi").drop("rank", "size"))
        then = pl.DataFrame({"group": view.acct, "log_odds": score(view, scorer).log_odds}).join(about, on="group")
        then = then.join(features.drop("log_odds"), on="group").with_columns(
            pl.col("members").log(2).alias("log_members")
        )
        risk = expit(campaign_log_odds(then, scorer))
        passed = then.filter(pl.Series(risk >= scorer.weights.campaign_flag_at))
        times.update({int(g): int(t) for g, t in passed.select("group", "end").iter_rows()})
    return times


def _cuts(size: int) -> np.ndarray:
    """Prefix lengths in equal steps of the logarithm, from MIN_REQUESTS on."""
    steps = np.linspace(0, np.log(max(size / MIN_REQUESTS, 1.01)), CHECKPOINTS)
    return np.unique(np.round(MIN_REQUESTS * np.exp(steps)).astype(int))
