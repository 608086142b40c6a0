"""A backtest as a job: what other thresholds would have flagged, held against what people decided."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from api.schemas.base import CaseState
from api.schemas.jobs import BacktestAccount, BacktestIn, BacktestPoint, BacktestSummary
from api.services.assessing import reviewed
from api.services.jobs.work import Work, kept_profiles
from api.storage import cases
from detector.assessment import AccountFinding, top_reason
from detector.scoring import Scorer

SAMPLES = 50  # accounts named of each kind


class _Scored(NamedTuple):
    finding: AccountFinding
    score: float
    state: CaseState


def backtest(work: Work, asked: BacktestIn) -> BacktestSummary:
    """Assess the profiles of the period once, and apply every threshold to the scores. Raises ValueError for no profiles."""
    start = time.perf_counter()
    profiles = kept_profiles(work, asked.since, asked.until)
    work.progress.stage("assessing")
    detector = reviewed(work.detector, cases.honest(work.database))
    now = detector.scorer.weights.max_false_flags
    shares = sorted({*asked.shares, now})
    assessment = detector.with_max_false_flags(shares[-1]).assess(
        profiles
    )  # the loosest: with reasons for all it flags
    states = cases.states(work.database)
    scored = [
        _Scored(a, a.score if a.score is not None else -math.inf, states.get(a.account_id, "open"))
        for a in assessment.accounts
    ]
    points = [_point(scored, detector.scorer, share, share == now) for share in shares]
    cuts = {share: detector.scorer.with_max_false_flags(share).cuts[0] for share in shares}
    flagged = sorted((s for s in scored if s.score > cuts[shares[-1]]), key=lambda s: -s.score)
    summary = BacktestSummary(
        accounts=len(scored),
        since=asked.since,
        until=asked.until,
        seconds=time.perf_counter() - start,
        points=points,
        confirmed=_samples(flagged, ("confirmed",), cuts),
        dismissed=_samples(flagged, ("dismissed",), cuts),
        unlabelled=_samples(flagged, ("open", "need_more"), cuts),
    )
    (work.out / "backtest.json").write_text(summary.model_dump_json(indent=1), encoding="utf-8")
    return summary


def _point(scored: Sequence[_Scored], base: Scorer, share: float, current: bool) -> BacktestPoint:
    scorer = base.with_max_false_flags(share)
    cut = scorer.cuts[0]
    flagged = [s for s in scored if s.score > cut]
    by_state = {state: sum(s.state == state for s in flagged) for state in ("confirmed", "dismissed")}
    honest = np.array([s.finding.requests for s in scored if s.score <= cut or s.state == "dismissed"], float)
    mean, low, high = scorer.expected_false_flags(honest) if math.isfinite(cut) else (0.0, 0.0, 0.0)
    return BacktestPoint(
        share=share,
        current=current,
        flagged=len(flagged),
        confirmed=by_state["confirmed"],
        dismissed=by_state["dismissed"],
        unlabelled=len(flagged) - sum(by_state.values()),
        missed=sum(s.state == "confirmed" and s.score <= cut for s in scored),
        expected_false=mean,
        expected_false_interval=(low, high),
    )


def _samples(flagged: Sequence[_Scored], states: Sequence[str], cuts: dict[float, float]) -> list[BacktestAccount]:
    """Accounts in some states, evenly over all that are flagged, so that the doubtful are among them."""
    mine = [s for s in flagged if s.state in states]
    step = max(len(mine) / SAMPLES, 1.0)
    chosen = [mine[int(i * step)] for i in range(min(len(mine), SAMPLES))]
    return [
        BacktestAccount(
            account_id=s.finding.account_id,
            requests=s.finding.requests,
            state=s.state,
            harvest=s.finding.harvest,
            top_reason=top_reason(s.finding),
            needs=min(share for share, cut in cuts.items() if s.score > cut),
        )
        for s in chosen
    ]
