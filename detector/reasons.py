"""Reasons for and against, in words with numbers: what a signal's value and its share in the log-odds come to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detector.accounts import AccountScores
from detector.assessment import Evidence, counted_in, over_all
from detector.behind import NOTHING, Behind
from detector.parts import ATTRIBUTES, WHOLE
from detector.scoring import Scorer
from detector.signals import SIGNALS
from detector.signals.base import percent
from detector.told import Told

LACKING = "Little sign of "  # how a reason begins that speaks by its absence
HARVESTS = {
    "reasoning_elicitation": "reasoning elicitation",
    "grading": "grading and preference data",
    "instruction_synthesis": "instruction synthesis",
    "trace_cleaning": "cleaning of captured answers",
    "repeated_sampling": "repeated sampling (rollouts)",
    "agentic_restarts": "agent trajectories",
    "logprobs": "log-probabilities",
    "session_replay": "session replay",
    "template_slots": "templated question sweep",
    "corpus_coverage": "instruction/answer pairs",
    "dataset_phrasing": "instruction/answer pairs",
}


def evidence(told: Told, scorer: Scorer, found: Mapping[int, Behind], part: str = "") -> list[Evidence]:
    """Reasons of one account, part or campaign: what is told of its signals, all of shape (len(SIGNALS),).

    ``found`` are the requests behind each, ``part`` says in which of its requests they were counted; empty: in all. What is there comes
    before what is missing (a lack of human rhythm, say), and the weightier before the lighter.
    """
    out = []
    for j in np.argsort(-np.abs(told.contributions), kind="stable"):
        if not told.signs[j]:
            continue
        signal, n, whole = SIGNALS[j], int(told.requests[j]), bool(told.of_whole[j])
        value, contribution = float(told.values[j]), float(told.contributions[j])
        percentile = float(told.percentiles[j])
        peers = scorer.peers(n).words
        text = _lacking(signal.title, percentile, peers) if told.signs[j] < 0 else signal.sentence(value, n)
        requests = found.get(int(j), NOTHING)
        out.append(
            Evidence(
                signal=signal.name,
                title=signal.title,
                direction="against" if contribution < 0 else "for",
                value=signal.display(signal.counted(value, n)),
                unit=signal.unit,
                percentile=percentile,
                among=peers,
                contribution=contribution,
                version=signal.version,
                event_ids=requests.event_ids,
                requests=requests.requests,
                looked_at=requests.of,
                text=text + (over_all(n) if whole else counted_in(part)),
                part="" if whole else part,
            )
        )
    return sorted(out, key=lambda e: e.text.startswith(LACKING))


def part_of(own: AccountScores, row: int) -> str:
    """In which of its requests the signals were counted that decide on an account, given by position; nothing where that is all."""
    attribute = int(own.attribute[row])
    if attribute == WHOLE:
        return ""
    return f"{int(own.requests[row]):,} of its {int(own.view.n[row]):,} requests, those {tuple(ATTRIBUTES.values())[attribute]}"


def _lacking(title: str, percentile: float, peers: str) -> str:
    """A reason that speaks by its absence; ``percentile`` is the share of ``peers`` with a lower value."""
    return f"{LACKING}{title.lower()}: {percent(1 - percentile)} of {peers} show at least as much."


def harvest_of(told: Told) -> str | None:
    """What the work looks like: the strongest reason *for* that names a kind of harvest."""
    there = [
        (told.contributions[j], HARVESTS[s.name])
        for j, s in enumerate(SIGNALS)
        if s.name in HARVESTS and told.signs[j] > 0
    ]
    return max(there)[1] if there else None
