"""The blind spots in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec

from detector.evaluate import Rate
from detector.rehearse.results import LATE, Rehearsal, ShapeResult
from detector.report.text import NBSP, quantity

NEARLY_ALL = 3  # times as many families missed as not, from which it is shorter to name these
FAMILIES = {
    "sft_pairs": "instruction/answer pairs",
    "reasoning": "reasoning elicitation",
    "fixed_prompt": "one fixed prompt over work of every kind",
    "rollouts": "repeated sampling (rollouts)",
    "agent_trajectories": "agent trajectories",
    "grader": "grading and preference data",
    "instruction_synthesis": "instruction synthesis",
    "trace_cleaning": "cleaning of captured answers",
    "session_replay": "replay of stored sessions",
    "relay": "relay of real users",
    "logprobs": "log-probabilities",
    "corpus_replay": "replay of a public corpus",
    "domain_sweep": "a sweep over one domain",
}


class BlindSpot(msgspec.Struct, frozen=True, kw_only=True):
    """Shapes of one size that would more likely be missed than caught, from some share of cover traffic on."""

    accounts: int
    requests: int
    paraphrases: int
    cover: float  # the least share from which they are missed
    families: list[str]
    caught: Rate  # over the shapes that are missed
    text: str


def family(name: str) -> str:
    """A family of harvest in words."""
    return FAMILIES.get(name, name.replace("_", " "))


def blind_spots(rehearsal: Rehearsal) -> list[BlindSpot]:
    """Blind spots, the least hidden and smallest first: those that need the least to stay unseen."""
    missed: dict[tuple[int, int, int, str], list[ShapeResult]] = {}
    for result in rehearsal.shapes():
        if result.blind:
            s = result.shape
            missed.setdefault((s.accounts, s.requests, s.paraphrases, s.family), []).append(result)
    groups: dict[tuple[float, int, int, int], dict[str, list[ShapeResult]]] = {}
    for (accounts, requests, paraphrases, name), found in missed.items():
        least = min(r.shape.cover for r in found)
        groups.setdefault((least, accounts, requests, paraphrases), {})[name] = found
    rehearsed = sorted({o.shape.family for o in rehearsal.outcomes})

    def least_cover(key: tuple[float, int, int, int], name: str) -> float:
        return min((r.shape.cover for r in missed.get((*key[1:], name), ())), default=inf)

    return [
        _blind_spot(
            *key,
            by_family,
            [name for name in rehearsed if least_cover(key, name) > key[0]],
            several_wordings=len(rehearsal.plan.paraphrases) > 1,
        )
        for key, by_family in sorted(groups.items())
    ]


def _blind_spot(
    cover: float,
    accounts: int,
    requests: int,
    paraphrases: int,
    by_family: dict[str, list[ShapeResult]],
    others: list[str],
    several_wordings: bool,
) -> BlindSpot:
    results = [r for found in by_family.values() for r in found]
    caught = Rate.of(sum(r.caught.k for r in results), sum(r.caught.n for r in results))
    who = size(accounts, requests, paraphrases if several_wordings else None)
    when = _when(list(by_family), others, "its harvest is" if accounts == 1 else "their harvest is")
    text = (
        f"{who}, {_mixed(cover)}, would be missed {when} (caught in {caught.k} of {quantity(caught.n, 'rehearsal')})."
    )
    return BlindSpot(
        accounts=accounts, requests=requests, paraphrases=paraphrases, cover=cover, families=list(by_family), caught=caught, text=text
    )  # fmt: skip


def _when(missed: list[str], others: list[str], harvest_is: str) -> str:
    """What they harvest; where that is nearly all, what they do not."""
    if len(missed) > 1 and not others:
        return f"whatever {harvest_is}"
    if others and len(missed) > NEARLY_ALL * len(others):
        return f"whatever {harvest_is}, except {listed([family(name) for name in others], 'and')}"
    return f"when {harvest_is} {listed([family(name) for name in missed], 'or')}"


def size(accounts: int, requests: int, paraphrases: int | None = None) -> str:
    """How many accounts that send how much, to begin a sentence with."""
    who = (
        f"A single account that sends {quantity(requests, 'request')}"
        if accounts == 1
        else f"{accounts:,} accounts that send {quantity(requests, 'request')} each"
    )
    return who if paraphrases is None else f"{who} in {quantity(paraphrases, 'wording')}"


def _mixed(cover: float) -> str:
    return f"{cover * 100:.0f}{NBSP}% of them ordinary traffic" if cover else "even with no ordinary traffic among them"


def listed(names: Sequence[str], joint: str) -> str:
    """Names in a sentence: a, b or c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"


def headline(rehearsal: Rehearsal) -> list[str]:
    """What an operator should know first, a sentence each."""
    results = rehearsal.shapes()
    blind = [r for r in results if r.blind]
    if not blind:
        tried = f"all {len(results)} shapes" if len(results) > 1 else "the one shape"
        out = [f"No blind spot: {tried} that were rehearsed would more likely be caught than missed."]
    else:
        worst = max(blind, key=lambda r: (r.shape.harvest, r.shape))
        s = worst.shape
        who = "one account" if s.accounts == 1 else f"{s.accounts:,} accounts"
        out = [
            f"{len(blind)} of {len(results)} shapes would more likely be missed than caught.",
            f"The largest harvest that would go unseen: {s.harvest:,} answers to {who} ({family(s.family)}).",
        ]
    caught = [o for o in rehearsal.outcomes if o.caught]
    if late := sum(o.exposure >= LATE for o in caught):
        out.append(
            f"Of the {len(caught):,} campaigns that were caught, {late:,} had half of their harvest answered or more before they were flagged."
        )
    return out
