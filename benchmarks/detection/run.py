"""Measure detection: python -m benchmarks.detection.run --seeds 41 42 43

Traffic of other corpora and other frames than the detector was fitted on (``benchmarks.detection.corpora``), one log a seed,
with recorded arrival times, at the shipped thresholds. Beside it, on the same logs, what one would take instead
(``benchmarks.detection.baselines``), each at the thresholds that flag one honest account in a hundred and in a thousand
(which an operator could not know, so this favours them). Then logs without any harvest, and hydras: a hundred accounts of
twenty requests, half of them cover, with nothing shared but the work. Writes results.json beside this file;
``benchmarks.detection.folds`` adds what is left out in turn, ``benchmarks.detection.plots`` draws it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from rich.console import Console

from benchmarks.detection.baselines import score_all
from benchmarks.detection.baselines.measure import Comparison, compare, judge, print_comparison
from benchmarks.detection.baselines.reference import ordinary_prompts
from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.timing import Recorded
from benchmarks.detection.traffic import scenario
from detector.assessment import Assessment
from detector.evaluate import Metrics, Rate, measure, print_metrics
from detector.pipeline import Detector
from detector.profiling import profile_files
from detector.progress import Progress
from detector.simulate import HARVESTS, Arrivals, Campaign, Scenario, Traffic, simulate, write

RESULTS = Path(__file__).parent / "results.json"
HYDRA = Campaign(
    "reasoning",
    accounts=100,
    requests=20,
    cover=0.5,
    frames="B",
    network="unshared",
    payment="unshared",
    aged=True,
    pace="human",
)
HYDRA_CAUGHT = 0.5  # share of its accounts that must be flagged


class Stated(msgspec.Struct):
    """What was said of the number of false flags, and what they were."""

    expected: float
    low: float
    high: float
    found: int

    @property
    def holds(self) -> bool:
        """True where the truth lies within the stated bounds."""
        return self.low <= self.found <= self.high


class Hydra(msgspec.Struct):
    """One hydra: its harvest, and the share of its accounts that were flagged."""

    seed: int
    family: str
    variant: str
    flagged: float
    false_flags: int


class Results(msgspec.Struct):
    """Everything that was measured, with the commands that did."""

    commands: list[str]
    all: Metrics
    by_seed: dict[str, Metrics]
    stated: dict[str, Stated]
    clean: dict[str, Rate]  # honest accounts flagged in logs without a harvest
    hydras: list[Hydra]
    methods: dict[str, Comparison]
    by_fold: dict[str, Metrics] = {}


def assess(traffic: Traffic, detector: Detector) -> tuple[Assessment, pl.DataFrame]:
    """Assessment of one log, through files as an auditor would have them, and its accounts as a table."""
    with tempfile.TemporaryDirectory() as folder:
        write(traffic, Path(folder))
        part = profile_files([Path(folder) / "events.jsonl"], detector, "auto", None, Progress())
    found = detector.assess(part.profiles)
    rows = [(a.account_id, a.risk, a.verdict, a.flagged_at) for a in found.accounts]
    schema: dict[str, Any] = {
        "account_id": pl.String,
        "risk": pl.Float64,
        "verdict": pl.String,
        "flagged_at": pl.Datetime("us", "UTC"),
    }
    return found, pl.DataFrame(rows, schema=schema, orient="row")


def false_flags(accounts: pl.DataFrame, traffic: Traffic) -> int:
    """Honest accounts flagged."""
    flagged = accounts.filter(pl.col("verdict") == "flag")
    return len(flagged.join(traffic.accounts.filter(pl.col("label") != "attack"), on="account_id", how="semi"))


def recorded(corpora: Path) -> Callable[[random.Random, int], Arrivals]:
    """Arrival times drawn from the recorded traces."""
    return lambda rng, days: Recorded(rng, days, corpora)


def measure_hydras(count: int, detector: Detector, corpora: Path, console: Console) -> list[Hydra]:
    """One hydra a seed, the families in turn, among a thousand honest users and two tenants of each kind."""
    out = []
    for seed in range(1, count + 1):
        family = list(HARVESTS)[(seed - 1) % len(HARVESTS)]
        honest = scenario(seed, ordinary=1000, each=2, per_family=0, frames="B")
        plan = Scenario(
            honest.days,
            honest.size,
            honest.tenants,
            honest.members,
            (replace(HYDRA, family=family),),
        )
        traffic = simulate(plan, 7000 + seed, texts("test", seed, corpora), recorded(corpora))
        _, accounts = assess(traffic, detector)
        attackers = traffic.accounts.filter(pl.col("label") == "attack").join(accounts, on="account_id")
        share = float((attackers["verdict"] == "flag").sum()) / len(attackers)
        out.append(Hydra(seed, family, str(attackers["variant"][0]), share, false_flags(accounts, traffic)))
        console.print(f"hydra {seed} ({family}): {share:.0%} of its accounts flagged")
    return out


def main() -> None:
    """Run all seeds and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 42, 43])
    parser.add_argument("--ordinary", type=int, default=3000)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--per-family", type=int, default=6)
    parser.add_argument("--hydras", type=int, default=10)
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    options = parser.parse_args()
    detector, console = Detector.load(), Console(width=110)
    reference = ordinary_prompts(options.corpora)
    found, labels, harvest, campaigns, others = [], [], [], [], []
    per_seed, stated, clean = {}, {}, {}
    for seed in options.seeds:
        sizes = {"ordinary": options.ordinary, "each": options.each, "frames": "B"}
        pools = texts("test", seed, options.corpora)
        plan = scenario(seed, per_family=options.per_family, largest=500, **sizes)
        traffic = simulate(plan, seed, pools, recorded(options.corpora))
        assessment, accounts = assess(traffic, detector)
        per_seed[str(seed)] = measure(accounts, traffic.accounts, traffic.harvest, traffic.campaigns)
        wrong = false_flags(accounts, traffic)
        stated[str(seed)] = Stated(
            assessment.expected_false_flags, *assessment.expected_false_flags_interval, found=wrong
        )
        console.print(
            f"seed {seed}: {len(traffic.events):,} events, {len(accounts):,} accounts; false flags: {wrong}, "
            f"stated {stated[str(seed)].low:.0f} to {stated[str(seed)].high:.0f}"
        )
        found.append(accounts)
        labels.append(traffic.accounts)
        harvest.append(traffic.harvest)
        campaigns.append(traffic.campaigns)
        others.append(score_all(traffic.events, reference))
        honest = simulate(scenario(seed, per_family=0, **sizes), 1000 + seed, pools, recorded(options.corpora))
        _, accounts = assess(honest, detector)
        clean[str(seed)] = Rate.of(false_flags(accounts, honest), len(honest.accounts))
        console.print(f"  without a harvest: {clean[str(seed)].k} of {clean[str(seed)].n:,} accounts flagged")
    truth = (pl.concat(labels), pl.concat(harvest), pl.concat(campaigns, how="diagonal_relaxed"))
    metrics = measure(pl.concat(found), *truth)
    print_metrics(console, metrics)
    methods = {"distillwatch": judge(pl.concat(found), *truth), **compare(pl.concat(others), *truth)}
    print_comparison(console, methods)
    hydras = measure_hydras(options.hydras, detector, options.corpora, console)
    console.print(f"{sum(h.flagged >= HYDRA_CAUGHT for h in hydras)} of {len(hydras)} hydras caught")
    command = "python -m benchmarks.detection.run --seeds " + " ".join(map(str, options.seeds))
    results = Results([command], metrics, per_seed, stated, clean, hydras, methods)
    if RESULTS.exists():  # what folds measured stays
        before = msgspec.json.decode(RESULTS.read_bytes(), type=Results)
        results.by_fold = before.by_fold
        results.commands += [c for c in before.commands if "detection.folds" in c]
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()
