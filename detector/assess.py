"""Assessment: from profiles to findings on accounts and campaigns."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import expit

from detector.assessment import Assessment
from detector.campaigns import slice_view
from detector.findings import account_findings
from detector.flagtime import MIN_REQUESTS, account_flag_times
from detector.grouping import assess_campaigns
from detector.profiles import Profiles
from detector.scoring import Scored, Scorer, logit, score
from detector.view import View

SLICE_SHARE = (0.1, 0.8)  # of an account's requests: a frame in so many is looked at by itself, without cover traffic
SLICES_PER_ACCOUNT = 2
SLICE_PENALTY = 1.0  # log-odds paid for having looked at more than one slice of the account


def assess(profiles: Profiles, scorer: Scorer, known_frames: pl.Series | None = None) -> Assessment:
    """Findings on every account and campaign. Evidence is attached where the verdict is not ``clear``."""
    weights = scorer.weights
    if not len(profiles):
        return Assessment(accounts=[], campaigns=[], threshold=weights.flag_at, watch_threshold=weights.watch_at)
    own = score(View(profiles), scorer)
    log_odds = np.maximum(own.log_odds, _slice_log_odds(profiles, own, scorer) - SLICE_PENALTY)
    few = own.view.n < MIN_REQUESTS
    log_odds[few] = np.minimum(log_odds[few], logit(weights.watch_at) - 1e-6)
    campaigns, member_of = assess_campaigns(profiles, scorer, known_frames)
    risk = expit(log_odds)
    by_acct = {int(a): i for i, a in enumerate(own.view.acct)}
    for acct, place in member_of.items():
        risk[by_acct[acct]] = max(risk[by_acct[acct]], place.risk)
    verdicts = np.where(risk >= weights.flag_at, 2, np.where(risk >= weights.watch_at, 1, 0))
    flagged_at = account_flag_times(profiles, own, verdicts == 2, scorer)
    accounts = account_findings(profiles, own, risk, verdicts, member_of, flagged_at, scorer)
    flagged = verdicts == 2
    return Assessment(
        accounts=accounts,
        campaigns=campaigns,
        expected_false_flags=float((1 - risk[flagged]).sum()),
        threshold=weights.flag_at,
        watch_threshold=weights.watch_at,
    )


def slices(profiles: Profiles, view: View) -> pl.DataFrame:
    """Slices of single accounts by a frame: feature rows with ``group`` (slice) and ``acct``."""
    totals = pl.DataFrame({"acct": view.acct, "all": view.n})
    pieces = (
        view.kind("piece")
        .join(totals, on="acct")
        .filter(
            (pl.col("key") % 2 == 0)
            & (pl.col("n") >= MIN_REQUESTS)
            & (pl.col("n") / pl.col("all")).is_between(*SLICE_SHARE)
        )
    )
    pieces = pieces.sort("n", "key", descending=True).group_by("acct", maintain_order=True).head(SLICES_PER_ACCOUNT)
    pieces = pieces.select("acct", "key", pl.struct("acct", "key").hash(1).alias("group"))
    rows = profiles.sample.join(pieces.select("acct").unique(), on="acct", how="semi")
    hits = (
        rows.select("event_key", "acct", pl.col("pieces").alias("key")).explode("key").join(pieces, on=["acct", "key"])
    )
    return rows.join(hits.select("event_key", "group"), on="event_key")


def _slice_log_odds(profiles: Profiles, own: Scored, scorer: Scorer) -> np.ndarray:
    """Best log-odds among an account's slices, aligned to the accounts; -inf where there is none."""
    rows = slices(profiles, own.view)
    if not len(rows):
        return np.full(len(own.view), -np.inf)
    view = slice_view(rows)
    scored = score(view, scorer)
    best = (
        pl.DataFrame({"group": view.acct, "log_odds": scored.log_odds, "n": view.n})
        .filter(pl.col("n") >= MIN_REQUESTS)
        .join(rows.select("group", "acct").unique(), on="group")
        .group_by("acct")
        .agg(pl.col("log_odds").max())
    )
    return own.view.aligned(best, "log_odds", -np.inf)
