"""Measure detection: python -m benchmarks.detection.run --seeds 41 42 43

Traffic of other corpora and other frames than the detector was fitted on (``benchmarks.detection.corpora``), one log a seed,
at the shipped thresholds. Beside it, on the same logs, what one would take instead, each at the threshold that flags one
honest account in a hundred (which an operator could not know, so this favours them). Writes results.json beside this file.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from rich.console import Console
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.traffic import scenario
from detector.audit import profile_files
from detector.evaluate import Rate, measure, print_metrics
from detector.event import Event
from detector.pipeline import Detector
from detector.progress import Progress
from detector.simulate import Traffic, simulate, write
from detector.templates import prompt_text

RESULTS = Path(__file__).parent / "results.json"
ALLOWED = 0.01  # share of honest accounts that the simple methods may flag
_REASONING = re.compile(
    r"step[- ]by[- ]step|chain of thought|reasoning|<think|let's think|rationale|逐步|推理|paso a paso", re.IGNORECASE
)


def audit(traffic: Traffic, detector: Detector) -> pl.DataFrame:
    """Findings of one log, through files as an auditor would have them."""
    with tempfile.TemporaryDirectory() as folder:
        write(traffic, Path(folder))
        part = profile_files([Path(folder) / "events.jsonl"], detector, "auto", None, Progress())
    rows = [(a.account_id, a.risk, a.verdict, a.flagged_at) for a in detector.assess(part.profiles).accounts]
    schema = {"account_id": pl.String, "risk": pl.Float64, "verdict": pl.String, "flagged_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def simple_methods(events: list[Event]) -> pl.DataFrame:
    """Scores of one row an account: requests, output tokens, share of prompts with reasoning words, isolation forest on usage."""
    table = pl.DataFrame(
        [
            (
                e.account_id,
                e.usage.output_tokens or 0,
                e.usage.input_tokens or 0,
                bool(_REASONING.search(" ".join(prompt_text(e))[:4000])),
                e.timestamp.hour,
            )
            for e in events
        ],
        schema=["account_id", "output", "input", "words", "hour"],
        orient="row",
    )
    usage = table.group_by("account_id").agg(
        pl.len().alias("requests per account"),
        pl.col("output").sum().alias("output tokens per account"),
        pl.col("words").mean().alias("reasoning words"),
        pl.col("input").sum().alias("in"),
        pl.col("hour").n_unique().alias("hours"),
    )
    features = np.log1p(usage.select("requests per account", "output tokens per account", "in", "hours").to_numpy())
    forest = IsolationForest(random_state=7).fit(features)
    return usage.select(
        "account_id", "requests per account", "output tokens per account", "reasoning words"
    ).with_columns(pl.Series("isolation forest on usage", -forest.score_samples(features)))


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
    found, labels, harvest, others = [], [], [], []
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
        others.append(simple_methods(traffic.events))
    metrics = measure(pl.concat(found), pl.concat(labels), pl.concat(harvest))
    print_metrics(console, metrics)
    scores = pl.concat(others).join(pl.concat(labels), on="account_id")
    attack = (scores["label"] == "attack").to_numpy()
    simple = {}
    for name in scores.columns[1:5]:
        value = scores[name].to_numpy().astype(float)
        caught = value[attack] > np.quantile(value[~attack], 1 - ALLOWED)
        simple[name] = {
            "auc": float(roc_auc_score(attack, value)),
            "attackers": msgspec.to_builtins(Rate.of(int(caught.sum()), int(attack.sum()))),
        }
        console.print(
            f"{name}: AUC {simple[name]['auc']:.3f}, attacking accounts flagged at {ALLOWED:.0%} honest ones: {caught.mean():.1%}"
        )
    command = "python -m benchmarks.detection.run --seeds " + " ".join(map(str, options.seeds))
    content = {
        "command": command,
        "all": metrics,
        "by_seed": {str(s): m for s, m in per_seed.items()},
        "simple_methods": simple,
    }
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(content)))


if __name__ == "__main__":
    main()
