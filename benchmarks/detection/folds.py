"""Leave out in turn: python -m benchmarks.detection.folds LOGS... [--only families] [--only "corpora 2"]

LOGS are folders of ``benchmarks.detection.training_logs``, named by shape and group of corpora. The models are fitted anew,

* without some *families* of harvest, all of them in FAMILY_FOLDS turns, and measured on a log that has those families only, from
  the corpora and the frames of the other side: neither the family, nor a corpus, nor a wording was seen;
* without one *group of corpora*, each in turn, and measured on a log of all families in that group's texts, in the frames of the
  other side: neither a corpus nor a wording was seen.

Beside each stands what the shipped scorer says of the same log, which was fitted on more logs and on every family: the difference
is what not having seen costs, together with the fewer logs.

(The intent model stays as shipped: it is taught by frames of its own, see ``train_intent``, and by none of the simulator's.)
Adds ``by_fold`` to results.json, after each fold.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.detection.corpora import TRAIN_GROUPS, texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.run import RESULTS, Results, assess, recorded
from benchmarks.detection.traffic import scenario
from benchmarks.detection.train_scoring import fit, load, untrained
from detector.evaluate import Metrics, measure
from detector.pipeline import Detector
from detector.scoring import Scorer
from detector.simulate import HARVESTS, Texts, simulate

FAMILY_FOLDS = 5  # of 13 families, two or three at a time: stricter than one at a time, and a third of the fits
FIRST_SEED = 900  # of the logs that folds are measured on: no other log's
ORDINARY, EACH = 1000, 2  # ordinary users, and tenants of each other kind, of such a log


@dataclass(frozen=True)
class Fold:
    """What is left out: families, or a group of corpora (its number, as in the logs' names)."""

    name: str
    families: tuple[str, ...] = ()
    corpora: int | None = None

    def texts(self, seed: int, corpora: Path) -> Texts:
        """The texts that it is measured on."""
        if self.corpora is None:
            return texts("test", seed, corpora)
        return texts("train", seed, corpora, include=TRAIN_GROUPS[self.corpora - 1])


def folds() -> Iterator[Fold]:
    """All folds: of families, then of corpora."""
    for i in range(FAMILY_FOLDS):
        yield Fold(f"without families {i + 1}", tuple(HARVESTS)[i::FAMILY_FOLDS])
    for i in range(1, len(TRAIN_GROUPS) + 1):
        yield Fold(f"without corpora {i}", corpora=i)


def chosen(logs: Sequence[Path], fold: Fold) -> list[Path]:
    """The logs that a fold is fitted on. Raises ValueError where a name tells no group of corpora."""
    for log in logs:
        if log.name.rpartition("-")[2] not in map(str, range(1, len(TRAIN_GROUPS) + 1)):
            raise ValueError(f"{log}: not a log of benchmarks.detection.training_logs, <shape>-<group of corpora>")
    return [log for log in logs if log.name.rpartition("-")[2] != str(fold.corpora)]


def main() -> None:
    """Fit and measure each fold, and write after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", type=Path)
    parser.add_argument("--only", action="append", default=[], help="folds with this in their names (default: all)")
    parser.add_argument("--per-family", type=int, default=6, help="campaigns of each family in a log that is measured")
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    console, empty, shipped = Console(width=110), untrained(), Scorer.load()
    logs = {folder: load(folder, empty) for folder in options.logs}
    shapes = sorted({log.name.rpartition("-")[0] for log in logs})
    command = f"python -m benchmarks.detection.folds {' '.join(f'{s}-*' for s in shapes)}"
    for i, fold in enumerate(folds()):
        if options.only and not any(part in fold.name for part in options.only):
            continue
        weights = fit([logs[folder] for folder in chosen(options.logs, fold)], fold.families)
        scorers = {fold.name: Scorer(weights), f"{fold.name}: as shipped": shipped}
        seed = FIRST_SEED + i
        plan = scenario(
            seed, ordinary=ORDINARY, each=EACH, per_family=options.per_family, frames="B", only=fold.families
        )
        traffic = simulate(plan, seed, fold.texts(seed, options.corpora), recorded(options.corpora))
        for name, scorer in scorers.items():
            _, accounts = assess(traffic, Detector(empty.encoder, empty.codebook, empty.intent, scorer))
            found = measure(accounts, traffic.accounts, traffic.harvest, traffic.campaigns)
            console.print(
                f"{name}: {found.campaigns.k} of {found.campaigns.n} campaigns, {found.attackers.rate:.1%} of "
                f"{found.attackers.n} attackers, {found.benign.k} of {found.benign.n} honest accounts"
            )
            record(options.results, name, found, command)


def record(path: Path, name: str, found: Metrics, command: str) -> None:
    """Add a fold to the results."""
    results = msgspec.json.decode(path.read_bytes(), type=Results)
    results.by_fold[name] = found
    if command not in results.commands:
        results.commands.append(command)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()
