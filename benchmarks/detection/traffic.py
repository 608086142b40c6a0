"""Labelled traffic from the real corpora: python -m benchmarks.detection.traffic --out DIR --side test --seed 1

Every harvest in several variants, sizes and evasions, every look-alike, and ordinary users with real conversations.
``--side train`` takes permissively licensed corpora and frames of group A; ``--side test`` other corpora of any licence
and frames of group B. ``--scale full`` has 3,000 ordinary users, ``dev`` about 1,500 honest accounts in all.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from benchmarks.detection.corpora import CORPORA, texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.timing import Recorded
from detector.simulate import (
    GROUPS,
    HARVESTS,
    TENANTS,
    Arrivals,
    Scenario,
    Traffic,
    anything,
    benchmark,
    simulate,
    write,
)

SCALES = {  # of --scale: what the finer options default to
    "small": {"ordinary": 150, "each": 1, "per_family": 1, "size": 0.4, "largest": 25},
    "dev": {"ordinary": 800, "each": 3, "per_family": 5, "size": 0.8, "largest": 500},
    "full": {"ordinary": 3000, "each": 8, "per_family": 8, "size": 0.6, "largest": 500},
}
DEV_MEMBERS = {"open_source_agent": 300, "company_template": 40, "university": 120, "hackathon": 40}
SMALL_MEMBERS = {"open_source_agent": 30, "company_template": 10, "university": 20, "hackathon": 10}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options; what is not given follows from --side and --scale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", choices=("train", "test", "all"), default="test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", choices=tuple(SCALES), default="dev")
    parser.add_argument("--licence", choices=("permissive", "all"), help="rows to take (train: permissive, else all)")
    parser.add_argument("--frames", choices=GROUPS, help="group of frames (train: A, else B)")
    parser.add_argument("--ordinary", type=int, help="ordinary users")
    parser.add_argument("--each", type=int, help="tenants of each other kind")
    parser.add_argument("--per-family", type=int, help="campaigns of each family")
    parser.add_argument("--campaigns", type=int, help="campaigns in all, instead of --per-family")
    parser.add_argument("--size", type=float, help="factor on the tenants' traffic")
    parser.add_argument("--largest", type=int, help="most accounts of a campaign")
    parser.add_argument(
        "--exclude", "--exclude-family", action="append", default=[], help="family or tenant kind to leave out"
    )
    parser.add_argument(
        "--any-texts", action="store_true", help="people who ask anything, campaigns that harvest on anything"
    )
    parser.add_argument(
        "--begun", action="store_true", help="of half of the accounts only the first requests, as while they begin"
    )
    parser.add_argument("--only-family", action="append", default=[], help="the only families to plant")
    parser.add_argument("--exclude-corpus", action="append", default=[], choices=sorted(CORPORA))
    parser.add_argument("--include-corpus", action="append", default=[], choices=sorted(CORPORA))
    parser.add_argument("--arrivals", choices=("recorded", "model"), default="recorded")
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    options = parser.parse_args(arguments)
    for name, value in SCALES[options.scale].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.frames = options.frames or ("A" if options.side == "train" else "B")
    for name in (*options.exclude, *options.only_family):
        if name not in HARVESTS and name not in TENANTS:
            parser.error(f"{name!r} is no family and no tenant: choose among {', '.join([*HARVESTS, *TENANTS])}")
    return options


def scenario(
    seed: int,
    *,
    ordinary: int,
    each: int,
    per_family: int,
    frames: str,
    exclude: Sequence[str] = (),
    only: Sequence[str] = (),
    largest: int = 100,
    size: float = 0.6,
    members: dict[str, int] | None = None,
    campaigns: int | None = None,
) -> Scenario:
    """A scenario over all kinds of tenants and families but the excluded ones; ``campaigns`` of all that are planned are kept."""
    planned = benchmark(
        seed,
        ordinary=ordinary,
        each=each,
        per_family=per_family,
        frames=frames,
        size=size,
        without=exclude,
        only=only,
        largest=largest,
        members=members,
    )
    if campaigns is None:
        return planned
    kept = random.Random(seed).sample(list(planned.campaigns), min(campaigns, len(planned.campaigns)))
    return replace(planned, campaigns=kept)


def plan(options: argparse.Namespace) -> Scenario:
    """The scenario that the options describe."""
    families = [
        f for f in HARVESTS if f not in options.exclude and (not options.only_family or f in options.only_family)
    ]
    per_family = options.per_family
    if options.campaigns:
        per_family = -(-options.campaigns // max(1, len(families)))
    planned = scenario(
        options.seed,
        ordinary=options.ordinary,
        each=options.each,
        per_family=per_family,
        frames=options.frames,
        exclude=options.exclude,
        only=options.only_family,
        largest=options.largest,
        size=options.size,
        members={"small": SMALL_MEMBERS, "dev": DEV_MEMBERS}.get(options.scale),
        campaigns=options.campaigns,
    )
    return anything(planned) if options.any_texts else planned


def just_begun(traffic: Traffic, seed: int) -> Traffic:
    """The traffic as it is while half of its accounts only begin: of these the first requests, from 2 on, few as often as many."""
    rng = random.Random(seed)
    sent = Counter(event.account_id for event in traffic.events)
    left = {a: n if rng.random() < 0.5 else math.ceil(n ** rng.random()) for a, n in sorted(sent.items())}
    events = []
    for event in traffic.events:
        if left[event.account_id]:
            left[event.account_id] -= 1
            events.append(event)
    harvest = traffic.harvest.filter(pl.col("event_id").is_in([event.event_id for event in events]))
    return replace(traffic, events=events, harvest=harvest)


def main(arguments: list[str] | None = None) -> None:
    """Write one set of traffic."""
    options = parse(arguments)

    def arrivals(rng: random.Random, days: int) -> Arrivals:
        return Recorded(rng, days, options.corpora) if options.arrivals == "recorded" else Arrivals(rng, days)

    try:
        pools = texts(
            options.side, options.seed, options.corpora, options.exclude_corpus, options.licence, options.include_corpus
        )
        planned = plan(options)
        traffic = simulate(planned, options.seed, pools, arrivals)
        if options.begun:
            traffic = just_begun(traffic, options.seed)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    write(traffic, options.out)
    attackers = int((traffic.accounts["label"] == "attack").sum())
    print(f"{len(traffic.events):,} events of {len(traffic.accounts):,} accounts -> {options.out}")
    print(f"{attackers:,} accounts harvest, in {len(planned.campaigns)} campaigns")


if __name__ == "__main__":
    main()
