"""The overlap of signals as a job: what each one, live or in shadow, adds to the others."""

from __future__ import annotations

import time

import numpy as np

from api.schemas.base import CaseState
from api.schemas.jobs import OverlapAccount, SignalOverlap, SignalsIn, SignalsSummary
from api.schemas.signals import SignalState
from api.services import shadowing
from api.services.assessing import reviewed
from api.services.jobs.work import Work, kept_profiles
from api.storage import cases
from detector.overlap import FOR, Overlap, overlap
from detector.scoring import STRONG
from detector.signals import SIGNALS

SAMPLES = 20  # accounts named of each signal


def compare(work: Work, asked: SignalsIn) -> SignalsSummary:
    """Decide on the profiles of the period with each signal's state turned. Raises ValueError for no profiles."""
    start = time.perf_counter()
    profiles = kept_profiles(work, asked.since, asked.until)
    work.progress.stage("deciding with each signal in the other state")
    shadow = shadowing.holding(work.database)
    detector = reviewed(work.detector, cases.honest(work.database))
    found = overlap(profiles, detector, shadow, lambda done, total: work.progress.step(done, total, "signals"))
    states = cases.states(work.database)
    summary = SignalsSummary(
        accounts=len(found.accounts),
        flagged=int(found.flagged.sum()),
        since=asked.since,
        until=asked.until,
        seconds=time.perf_counter() - start,
        strong_from=STRONG,
        signals=[_row(found, i, "shadow" if SIGNALS[j].name in shadow else "live", states) for i, j in enumerate(FOR)],
        shared=np.round(found.shared, 4).tolist(),
    )
    (work.out / "signals.json").write_text(summary.model_dump_json(indent=1), encoding="utf-8")
    return summary


def _row(found: Overlap, i: int, state: SignalState, states: dict[str, CaseState]) -> SignalOverlap:
    """One signal, the column ``i`` of the overlap."""
    signal = SIGNALS[FOR[i]]
    counting, left_out = found.flagged, found.turned[:, i]
    if state == "shadow":
        counting, left_out = left_out, counting
    only = [
        OverlapAccount(
            account_id=found.accounts[a],
            requests=int(found.requests[a]),
            state=states.get(found.accounts[a], "open"),
        )
        for a in np.flatnonzero(counting & ~left_out)
    ]
    labelled = {state: sum(a.state == state for a in only) for state in ("confirmed", "dismissed")}
    return SignalOverlap(
        signal=signal.name,
        title=signal.title,
        state=state,
        strong=int(found.strong[:, i].sum()),
        anyway=int((found.strong[:, i] & left_out).sum()),
        only=len(only),
        confirmed=labelled["confirmed"],
        dismissed=labelled["dismissed"],
        unlabelled=len(only) - sum(labelled.values()),
        samples=sorted(only, key=lambda a: -a.requests)[:SAMPLES],
    )
