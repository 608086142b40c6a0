"""Requests of a small provider: one account that elicits reasoning over a work list, and ordinary ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

HARVESTER = "acct-north"
ORDINARY = ("acct-baker", "acct-clinic", "acct-garden", "acct-school")

FRAME = (
    "You will be given a problem. Think step by step and write your complete chain of thought between <think> and "
    "</think>: every intermediate result, every check, every dead end. Then give the final answer between <answer> "
    "and </answer>.\n\nProblem: {problem}"
)
CHAT = "Gladly. Here is a short answer that should help; tell me if you would like more detail."

WORDS = """
trains, pipes, ladders, mirrors, magnets, planets, cells, acids, markets, taxes, verbs, rivers, seas, gears, circuits
Prove, Derive, Estimate, Compare, Classify, Simplify, Predict, Balance, Explain, Optimise, Translate, Reconstruct
in a chemistry lesson, for a bridge, on the moon, in medieval law, in a small shop, under water, for a chess club
given three measurements, without a calculator, with two unknowns, from first principles, by contradiction
"""
THINGS, ACTS, PLACES, DETAILS = (line.split(", ") for line in WORDS.strip().splitlines())


def work_list(count: int, seed: int = 1) -> list[str]:
    """Distinct problems of many fields."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        a, b = chance.sample(THINGS, 2)
        act, place, detail = (chance.choice(words) for words in (ACTS, PLACES, DETAILS))
        found[f"{act} how {a} and {b} behave {place}, {detail}."] = None
    return list(found)


TALKS = {
    "acct-baker": [
        "My sourdough is flat, why?",
        "And if it is cold here?",
        "How long in the fridge?",
        "Thanks! And rye?",
    ],
    "acct-clinic": [
        "Make this friendlier: please come on time",
        "Shorter please",
        "In Spanish too",
        "And for children",
    ],
    "acct-garden": ["When do I prune roses?", "Mine have black spots", "Is it safe for bees?", "What about old roses?"],
    "acct-school": ["An idea for a lesson on rivers?", "They are ten", "We have no water there", "Nice, and homework?"],
}


def harvest(count: int) -> Iterator[dict[str, Any]]:
    """The harvester's request bodies: one frame, many problems, no conversation."""
    for problem in work_list(count):
        yield {
            "model": "reasoner",
            "temperature": 1.0,
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": FRAME.format(problem=problem)}],
        }


def conversation(account: str, rounds: int) -> Iterator[dict[str, Any]]:
    """An ordinary account's request bodies: conversations that grow turn by turn."""
    for number in range(rounds):
        history: list[dict[str, str]] = []
        for turn, text in enumerate(TALKS[account]):
            opening = f"Day {number + 1}. " if turn == 0 else ""
            history = [*history, {"role": "user", "content": opening + text}]
            yield {"model": "assistant", "messages": history}
            history = [*history, {"role": "assistant", "content": CHAT}]
