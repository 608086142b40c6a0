"""The blind spots in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detector.evaluate import Rate
from detector.rehearse.results import LATE, Rehearsal, ShapeResult

NBSP = "\u00a0"
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
    """What a family of harvest is after."""
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
    return [
        _blind_spot(*key, by_family, several_wordings=len(rehearsal.plan.paraphrases) > 1)
        for key, by_family in sorted(groups.items())
    ]


def _blind_spot(
    cover: float,
    accounts: int,
    requests: int,
    paraphrases: int,
    by_family: dict[str, list[ShapeResult]],
    several_wordings: bool,
) -> BlindSpot:
    results = [r for found in by_family.values() for r in found]
    caught = Rate.of(sum(r.caught.k for r in results), sum(r.caught.n for r in results))
    rehearsals = "rehearsal" if caught.n == 1 else "rehearsals"
    who = size(accounts, requests, paraphrases if several_wordings else None)
    after = listed([family(name) for name in by_family], "or")
    pronoun = "it is" if accounts == 1 else "they are"
    text = f"{who}, {_mixed(cover)}, would be missed when {pronoun} after {after} (caught in {caught.k} of {caught.n} {rehearsals})."
    return BlindSpot(
        accounts=accounts, requests=requests, paraphrases=paraphrases, cover=cover, families=list(by_family), caught=caught, text=text
    )  # fmt: skip


def size(accounts: int, requests: int, paraphrases: int | None = None) -> str:
    """How many accounts that send how much, to begin a sentence with."""
    who = (
        f"A single account that sends {requests:,} {_plural(requests, 'request')}"
        if accounts == 1
        else f"{accounts:,} accounts that send {requests:,} {_plural(requests, 'request')} each"
    )
    return who if paraphrases is None else f"{who} in {paraphrases} {_plural(paraphrases, 'wording')}"


def _plural(n: int, unit: str) -> str:
    return unit if n == 1 else f"{unit}s"


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
            f"The largest harvest that would go unseen: {s.harvest:,} answers to {who}, after {family(s.family)}.",
        ]
    caught = [o for o in rehearsal.outcomes if o.caught]
    if late := sum(o.exposure >= LATE for o in caught):
        out.append(
            f"Of the {len(caught):,} campaigns that were caught, {late:,} had half of their harvest answered or more before they were flagged."
        )
    return out
