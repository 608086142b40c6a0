"""A simulated log of any size: python -m benchmarks.audit.log --events 1000000 --out log.jsonl

Put together from units of about 10,000 requests of 300 accounts, all kinds of customers and two campaigns in each, so that a
larger log holds more of the same, and about one account in twenty harvests. Texts come from the built-in grammar, those of
every third unit from the real corpora where they are. Each unit says it in other words, 30 % of its vocabulary being
changed, or a large log would say little new. About 1.3 kB a row, in order of time over a week; a million rows take two
minutes on an idle core.
"""

from __future__ import annotations

import argparse
import mmap
import random
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from benchmarks.detection.traffic import SMALL_MEMBERS
from detector.event import Event
from detector.simulate import benchmark, built_in, simulate

UNIT = {"ordinary": 150, "each": 1, "per_family": 1, "size": 0.5, "largest": 25, "members": SMALL_MEMBERS}
CAMPAIGNS = 2  # of a unit, of any family: an operator's log is not full of harvesters
REAL_EVERY = 3  # units
CHANGED = 0.3  # of a unit's words
AHEAD = 4  # units made before one is asked for
_WORD = re.compile(r"[a-z]{4,}")


def make_log(path: Path, events: int, seed: int = 100) -> int:
    """Write a log of at most so many events, whole accounts only; returns how many."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, ProcessPoolExecutor() as pool:
        files: list[Path] = []
        times: list[np.ndarray] = []
        sizes: list[np.ndarray] = []
        left = events
        for file, when, lengths, last in _units(pool, Path(folder), seed):
            keep = _whole_accounts(last, left)
            files.append(file)
            times.append(np.where(keep, when, -1))
            sizes.append(lengths)
            left -= int(keep.sum())
            if not keep.all():
                break
        return _merge(path, files, times, sizes)


def _units(
    pool: ProcessPoolExecutor, folder: Path, seed: int
) -> Iterator[tuple[Path, np.ndarray, np.ndarray, np.ndarray]]:
    """Units without end, in order of their seeds, however they are made."""
    waiting = []
    for number in range(10**6):
        waiting.append(pool.submit(_unit, folder, seed + number))
        if number >= AHEAD:
            yield waiting.pop(0).result()


def _unit(folder: Path, seed: int) -> tuple[Path, np.ndarray, np.ndarray, np.ndarray]:
    """One unit: its file; time, length and number of the account of each row."""
    real = seed % REAL_EVERY == 0 and DEFAULT_CORPORA.is_dir()
    pools = texts("all", seed, licence="all") if real else built_in(seed)
    rng = random.Random(seed)
    plan = benchmark(seed, frames=rng.choice("AB"), **UNIT)
    traffic = simulate(replace(plan, campaigns=rng.sample(list(plan.campaigns), CAMPAIGNS)), seed, pools)
    _reword(traffic.events, random.Random(seed))
    lines = [msgspec.json.encode(event) + b"\n" for event in traffic.events]
    file = folder / f"{seed}.jsonl"
    file.write_bytes(b"".join(lines))
    accounts: dict[str, int] = {}
    return (
        file,
        np.array([int(e.timestamp.timestamp() * 1e6) for e in traffic.events]),
        np.array(list(map(len, lines))),
        np.array([accounts.setdefault(e.account_id, len(accounts)) for e in traffic.events]),
    )


def _reword(events: list[Event], rng: random.Random) -> None:
    """Change part of the vocabulary, each word for the same other word everywhere."""
    words = sorted(
        {w for e in events for m in e.messages if isinstance(m.content, str) for w in _WORD.findall(m.content)}
    )
    other = {w: rng.choice(words) for w in words if rng.random() < CHANGED}
    for event in events:
        for message in event.messages:
            if isinstance(message.content, str):
                message.content = _WORD.sub(lambda m: other.get(m[0], m[0]), message.content)
        if isinstance(event.response, str):
            event.response = _WORD.sub(lambda m: other.get(m[0], m[0]), event.response)


def _whole_accounts(account: np.ndarray, room: int) -> np.ndarray:
    """Rows of the first accounts that have at most ``room`` rows together."""
    if len(account) <= room:
        return np.ones(len(account), bool)
    return (np.cumsum(np.bincount(account)) <= room)[account]


def _merge(path: Path, files: list[Path], times: list[np.ndarray], sizes: list[np.ndarray]) -> int:
    """Write the rows of all files that have a time, in its order."""
    maps = []
    for file in files:
        with file.open("rb") as opened:
            maps.append(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    when = np.concatenate(times)
    unit = np.repeat(np.arange(len(files)), list(map(len, sizes)))
    ends = np.concatenate([np.cumsum(s) for s in sizes])
    starts = ends - np.concatenate(sizes)
    order = np.argsort(when, kind="stable")
    order = order[when[order] >= 0]
    with path.open("wb") as out:
        out.writelines(
            maps[u][a:b]
            for u, a, b in zip(unit[order].tolist(), starts[order].tolist(), ends[order].tolist(), strict=True)
        )
    return len(order)


def main() -> None:
    """Write a log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    count = make_log(options.out, options.events)
    print(f"{count:,} events, {options.out.stat().st_size / count:,.0f} bytes each -> {options.out}")


if __name__ == "__main__":
    main()
