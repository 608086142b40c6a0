"""Log files into profiles: threads, processes and files split anyhow give what one batch would; redeliveries count once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from detector.engines import load_engine
from detector.engines.local import LocalEngine
from detector.event import Event
from detector.formats import read
from detector.pipeline import Detector
from detector.profiling import STAGES, Part, profile_files, profile_in_processes
from detector.progress import Progress
from tests.detector.builders import event

LOG = [event(i, "abc"[i % 3], i, (f"What is the height of mountain number {i // 2}?",)) for i in range(60)]


def write(path: Path, events: list[Event]) -> Path:
    """Events as a file of lines."""
    path.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in events))
    return path


def profile(paths: list[Path], detector: Detector, **options: object) -> Part:
    """Profile files in this process."""
    return profile_files(paths, detector, "auto", None, Progress(), **options)  # type: ignore[arg-type]


def test_batches_and_threads_change_nothing(
    tmp_path: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small batches over three threads give the profile of all events at once; each stage took some of the time."""
    monkeypatch.setattr("detector.profiling.read", partial(read, batch_events=7))
    part = profile([write(tmp_path / "log.jsonl", LOG)], detector, threads=3)
    assert part.profiles.equals(detector.profile(detector.features(LOG)))
    assert part.events == len(LOG)
    assert set(part.timings) == set(STAGES)
    assert all(seconds > 0 for seconds in part.timings.values())


def test_redeliveries_count_once(tmp_path: Path, detector: Detector) -> None:
    """An event that comes again, in the same batch or in another file, counts once: the first is taken."""
    changed = [msgspec.structs.replace(e, account_id="z") for e in LOG[20:40]]
    files = [write(tmp_path / "1.jsonl", LOG[:30] + LOG[5:10]), write(tmp_path / "2.jsonl", changed[:10] + LOG[30:])]
    part = profile(files, detector)
    assert part.events == len(LOG)
    assert part.profiles.equals(detector.profile(detector.features(LOG)))


def test_skipped_events_are_left_out(tmp_path: Path, detector: Detector) -> None:
    """Keys of one part tell another what to leave out."""
    first = profile([write(tmp_path / "1.jsonl", LOG[:30])], detector)
    second = profile([write(tmp_path / "2.jsonl", LOG)], detector, skip=first.keys.tolist())
    assert second.events == 30
    assert second.profiles.equals(detector.profile(detector.features(LOG[30:])))


@pytest.mark.slow
def test_processes_count_redeliveries_once(tmp_path: Path, detector: Detector) -> None:
    """Files that share events give the same profile over processes as in one; bad rows are listed once."""
    files = [write(tmp_path / f"{i}.jsonl", LOG[a:b]) for i, (a, b) in enumerate([(0, 30), (10, 40), (35, 60)])]
    files[1].write_bytes(files[1].read_bytes() + b"{broken\n")
    spread = profile_in_processes(files, "processes", "auto", None, None, Progress())
    alone = profile(files, detector)
    assert spread.profiles.equals(alone.profiles)
    assert sorted(spread.keys.tolist()) == sorted(alone.keys.tolist())
    assert spread.rejected == alone.rejected
    assert len(spread.rejected) == 1


def test_an_empty_log_has_an_empty_profile(tmp_path: Path, detector: Detector) -> None:
    """Where all rows are bad there is a profile without accounts."""
    (tmp_path / "log.jsonl").write_text("{broken\n")
    part = profile([tmp_path / "log.jsonl"], detector)
    assert (part.events, len(part.profiles), len(part.rejected)) == (0, 0, 1)


@pytest.mark.parametrize("name", ["local", "processes"])
def test_engines_keep_the_order(name: str) -> None:
    """Results come in the order of their tasks."""
    assert list(load_engine(name).map(abs, range(-9, 0))) == list(range(9, 0, -1))


def test_few_tasks_are_held_at_a_time() -> None:
    """Tasks are taken as results are asked for, so that a log of any size is never held."""
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for number in range(1, 101):
            taken = number
            yield number

    results = LocalEngine(2).map(str, tasks())
    assert [next(results) for _ in range(5)] == list("12345")
    assert taken <= 5 + 2


def test_an_error_reaches_the_caller() -> None:
    """What goes wrong in a thread is raised, not swallowed."""
    with pytest.raises(ZeroDivisionError):
        list(LocalEngine(2).map(lambda x: 1 // x, [1, 0, 2]))


def test_unknown_engine_is_named() -> None:
    """A misspelt name is answered with the choices."""
    with pytest.raises(ValueError, match="local or processes"):
        load_engine("ray")
