"""Labelled traffic from the real corpora: python -m benchmarks.detection.traffic --out DIR --side test --seed 1

Every harvest in several sizes and evasions, every look-alike, and ordinary users.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from detector.simulate import HARVESTS, TENANTS, Campaign, Scenario, simulate, write

SIZES = ((1, 300), (1, 900), (5, 120), (25, 40), (100, 20))
COVERS = (0.0, 0.0, 0.3, 0.5, 0.8)


def campaigns(rng: random.Random, families: list[str], frames: str, per_family: int, largest: int) -> list[Campaign]:
    """Campaigns of every family with evasions drawn at random."""
    out = []
    for family in families:
        for _ in range(per_family):
            accounts, requests = rng.choice([s for s in SIZES if s[0] <= largest])
            out.append(
                Campaign(
                    family,
                    accounts=accounts,
                    requests=int(requests * rng.uniform(0.7, 1.3)),
                    cover=rng.choice(COVERS),
                    paraphrases=rng.choice((1, 1, 2, 4)),
                    network=rng.choice(("shared", "partly", "unshared")),
                    payment=rng.choice(("shared", "partly", "unshared", "unshared")),
                    aged=rng.random() < 0.5,
                    pace=rng.choice(("job", "job", "clock", "human", "drip")),
                    failover=rng.random() < 0.1 and accounts > 1,
                    frames=frames,
                    honest_share=0.05 if rng.random() < 0.1 else 0.0,
                )
            )
    return out


def scenario(
    seed: int, *, ordinary: int, each: int, per_family: int, frames: str, exclude: list[str], largest: int = 100
) -> Scenario:
    """A scenario over all kinds of tenants and families but the excluded ones."""
    rng = random.Random(seed * 7919)
    families = [f for f in HARVESTS if f not in exclude]
    tenants = {k: each for k in TENANTS if k not in exclude}
    for kind, count in (
        ("chat_user", ordinary),
        ("heavy_user", ordinary // 25),
        ("single_turn_user", ordinary // 12),
        ("company_template", 1),
        ("university", 1),
        ("open_source_agent", 2),
    ):
        if kind in tenants:
            tenants[kind] = count
    return Scenario(days=7, size=0.6, tenants=tenants, campaigns=campaigns(rng, families, frames, per_family, largest))


def main() -> None:
    """Write one set of traffic."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", choices=("train", "test"), default="test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ordinary", type=int, default=1200, help="ordinary users")
    parser.add_argument("--each", type=int, default=4, help="tenants of each other kind")
    parser.add_argument("--per-family", type=int, default=4, help="campaigns of each family")
    parser.add_argument("--exclude", action="append", default=[], help="family or tenant kind to leave out")
    parser.add_argument("--exclude-corpus", action="append", default=[])
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    options = parser.parse_args()
    plan = scenario(
        options.seed,
        ordinary=options.ordinary,
        each=options.each,
        per_family=options.per_family,
        frames="A" if options.side == "train" else "B",
        exclude=options.exclude,
    )
    traffic = simulate(
        plan, options.seed, texts(options.side, options.seed, options.corpora, tuple(options.exclude_corpus))
    )
    write(traffic, options.out)
    print(
        f"{len(traffic.events):,} events, {len(traffic.accounts):,} accounts, {len(plan.campaigns)} campaigns -> {options.out}"
    )


if __name__ == "__main__":
    main()
