"""Labelled traffic: honest customers of many kinds, and campaigns that harvest among them.

traffic = simulate(PRESETS["demo"], seed=1)
write(traffic, Path("traffic"))
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from detector.event import Event
from detector.simulate.campaign import Campaign, plant
from detector.simulate.harvests import HARVESTS
from detector.simulate.tenants import LOOKALIKES, TENANTS
from detector.simulate.texts import Texts, built_in
from detector.simulate.world import World

__all__ = [
    "HARVESTS",
    "LOOKALIKES",
    "PRESETS",
    "TENANTS",
    "Campaign",
    "Scenario",
    "Texts",
    "Traffic",
    "built_in",
    "simulate",
    "write",
]

LABELS = {
    "account_id": pl.String,
    "label": pl.String,
    "family": pl.String,
    "variant": pl.String,
    "campaign_id": pl.String,
    "lookalike": pl.Boolean,
}


@dataclass(frozen=True)
class Scenario:
    """What to simulate: number of tenants by kind, campaigns, days."""

    days: int = 7
    size: float = 1.0  # factor on the tenants' traffic
    tenants: dict[str, int] = field(default_factory=dict)
    campaigns: Sequence[Campaign] = ()


@dataclass
class Traffic:
    """Events in order of time; labels of accounts; and for attackers' events whether each is harvest or cover."""

    events: list[Event]
    accounts: pl.DataFrame
    harvest: pl.DataFrame


def _everyone(ordinary: int, each: int = 1) -> dict[str, int]:
    return {
        **dict.fromkeys(TENANTS, each),
        "chat_user": ordinary,
        "heavy_user": max(1, ordinary // 12),
        "single_turn_user": max(1, ordinary // 12),
    }


PRESETS = {
    "smoke": Scenario(
        size=0.3,
        tenants={**_everyone(40), "university": 0, "open_source_agent": 0},
        campaigns=(
            Campaign("reasoning", accounts=1, requests=120),
            Campaign("sft_pairs", accounts=8, requests=25, network="partly", payment="unshared"),
        ),
    ),
    "demo": Scenario(
        size=0.55,
        tenants=_everyone(230),
        campaigns=(
            Campaign("reasoning", accounts=1, requests=500, pace="clock"),
            Campaign(
                "reasoning",
                accounts=24,
                requests=30,
                cover=0.3,
                paraphrases=2,
                network="unshared",
                payment="unshared",
                aged=True,
                frames="B",
                pace="human",
            ),
            Campaign("sft_pairs", accounts=1, requests=600),
            Campaign("grader", accounts=6, requests=60, network="partly", payment="partly"),
            Campaign("instruction_synthesis", accounts=3, requests=90, frames="B"),
            Campaign("rollouts", accounts=1, requests=320),
            Campaign("logprobs", accounts=1, requests=250),
        ),
    ),
}


def simulate(scenario: Scenario, seed: int, texts: Texts | None = None) -> Traffic:
    """Traffic of a scenario: the same seed gives the same traffic. ``texts`` defaults to the built-in grammar's."""
    rng = random.Random(seed)
    world = World(rng, texts or built_in(rng.getrandbits(32)), scenario.days)
    for kind, count in scenario.tenants.items():
        for _ in range(count):
            TENANTS[kind](world, scenario.size * rng.uniform(0.6, 1.4))
    for campaign in scenario.campaigns:
        plant(world, campaign)
    world.events.sort(key=lambda e: (e.timestamp, e.event_id))
    harvest = pl.DataFrame(
        [
            (e.event_id, e.account_id, world.harvest[e.event_id], e.timestamp)
            for e in world.events
            if e.event_id in world.harvest
        ],
        schema={
            "event_id": pl.String,
            "account_id": pl.String,
            "harvest": pl.Boolean,
            "timestamp": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )
    return Traffic(world.events, pl.DataFrame(world.labels, schema=LABELS), harvest)


def write(traffic: Traffic, out: Path) -> None:
    """Write ``events.jsonl``, ``labels.parquet`` (accounts) and ``labels_events.parquet`` (attackers' events)."""
    out.mkdir(parents=True, exist_ok=True)
    encoder = msgspec.json.Encoder()
    with (out / "events.jsonl").open("wb") as file:
        file.writelines(encoder.encode(e) + b"\n" for e in traffic.events)
    traffic.accounts.write_parquet(out / "labels.parquet")
    traffic.harvest.write_parquet(out / "labels_events.parquet")
