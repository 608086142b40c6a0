"""Scenarios ready for use."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from detector.simulate.campaign import Campaign
from detector.simulate.harvests import HARVESTS
from detector.simulate.scenario import Scenario
from detector.simulate.tenants import LOOKALIKES, TENANTS

SHAPES = (  # accounts, requests per account, and how many campaigns of 24 have that shape
    (1, 1000, 2),
    (1, 300, 4),
    (1, 120, 2),
    (5, 150, 3),
    (5, 60, 3),
    (25, 40, 4),
    (25, 20, 2),
    (100, 20, 3),
    (500, 10, 1),
)
COVERS = (0.0, 0.3, 0.5, 0.8)
TEACHING = (
    "curious_user",
    "preamble_user",
)  # kinds that teach the scorer; the benchmark is without them, to stay the same
T = TypeVar("T")


def everyone(ordinary: int, each: int = 1) -> dict[str, int]:
    """Tenants of every kind but those for TEACHING, ``each`` of them, and ``ordinary`` people who chat."""
    return {
        **{kind: each for kind in TENANTS if kind not in TEACHING},
        "chat_user": ordinary,
        "heavy_user": max(1, ordinary // 20),
        "single_turn_user": max(each, ordinary // 12),
    }


def anything(planned: Scenario) -> Scenario:
    """The scenario with texts that tell nothing: people who ask anything are added, and campaigns harvest on anything."""
    ordinary = planned.tenants["chat_user"]
    askers = {"single_turn_user": ordinary // 2, "curious_user": ordinary, "preamble_user": ordinary // 2}
    return replace(
        planned,
        tenants={**planned.tenants, **askers},
        campaigns=[replace(campaign, any_texts=True) for campaign in planned.campaigns],
    )


def campaigns(
    rng: random.Random,
    families: Sequence[str] = tuple(HARVESTS),
    per_family: int = 5,
    frames: str = "A",
    largest: int = 500,
    scale: float = 1.0,
) -> list[Campaign]:
    """Campaigns of every family, with every evasion spread over them: sizes and covers in turn, the rest at random."""
    count = len(families) * per_family
    shapes = _balanced(rng, [(a, n) for a, n, times in SHAPES if a <= largest for _ in range(times)], count)
    covers = _balanced(rng, COVERS, count)
    out = []
    for family in families:
        for _ in range(per_family):
            (accounts, requests), cover = shapes.pop(), covers.pop()
            out.append(
                Campaign(
                    family,
                    accounts=accounts,
                    requests=max(6, round(requests * rng.uniform(0.7, 1.3) * scale)),
                    cover=cover,
                    reseller=0.15 if rng.random() < 0.1 and cover < 0.8 else 0.0,
                    paraphrases=rng.choice((1, 1, 2, 4, 8)),
                    frames=frames,
                    network=rng.choice(("shared", "partly", "unshared", "unshared", "rotating")),
                    payment=rng.choice(("shared", "partly", "unshared", "unshared")),
                    aged=rng.random() < 0.5,
                    pace=rng.choice(("job", "job", "burst", "clock", "human", "office", "drip", "flood")),
                    jitter=rng.choice((0.1, 1.0, 1.0)),
                    failover=rng.random() < 0.12 and accounts > 1,
                    overlap=rng.choice((0.0, 0.0, 0.0, 0.2)),
                    uneven=rng.random() < 0.3,
                    fake_users=rng.random() < 0.1,
                    narrow=rng.random() < 0.25,
                    days=rng.choice((None, None, 2.0, 4.0)),
                )
            )
    return out


def _balanced(rng: random.Random, values: Sequence[T], count: int) -> list[T]:
    """``count`` of the values, each about equally often, in random order."""
    out: list[T] = []
    while len(out) < count:
        out += rng.sample(list(values), min(len(values), count - len(out)))
    return rng.sample(out, count)


def benchmark(
    seed: int,
    *,
    ordinary: int = 3000,
    each: int = 6,
    per_family: int = 6,
    frames: str = "B",
    size: float = 0.6,
    days: int = 7,
    without: Sequence[str] = (),
    only: Sequence[str] = (),
    largest: int = 500,
    members: dict[str, int] | None = None,
) -> Scenario:
    """A scenario of all tenants and families but those ``without`` (or ``only`` the families named), composed by parameters."""
    for name in (*without, *only):
        if name not in HARVESTS and name not in TENANTS:
            raise ValueError(f"{name!r} is no family and no tenant: choose among {', '.join([*HARVESTS, *TENANTS])}")
    families = [f for f in HARVESTS if f not in without and (not only or f in only)]
    tenants = {k: n for k, n in everyone(ordinary, each).items() if k not in without}
    for kind in ("company_template", "university", "hackathon", "open_source_agent"):
        if kind in tenants:
            tenants[kind] = max(1, each // 3)
    sizes = members or {"open_source_agent": 300, "company_template": 40, "university": 200, "hackathon": 40}
    planned = campaigns(random.Random(seed * 7919 + 17), families, per_family, frames, largest)
    return Scenario(days=days, size=size, tenants=tenants, members=sizes, campaigns=planned)


PRESETS = {
    "smoke": Scenario(
        size=0.16,
        days=3,
        tenants={
            **dict.fromkeys(
                sorted(LOOKALIKES - {"university", "hackathon", "open_source_agent", "company_template"}), 1
            ),
            "chat_user": 40,
            "heavy_user": 1,
        },
        campaigns=(
            Campaign("reasoning", "tags", requests=120),
            Campaign("sft_pairs", "frame", accounts=8, requests=25, network="partly", payment="unshared"),
        ),
    ),
    "demo": Scenario(
        size=1.15,
        tenants={**everyone(180, 2), "company_template": 1, "university": 1, "hackathon": 1, "open_source_agent": 1},
        members={"open_source_agent": 40, "company_template": 12, "university": 30, "hackathon": 12},
        campaigns=(
            Campaign("reasoning", "tags", requests=500, pace="clock"),
            Campaign(  # the quiet hydra
                "reasoning",
                "system",
                accounts=24,
                requests=44,
                cover=0.3,
                paraphrases=2,
                network="unshared",
                payment="unshared",
                aged=True,
                frames="B",
                pace="human",
            ),
            Campaign("sft_pairs", "plain", requests=600),
            Campaign("grader", "preference", accounts=6, requests=60, network="partly", payment="partly"),
            Campaign("instruction_synthesis", "self_instruct", accounts=3, requests=90, frames="B"),
            Campaign("rollouts", "samples", requests=320),
            Campaign("logprobs", "top_k", requests=250),
        ),
    ),
    "benchmark": benchmark(1, ordinary=1000, each=3, per_family=3, largest=100),
}
