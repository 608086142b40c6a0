"""Reasons for and against, in words with numbers: what a signal's value and its share in the log-odds come to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detector.assessment import Evidence, counted_in
from detector.behind import NOTHING, Behind
from detector.parts import ATTRIBUTES, WHOLE
from detector.scoring import Scorer
from detector.signals import SIGNALS, SIGNS
from detector.signals.base import percent

LACKING = "Little sign of "  # how a reason begins that speaks by its absence
MIN_CONTRIBUTION = 0.1  # log-odds; a reason that moves the risk by less is left out
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


def shown(contributions: np.ndarray) -> np.ndarray:
    """Of the shares in log-odds, of shape (..., len(SIGNALS)), which are reasons: 1 by what is there, -1 by what is missing."""
    weighty = np.abs(contributions) >= MIN_CONTRIBUTION
    return np.where(weighty, np.sign(contributions) * SIGNS, 0).astype(np.int8)


def evidence(
    values: np.ndarray,
    contributions: np.ndarray,
    n: int,
    scorer: Scorer,
    found: Mapping[int, Behind],
    part: str = "",
) -> list[Evidence]:
    """Reasons of one account, part or campaign, from its signals' values and shares in the log-odds, both of shape
    (len(SIGNALS),); contributions of less than a tenth are left out.

    ``found`` are the requests behind each, ``part`` says which of its requests were counted. What is there comes before what
    is missing (a lack of human rhythm, say), and the weightier before the lighter.
    """
    peers = scorer.peers(n)
    percentiles = peers.percentiles(values)
    signs = shown(contributions)
    out = []
    for j in np.argsort(-np.abs(contributions), kind="stable"):
        if not signs[j]:
            break
        signal = SIGNALS[j]
        value, contribution = float(values[j]), float(contributions[j])
        text = _lacking(signal.title, float(percentiles[j]), peers.words) if signs[j] < 0 else signal.text(value, n)
        requests = found.get(int(j), NOTHING)
        out.append(
            Evidence(
                signal=signal.name,
                title=signal.title,
                direction="against" if contribution < 0 else "for",
                value=signal.display(value),
                unit=signal.unit,
                percentile=float(percentiles[j]),
                among=peers.words,
                contribution=contribution,
                version=signal.version,
                event_ids=requests.event_ids,
                requests=requests.requests,
                looked_at=requests.of,
                text=text + counted_in(part),
                part=part,
            )
        )
    return sorted(out, key=lambda e: e.text.startswith(LACKING))


def part_words(attribute: int, requests: int, all_requests: int) -> str:
    """In which of an account's requests its evidence was counted; nothing where that is all of them."""
    if attribute == WHOLE:
        return ""
    return f"{requests:,} of its {all_requests:,} requests, those {tuple(ATTRIBUTES.values())[attribute]}"


def _lacking(title: str, percentile: float, peers: str) -> str:
    """A reason that speaks by its absence; ``percentile`` is the share of ``peers`` with a lower value."""
    return f"{LACKING}{title.lower()}: {percent(1 - percentile)} of {peers} show at least as much."


def harvest_of(contributions: np.ndarray) -> str | None:
    """What the work looks like: the strongest signal *for* that names a kind of harvest."""
    best = max(
        ((contributions[j], HARVESTS[s.name]) for j, s in enumerate(SIGNALS) if s.name in HARVESTS), default=None
    )
    return best[1] if best and best[0] > MIN_CONTRIBUTION else None
