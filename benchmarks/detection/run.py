"""Measure detection: python -m benchmarks.detection.run --seeds 41 42 43

Traffic of other corpora and other frames than the detector was fitted on (``benchmarks.detection.corpora``), one log a seed,
at the shipped thresholds. Beside it, on the same logs, what one would take instead (``benchmarks.detection.baselines``), each
at the thresholds that flag one honest account in a hundred and in a thousand (which an operator could not know, so this
favours them). Writes results.json beside this file; ``benchmarks.detection.plots`` draws it.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import msgspec
import polars as pl
from rich.console import Console

from benchmarks.detection.baselines import score_all
from benchmarks.detection.baselines.measure import compare, judge, print_comparison
from benchmarks.detection.baselines.reference import ordinary_prompts
from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.traffic import scenario
from detector.evaluate import measure, print_metrics
from detector.pipeline import Detector
from detector.profiling import profile_files
from detector.progress import Progress
from detector.simulate import Traffic, simulate, write

RESULTS = Path(__file__).parent / "results.json"


def audit(traffic: Traffic, detector: Detector) -> pl.DataFrame:
    """Findings of one log, through files as an auditor would have them."""
    with tempfile.TemporaryDirectory() as folder:
        write(traffic, Path(folder))
        part = profile_files([Path(folder) / "events.jsonl"], detector, "auto", None, Progress())
    rows = [(a.account_id, a.risk, a.verdict, a.flagged_at) for a in detector.assess(part.profiles).accounts]
    schema = {"account_id": pl.String, "risk": pl.Float64, "verdict": pl.String, "flagged_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def main() -> None:
    """Run all seeds and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 42, 43])
    parser.add_argument("--ordinary", type=int, default=1000)
    parser.add_argument("--each", type=int, default=5)
    parser.add_argument("--per-family", type=int, default=3)
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    options = parser.parse_args()
    detector, console = Detector.load(), Console(width=110)
    reference = ordinary_prompts(options.corpora)
    found, labels, harvest, campaigns, others = [], [], [], [], []
    per_seed = {}
    for seed in options.seeds:
        plan = scenario(
            seed, ordinary=options.ordinary, each=options.each, per_family=options.per_family, frames="B", exclude=[]
        )
        traffic = simulate(plan, seed, texts("test", seed, options.corpora))
        accounts = audit(traffic, detector)
        per_seed[seed] = measure(accounts, traffic.accounts, traffic.harvest)
        console.print(f"seed {seed}: {len(traffic.events):,} events, {len(accounts):,} accounts")
        found.append(accounts)
        labels.append(traffic.accounts)
        harvest.append(traffic.harvest)
        campaigns.append(traffic.campaigns)
        others.append(score_all(traffic.events, reference))
    metrics = measure(pl.concat(found), pl.concat(labels), pl.concat(harvest))
    print_metrics(console, metrics)
    truth = (pl.concat(labels), pl.concat(harvest), pl.concat(campaigns, how="diagonal_relaxed"))
    methods = {"distillwatch": judge(pl.concat(found), *truth), **compare(pl.concat(others), *truth)}
    print_comparison(console, methods)
    command = "python -m benchmarks.detection.run --seeds " + " ".join(map(str, options.seeds))
    content = {
        "command": command,
        "all": metrics,
        "by_seed": {str(s): m for s, m in per_seed.items()},
        "methods": methods,
    }
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(content)))


if __name__ == "__main__":
    main()
