"""Leave out in turn: python -m benchmarks.detection.folds TRAFFIC... [--families reasoning grader]

TRAFFIC are the folders that the scorer is fitted on (``benchmarks.detection.traffic --side train``). For each family of
harvest the models are fitted anew without it, and measured on a log that has that family only, from the corpora and the
frames of the other side: neither the family, nor a corpus, nor a wording was seen. (The intent model stays as shipped: it is
taught by frames of its own, see ``train_intent``, and by none of the simulator's.) Adds ``by_fold`` to results.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.run import RESULTS, Results, assess, recorded
from benchmarks.detection.traffic import scenario
from benchmarks.detection.train_scoring import fit, load, untrained
from detector.evaluate import Metrics, measure
from detector.pipeline import Detector
from detector.scoring import Scorer
from detector.simulate import HARVESTS, simulate


def main() -> None:
    """Fit and measure each fold, and write after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traffic", nargs="+", type=Path)
    parser.add_argument("--families", nargs="+", default=list(HARVESTS), choices=list(HARVESTS))
    parser.add_argument("--per-family", type=int, default=12)
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    options = parser.parse_args()
    console, empty = Console(width=110), untrained()
    logs = [load(folder, empty) for folder in options.traffic]
    for i, family in enumerate(options.families):
        weights = fit(logs, [family])
        detector = Detector(empty.encoder, empty.codebook, empty.intent, Scorer(weights))
        seed = 900 + i
        plan = scenario(seed, ordinary=1000, each=2, per_family=options.per_family, frames="B", only=[family])
        traffic = simulate(plan, seed, texts("test", seed, options.corpora), recorded(options.corpora))
        _, accounts = assess(traffic, detector)
        found = measure(accounts, traffic.accounts, traffic.harvest, traffic.campaigns)
        console.print(
            f"without {family}: {found.campaigns.k} of {found.campaigns.n} campaigns, "
            f"{found.attackers.rate:.1%} of {found.attackers.n} attackers, {found.benign.k} of {found.benign.n} honest accounts"
        )
        _record(family, found, len(options.traffic))


def _record(family: str, found: Metrics, logs: int) -> None:
    results = msgspec.json.decode(RESULTS.read_bytes(), type=Results)
    results.by_fold[f"without {family}"] = found
    command = f"python -m benchmarks.detection.folds TRAFFIC ({logs} logs)"
    if command not in results.commands:
        results.commands.append(command)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()
