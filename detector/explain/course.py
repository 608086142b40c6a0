"""How an account's own risk grew with its requests, and how it would go on."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from detector.accounts import score_accounts
from detector.explain.case import Case, case_of
from detector.findings import when
from detector.parts import MIN_REQUESTS
from detector.profiles import Profiles
from detector.scoring import Scorer

CHECKPOINTS = 48  # prefixes of the account's requests that are scored, in equal steps of their logarithm
MAX_GROWTH = 50.0  # times as many requests, up to which it is looked for a flag; more is no forecast
GROWTH_STEPS = 24  # in equal steps of the logarithm, 18 % each


class Point(msgspec.Struct, kw_only=True):
    """The account's own risk after so many requests."""

    requests: int
    at: datetime
    risk: float


def course(profiles: Profiles, scorer: Scorer) -> list[Point]:
    """Own risk of the one account of ``profiles`` as the stream would have seen it grow, replayed on its sample."""
    rows = profiles.sample.sort("ts", "event_key")
    if len(rows) < MIN_REQUESTS:
        return []
    scale = float(profiles.totals["n"][0]) / len(rows)  # a loud account's sample is a part of its requests
    cuts = np.unique(np.round(np.geomspace(MIN_REQUESTS, len(rows), CHECKPOINTS)).astype(int))
    prefixes = pl.concat(rows.head(int(cut)).with_columns(pl.lit(int(cut), pl.UInt64).alias("acct")) for cut in cuts)
    scored = score_accounts(Profiles.of_rows(prefixes), scorer)
    risk = scorer.risk(scored.log_odds)
    return [
        Point(requests=round(int(cut) * scale), at=when(int(rows["ts"][int(cut) - 1])), risk=float(r))
        for cut, r in zip(scored.view.acct, risk, strict=True)
    ]


def requests_until(profiles: Profiles, scorer: Scorer, threshold: float, case: Case) -> int | None:
    """How many requests of the same kind the account would have made when its own risk reaches ``threshold``.

    None where it does not within MAX_GROWTH times as many, or is there already.
    """
    if case.risk >= threshold:
        return None
    for factor in np.geomspace(1.05, MAX_GROWTH, GROWTH_STEPS):
        grown = case_of(profiles, scorer, float(factor))
        if grown.log_odds(grown.values[None])[0] >= case.line(threshold):
            return int(np.ceil(grown.requests))
    return None
