"""Reasons for and against, in words with numbers: what a signal's value and its share in the log-odds come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detector.accounts import AccountScores
from detector.assessment import Evidence, counted_in, over_all
from detector.behind import NOTHING, Behind
from detector.parts import ATTRIBUTES, WHOLE
from detector.scoring import Scorer
from detector.signals import SIGNALS, SIGNS
from detector.signals.base import percent

LACKING = "Little sign of "  # how a reason begins that speaks by its absence
MIN_CONTRIBUTION = 0.1  # log-odds; a reason that moves the risk by less is left out
TYPICAL = 0.5  # percentile of an ordinary account
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


def shown(contributions: np.ndarray, percentiles: np.ndarray) -> np.ndarray:
    """Which shares in log-odds, of shape (..., len(SIGNALS)), are reasons: 1 by what is there, -1 by what is missing.

    What would be told as there must lie in the upper half of ordinary accounts, what as missing in the lower. Else a signal counts only
    by what it means beside the others, which no sentence about it alone could say.
    """
    signs = np.sign(contributions) * SIGNS
    weighty = np.abs(contributions) >= MIN_CONTRIBUTION
    return np.where(weighty & (signs * (percentiles - TYPICAL) >= 0), signs, 0).astype(np.int8)


def evidence(
    values: np.ndarray,
    contributions: np.ndarray,
    percentiles: np.ndarray,
    n: int,
    scorer: Scorer,
    found: Mapping[int, Behind],
    part: Part | None = None,
) -> list[Evidence]:
    """Reasons of one account, part or campaign, from its signals' values, shares in the log-odds and places among ordinary accounts,
    all of shape (len(SIGNALS),); see :func:`shown` for those that are none.

    ``found`` are the requests behind each, ``part`` is told where not all ``n`` of them were counted. What is there comes before what
    is missing (a lack of human rhythm, say), and the weightier before the lighter.
    """
    signs = shown(contributions, percentiles)
    out = []
    for j in np.argsort(-np.abs(contributions), kind="stable"):
        if not signs[j]:
            continue
        signal = SIGNALS[j]
        value, contribution = float(values[j]), float(contributions[j])
        whole = part is not None and bool(part.of_whole[j])
        of = part.all_requests if part and whole else n
        peers = scorer.peers(of)
        lacking = _lacking(signal.title, float(percentiles[j]), peers.words)
        text = lacking if signs[j] < 0 else signal.sentence(value, of)
        where = "" if part is None else over_all(of) if whole else counted_in(part.words)
        requests = found.get(int(j), NOTHING)
        out.append(
            Evidence(
                signal=signal.name,
                title=signal.title,
                direction="against" if contribution < 0 else "for",
                value=signal.display(signal.counted(value, of)),
                unit=signal.unit,
                percentile=float(percentiles[j]),
                among=peers.words,
                contribution=contribution,
                version=signal.version,
                event_ids=requests.event_ids,
                requests=requests.requests,
                looked_at=requests.of,
                text=text + where,
                part="" if part is None or whole else part.words,
            )
        )
    return sorted(out, key=lambda e: e.text.startswith(LACKING))


@dataclass(frozen=True)
class Part:
    """A part of an account, whose signals were counted beside those of the whole."""

    words: str  # which of its requests: see :func:`part_words`
    all_requests: int
    of_whole: np.ndarray  # bool of shape (len(SIGNALS),): what is told of the signal is told of the whole account


def part_of(own: AccountScores, row: int, of_whole: np.ndarray) -> Part | None:
    """The part that decides on an account, given by position; None where that is the whole of it."""
    requests = int(own.view.n[row])
    words = part_words(int(own.attribute[row]), int(own.requests[row]), requests)
    return Part(words, requests, of_whole) if words else None


def part_words(attribute: int, requests: int, all_requests: int) -> str:
    """In which of an account's requests its evidence was counted; nothing where that is all of them."""
    if attribute == WHOLE:
        return ""
    return f"{requests:,} of its {all_requests:,} requests, those {tuple(ATTRIBUTES.values())[attribute]}"


def _lacking(title: str, percentile: float, peers: str) -> str:
    """A reason that speaks by its absence; ``percentile`` is the share of ``peers`` with a lower value."""
    return f"{LACKING}{title.lower()}: {percent(1 - percentile)} of {peers} show at least as much."


def harvest_of(contributions: np.ndarray, percentiles: np.ndarray) -> str | None:
    """What the work looks like: the strongest reason *for* that names a kind of harvest."""
    there = shown(contributions, percentiles) > 0
    best = max(
        ((contributions[j], HARVESTS[s.name]) for j, s in enumerate(SIGNALS) if s.name in HARVESTS and there[j]),
        default=None,
    )
    return best[1] if best and best[0] > MIN_CONTRIBUTION else None
