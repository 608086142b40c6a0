"""Requests of a small provider: one account that elicits reasoning over a work list, and ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detector.simulate import Campaign, Scenario, simulate

HARVESTER = "acct-north"
ORDINARY = ("acct-baker", "acct-clinic", "acct-garden", "acct-school")

CHAT = "Gladly. Here is a short answer that should help; tell me if you would like more detail."

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
    """The harvester's request bodies: one frame that asks for the reasoning behind known answers, over many problems."""
    campaign = Campaign("reasoning", "rationale", requests=count)
    traffic = simulate(Scenario(size=0.1, tenants={"chat_user": 1}, campaigns=(campaign,)), 3)
    attackers = set(traffic.accounts.filter(traffic.accounts["label"] == "attack")["account_id"])
    for event in traffic.events:
        if event.account_id in attackers:
            system = [{"role": "system", "content": event.system}] if event.system else []
            turns = [{"role": m.role, "content": m.content} for m in event.messages]
            yield {"model": "reasoner", "temperature": 1.0, "max_tokens": 4096, "messages": [*system, *turns]}


def conversation(account: str, rounds: int) -> Iterator[dict[str, Any]]:
    """An ordinary account's request bodies: conversations that grow turn by turn."""
    for number in range(rounds):
        history: list[dict[str, str]] = []
        for turn, text in enumerate(TALKS[account]):
            opening = f"Day {number + 1}. " if turn == 0 else ""
            history = [*history, {"role": "user", "content": opening + text}]
            yield {"model": "assistant", "messages": history}
            history = [*history, {"role": "assistant", "content": CHAT}]
