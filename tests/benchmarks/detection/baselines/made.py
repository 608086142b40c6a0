"""Small made logs: ordinary accounts, and one that each method should find."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from detector.event import Account, Event, Message, Usage

START = datetime(2026, 9, 7, 9, tzinfo=UTC)
TOPICS = {
    "cooking": "rice soup oven bread garlic butter onion pan salt recipe",
    "garden": "roses soil seeds compost lawn hedge tulips watering pruning shade",
    "travel": "train hotel luggage museum ferry passport beach island tickets map",
    "health": "vaccine fever doctor sleep vitamins allergy headache exercise diet knee",
    "money": "tax loan savings rent pension insurance salary budget mortgage invoice",
    "music": "guitar piano chord melody concert drums singer violin album rhythm",
    "pets": "puppy kitten leash hamster parrot aquarium feeding vet collar training",
    "cars": "engine brakes tyres gearbox battery oil exhaust clutch dashboard fuel",
}
FORMS = (
    "How do I choose {0} and {1} for {2}?",
    "What should I know about {0}, {1} or {2} before I start?",
    "My neighbour says {0} matters more than {1} with {2}, is that so?",
    "Write a short note to my sister about {0} and {1}, and mention {2}",
    "Is {0} dearer than {1}? I only need {2} for a week",
)


def question(rng: random.Random, topic: str) -> str:
    """A made question of a topic."""
    return rng.choice(FORMS).format(*rng.sample(TOPICS[topic].split(), 3))


def requests(account: str, prompts: list[str], output: int = 50, hours: float = 1.0, payment: str = "") -> list[Event]:
    """One request a prompt, spread evenly over so many hours."""
    return [
        Event(
            event_id=f"{account}-{i}",
            account_id=account,
            timestamp=START + timedelta(hours=hours * i / len(prompts)),
            messages=[Message(content=prompt)],
            usage=Usage(input_tokens=20, output_tokens=output),
            account=Account(payment_fingerprint=payment or None),
        )
        for i, prompt in enumerate(prompts)
    ]


def ordinary(count: int = 40, seed: int = 5) -> list[Event]:
    """Accounts of 6 to 14 questions about two topics each."""
    rng = random.Random(seed)
    out = []
    for i in range(count):
        topics = rng.sample(list(TOPICS), 2)
        prompts = [question(rng, rng.choice(topics)) for _ in range(rng.randint(6, 14))]
        out += requests(f"user{i:02}", prompts, output=rng.randint(30, 90), hours=rng.uniform(1, 6))
    return out


def everywhere(account: str, count: int) -> list[Event]:
    """An account that asks about every topic in turn."""
    rng = random.Random(account)
    topics = list(TOPICS)
    return requests(account, [question(rng, topics[i % len(topics)]) for i in range(count)])


def about(account: str, topic: str, count: int) -> list[Event]:
    """An account that asks about one topic."""
    rng = random.Random(account)
    return requests(account, [question(rng, topic) for _ in range(count)])
