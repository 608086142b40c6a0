"""The logs that the shipped scorer is fitted on: python -m benchmarks.detection.training_logs --out DIR

Each log draws on one group of the train side's corpora only (``corpora.TRAIN_GROUPS``), and is written to ``DIR/<shape>-<group>``:
``train_scoring DIR/*`` fits on three groups and sets the thresholds by what it says of the fourth, in turn, so that they hold on
texts that were never seen. Shapes differ in what an operator's log may be: many or few accounts, many or few attackers among them;
in those of shape ``ANY_TEXTS``, what is asked tells nothing; in those of shape ``BEGUN``, half of the accounts have only begun.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.progress import track

from benchmarks.detection import traffic
from benchmarks.detection.corpora import TRAIN_GROUPS
from benchmarks.detection.licences import DEFAULT_CORPORA

ANY_TEXTS = "anything"  # begins the shapes of logs that are harder than an operator's: they teach, but set no threshold
BEGUN = "begun"  # likewise, of logs that show accounts as they are when one would like to flag them: early
TEACHING = (ANY_TEXTS, BEGUN)
SHAPES = {  # name -> seed of its first log, options of benchmarks.detection.traffic
    "many": (811, "--scale dev --ordinary 500 --each 8 --per-family 5"),
    "few": (821, "--scale dev --ordinary 900 --each 8 --per-family 2 --arrivals model"),
    "small": (831, "--scale small --ordinary 300 --each 2 --campaigns 10 --largest 100 --size 0.6 --arrivals model"),
    "quiet": (841, "--scale small --ordinary 600 --each 4 --campaigns 6 --largest 25 --size 0.8"),
    "varied": (861, "--scale dev --ordinary 600 --each 10 --per-family 4 --largest 100"),
    "more": (871, "--scale dev --ordinary 400 --each 8 --per-family 6"),
    "large": (881, "--scale dev --ordinary 1200 --each 8 --per-family 3 --largest 100"),
    ANY_TEXTS: (951, "--scale dev --ordinary 500 --each 3 --per-family 3 --largest 25 --any-texts"),
    f"{ANY_TEXTS}2": (961, "--scale dev --ordinary 300 --each 8 --per-family 5 --largest 100 --any-texts"),
    f"{ANY_TEXTS}3": (
        971,
        "--scale dev --ordinary 400 --each 6 --per-family 6 --largest 25 --any-texts --arrivals model",
    ),
    BEGUN: (981, "--scale dev --ordinary 500 --each 8 --per-family 5 --begun"),
    f"{BEGUN}2": (991, "--scale dev --ordinary 600 --each 10 --per-family 4 --largest 100 --begun"),
    f"{BEGUN}3": (1001, "--scale dev --ordinary 400 --each 6 --per-family 6 --largest 100 --begun --arrivals model"),
}


def commands(out: Path, corpora: Path) -> list[list[str]]:
    """The options of ``benchmarks.detection.traffic`` for each log."""
    found = []
    for shape, (seed, options) in SHAPES.items():
        for group, names in enumerate(TRAIN_GROUPS):
            included = [word for name in names for word in ("--include-corpus", name)]
            where = ["--out", str(out / f"{shape}-{group + 1}"), "--corpora", str(corpora)]
            found.append([*where, "--side", "train", "--seed", str(seed + group), *options.split(), *included])
    return found


def main() -> None:
    """Write them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if not options.corpora.is_dir():
        sys.exit(f"{options.corpora} does not exist: give the folder of the corpora with --corpora")
    todo = commands(options.out, options.corpora)
    with ProcessPoolExecutor(options.jobs) as pool:
        for _ in track(pool.map(traffic.main, todo), "Simulating", len(todo)):
            pass


if __name__ == "__main__":
    main()
