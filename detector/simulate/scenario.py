"""A scenario, and the traffic that comes of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from detector.event import Event
from detector.simulate.arrivals import Arrivals
from detector.simulate.campaign import Campaign, plant
from detector.simulate.grammar import built_in
from detector.simulate.tenants import TENANTS
from detector.simulate.texts import Texts
from detector.simulate.world import World

MEMBERS = {"open_source_agent": 60, "company_template": 40, "university": 40, "hackathon": 20}
SPREAD = 0.5  # log-normal spread of the tenants' sizes around the scenario's

ACCOUNTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "account_id": pl.String,
    "label": pl.String,  # attack | benign
    "family": pl.String,  # of harvest; for honest accounts their kind
    "variant": pl.String,
    "campaign_id": pl.String,
    "lookalike": pl.Boolean,
    "kind": pl.String,  # of tenant; null for attackers
}
EVENTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.String,
    "account_id": pl.String,
    "harvest": pl.Boolean,  # else cover, or a reseller's honest customer
    "timestamp": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Scenario:
    """What to simulate."""

    days: int = 7
    size: float = 1.0  # factor on the tenants' traffic
    tenants: dict[str, int] = field(default_factory=dict)  # kind -> how many of them
    members: dict[str, int] = field(default_factory=dict)  # kind -> accounts of a tenant that has many
    campaigns: Sequence[Campaign] = ()


@dataclass
class Traffic:
    """Events in order of time; labels of accounts, of attackers' events, and of campaigns with their settings."""

    events: list[Event]
    accounts: pl.DataFrame
    harvest: pl.DataFrame
    campaigns: pl.DataFrame


def simulate(
    scenario: Scenario,
    seed: int,
    texts: Texts | None = None,
    arrivals: Callable[[random.Random, int], Arrivals] = Arrivals,
) -> Traffic:
    """Traffic of a scenario: the same seed gives the same traffic.

    ``texts`` default to the built-in grammar's; ``arrivals(rng, days)`` may give other moments, e.g. from recorded traces.
    Raises ValueError where the scenario or the texts make no sense.
    """
    if scenario.days < 1:
        raise ValueError("a scenario needs at least one day")
    if unknown := [k for k in scenario.tenants if k not in TENANTS]:
        raise ValueError(f"unknown tenants {', '.join(unknown)}: choose among {', '.join(TENANTS)}")
    rng = random.Random(seed)
    world = World(rng, texts or built_in(seed), scenario.days, MEMBERS | scenario.members, arrivals(rng, scenario.days))
    for kind, count in scenario.tenants.items():
        for _ in range(count):
            TENANTS[kind](world, scenario.size * min(max(rng.lognormvariate(0, SPREAD), 0.3), 3.0))
    for campaign in scenario.campaigns:
        plant(world, campaign)
    return collect(world)


def collect(world: World) -> Traffic:
    """The world's log and labels, in an order that tells nothing."""
    world.events.sort(key=lambda e: (e.timestamp, e.event_id))
    world.labels.sort(key=lambda label: str(label["account_id"]))
    rows = [(e.event_id, e.account_id, world.harvest[e.event_id], e.timestamp) for e in world.events if e.event_id in world.harvest]  # fmt: skip
    return Traffic(
        world.events,
        pl.DataFrame(world.labels, schema=ACCOUNTS),
        pl.DataFrame(rows, schema=EVENTS, orient="row"),
        pl.DataFrame(world.campaigns, infer_schema_length=None),
    )


def write(traffic: Traffic, out: Path) -> None:
    """Write ``events.jsonl``, ``labels.parquet`` and ``labels.jsonl`` (accounts), ``labels_events.parquet`` (attackers'
    events) and ``campaigns.parquet``."""
    out.mkdir(parents=True, exist_ok=True)
    encoder = msgspec.json.Encoder()
    with (out / "events.jsonl").open("wb") as file:
        file.writelines(encoder.encode(e) + b"\n" for e in traffic.events)
    traffic.accounts.write_parquet(out / "labels.parquet")
    traffic.accounts.write_ndjson(out / "labels.jsonl")
    traffic.harvest.write_parquet(out / "labels_events.parquet")
    if traffic.campaigns.width:
        traffic.campaigns.write_parquet(out / "campaigns.parquet")
