"""Log files into profiles: the map (read, embed, profile) and the reduce (merge), in this process or over several."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from detector.engines import load_engine
from detector.engines.local import LocalEngine
from detector.event import Event
from detector.formats import Rejected, files, read
from detector.formats.kin import groups
from detector.pieces import hash64
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.progress import Progress

STAGES = ("parse", "features", "profiles")


@dataclass
class Part:
    """What reading some files gave."""

    profiles: Profiles
    rejected: list[Rejected]
    keys: np.ndarray  # of the events, by which one that is sent again is known: uint64
    bytes: int
    timings: dict[str, float]  # seconds by stage; stages that ran side by side share the time that passed

    @property
    def events(self) -> int:
        """How many there were, redeliveries left out."""
        return len(self.keys)


def profile_files(
    paths: Sequence[Path],
    detector: Detector,
    format: str,
    account: str | None,
    progress: Progress,
    clock: Callable[[], float] = time.perf_counter,
    look: Callable[[Sequence[Event]], None] | None = None,
    *,
    skip: Collection[int] = (),
    threads: int | None = None,
    account_attributes: Sequence[str] = (),
) -> Part:
    """Read, embed and profile files. An event id that comes again is a redelivery and counts once.

    ``look`` is shown each batch of events, for what else is wanted of the log in the same pass. Events with a key in
    ``skip`` are left out. ``account_attributes`` name the account where operators choose the names. While ``threads`` (by
    default one a core) embed and profile batches, the next are read.
    """
    spent = _Spent(clock)
    rejected: list[Rejected] = []
    seen = set(skip)
    total = 0

    def batches() -> Iterator[list[Event]]:
        nonlocal total
        stream = read(paths, format=format, account=account, account_attributes=account_attributes)
        while True:
            with spent.on("parse"):
                batch = next(stream, None)
                if batch is None:
                    return
                fresh = [e for e in batch.events if _is_new(hash64(e.event_id), seen)]
            rejected.extend(batch.rejected)
            total = batch.total_bytes
            if look is not None:
                look(fresh)
            yield fresh
            progress.advance(batch.bytes_read, batch.total_bytes, len(seen) - len(skip))

    def profiled(events: list[Event]) -> Profiles:
        with spent.on("features"):
            frame = detector.features(events)
        with spent.on("profiles"):
            return detector.profile(frame)

    def parts() -> Iterator[Profiles]:
        for part in LocalEngine(threads).map(profiled, batches()):
            with spent.on("profiles"):
                yield part  # and have it merged

    start = clock()
    profiles = merge_all(parts()) or profiled([])
    seen.difference_update(skip)
    keys = np.fromiter(seen, np.uint64, len(seen))
    return Part(profiles, rejected, keys, total, spent.shares(clock() - start))


def _is_new(key: int, seen: set[int]) -> bool:
    if key in seen:
        return False
    seen.add(key)
    return True


class _Spent:
    """Seconds that threads spend on each stage."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Count what is within as spent on a stage."""
        mark = self._clock()
        yield
        with self._lock:
            self._seconds[stage] += self._clock() - mark

    def shares(self, passed: float) -> dict[str, float]:
        """The time that passed, divided among the stages."""
        total = sum(self._seconds.values()) or 1.0
        return {stage: seconds / total * passed for stage, seconds in self._seconds.items()}


@dataclass(frozen=True)
class _FileTask:
    paths: tuple[Path, ...]
    format: str
    account: str | None
    calibration: Path | None
    account_attributes: tuple[str, ...] = ()
    skip: tuple[int, ...] = ()


def _run(task: _FileTask) -> tuple[bytes, list[Rejected], np.ndarray, int, dict[str, float]]:
    detector = Detector.load(task.calibration)
    part = profile_files(
        task.paths,
        detector,
        task.format,
        task.account,
        Progress(),
        skip=task.skip,
        threads=1,
        account_attributes=task.account_attributes,
    )
    return part.profiles.to_bytes(), part.rejected, part.keys, part.bytes, part.timings


def profile_in_processes(
    paths: Sequence[Path],
    engine: str,
    format: str,
    account: str | None,
    calibration: Path | None,
    progress: Progress,
    account_attributes: Sequence[str] = (),
) -> Part:
    """Profile each file in a process of its own, those whose records are joined with one another in the same one.

    A file that brings events again is read again without them.
    """
    found = files(paths)
    tasks = [
        _FileTask(tuple(group), format, account, calibration, tuple(account_attributes))
        for group in groups(found, format)
    ]
    runner = load_engine(engine)
    rejected: list[Rejected] = []
    seen = np.zeros(0, np.uint64)
    timings = dict.fromkeys(STAGES, 0.0)
    total, done = sum(file.stat().st_size for file in found), 0

    def parts() -> Iterator[Profiles]:
        nonlocal seen, done
        for task, (data, bad, keys, size, spent) in zip(tasks, runner.map(_run, tasks), strict=True):
            again = np.intersect1d(keys, seen)
            if len(again):
                data, bad, keys, size, spent = next(runner.map(_run, [replace(task, skip=tuple(again.tolist()))]))
            rejected.extend(bad)
            seen = np.union1d(seen, keys)
            for stage, seconds in spent.items():
                timings[stage] += seconds
            done += size
            progress.advance(done, total, len(seen))
            yield Profiles.from_bytes(data)

    profiles = merge_all(parts())
    assert profiles is not None  # files() raises where there is none
    place = {str(file): i for i, file in enumerate(found)}
    return Part(profiles, sorted(rejected, key=lambda r: place[r.file]), seen, total, timings)
