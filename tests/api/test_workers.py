"""Several workers: on PostgreSQL they share the log and count every event once; on SQLite one works and the others wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.services.assessor import Assessor
from api.services.content import ContentPolicy
from api.services.housekeeping import Housekeeper
from api.services.overview import overview
from api.settings import Settings
from api.storage import cases, events, models, ranges, segments
from api.storage.engine import Database, Mutex
from api.worker import Worker
from detector.assessment import Template
from detector.event import Event, Message
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from tests.api.running import Process

NOW = datetime.now(UTC)
PATIENCE_SECONDS = 240.0
RANGE = 20  # events of a range


def log(start: int, count: int) -> list[Event]:
    """Events of seven accounts."""
    when = NOW - timedelta(hours=2)
    return [
        Event(
            event_id=f"e{n}",
            timestamp=when + timedelta(seconds=n),
            account_id=f"account-{n % 7}",
            messages=[Message(role="user", content=f"Explain item {n} of the list of {n % 13} harbours.")],
        )
        for n in range(start, start + count)
    ]


def put(database: Database, found: list[Event]) -> None:
    """Store events."""
    with database.write("events") as connection:
        events.insert(connection, [events.to_row(e, datetime.now(UTC)) for e in found])


def counted(database: Database) -> tuple[int, int]:
    """Events that the workers say they have counted, and that the segments hold."""
    with database.read() as connection:
        held = connection.execute(select(func.sum(models.profile_segments.c.events))).scalar() or 0
        return segments.state(connection).events, int(held)


def until(holds: Callable[[], bool], *workers: Process) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "\n".join(w.text() for w in workers)
        time.sleep(0.05)


@contextmanager
def working(database_url: str, folder: Path, count: int) -> Iterator[list[Process]]:
    """Worker processes with folders of their own."""
    with ExitStack() as stack:
        found = []
        for number in range(count):
            (folder / f"{number}").mkdir()
            process = Process("worker", folder / f"{number}", database_url, WORKER_BATCH=RANGE, WINDOW_DAYS=400)
            process.start()
            stack.callback(process.end)
            found.append(process)
        yield found


def test_ranges_are_held_by_one(database: Database) -> None:
    """A range that is held goes to nobody else; one whose holder fails is free again; what is done is never done again."""
    if database.is_sqlite:
        pytest.skip("SQLite has one worker")
    segments.ensure(database)
    put(database, log(0, 30))
    for _ in range(3):
        ranges.cut(database, 10)
    with database.read() as connection:
        assert (ranges.profiled(connection), ranges.backlog(connection)[0]) == (0, 30)

    def finish(held: ranges.Held) -> None:
        with held.writing() as connection:
            segments.add(connection, *held.range[:2], events=10, skipped=0, last_event_at=None, profile=b"")

    with ranges.hold(database) as first, ranges.hold(database) as second, ranges.hold(database) as third:
        assert first is not None
        assert second is not None
        assert third is not None
        assert [held.range.after_seq for held in (first, second, third)] == [0, 10, 20]
        with ranges.hold(database) as fourth:
            assert fourth is None
        finish(second)
    with database.read() as connection:
        assert (ranges.profiled(connection), ranges.backlog(connection)[0]) == (0, 20)  # the second is done, no other

    def fail() -> None:
        with ranges.hold(database) as held:
            assert held is not None
            finish(held)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    for after_seq in (0, 20):
        with ranges.hold(database) as held:
            assert held is not None
            assert held.range.after_seq == after_seq
            finish(held)
    with database.read() as connection:
        assert (ranges.profiled(connection), ranges.backlog(connection)) == (30, (0, None))
    assert counted(database) == (30, 30)
    with pytest.raises(segments.Moved), database.write() as connection:
        segments.add(connection, 20, 30, events=10, skipped=0, last_event_at=None, profile=b"")
    assert counted(database) == (30, 30)


def test_one_assesses(database: Database, settings: Settings, detector: Detector) -> None:
    """Of two workers one assesses; when it ends the other does, knows what the first had stored, and the first is refused."""
    if database.is_sqlite:
        pytest.skip("SQLite has one worker")
    segments.ensure(database)
    profile = detector.profile(detector.features(log(0, 60)))

    def add() -> None:
        with database.write() as connection:
            connection.execute(
                models.profile_segments.insert().values(level=0, last_seq=1, events=60, profile=profile.to_bytes())
            )

    add()
    one, two = Assessor(database, detector, settings), Assessor(database, detector, settings)
    one.assess()
    with pytest.raises(segments.Moved):
        two.assess()
    add()
    mutex = one._mutex
    one._mutex = Mutex(database, "assessor")  # as if the connection with the lock had failed without a word
    mutex.release()
    two.assess()
    assert overview(database).accounts == 7
    one._mutex.held = lambda: True  # type: ignore[method-assign]
    with pytest.raises(segments.Moved):
        one.assess()
    two.close()


def test_text_that_another_worker_deletes(database: Database, settings: Settings, detector: Detector) -> None:
    """Whichever worker deletes text, the one that assesses writes its findings anew, though nothing else is new; once."""
    long_ago = datetime.now(UTC) - timedelta(days=9)
    with database.write("events") as connection:
        events.insert(connection, [events.to_row(e, long_ago) for e in log(0, 60)])
    worker = Worker(database, detector, settings)
    until(lambda: not worker.step() and overview(database).accounts == 7)

    def word() -> None:  # as if the finding had been put into words from a request
        stored = cases.get(database, "account-0")
        assert stored is not None
        stored[1].templates = [Template(template_id="0", text="of a request")]
        with database.write() as connection:
            cases.store(connection, [stored[1]], datetime.now(UTC))

    def worded() -> bool:
        stored = cases.get(database, "account-0")
        return stored is not None and any(t.template_id == "0" for t in stored[1].templates)

    word()
    worker.assessor.assess()
    assert worded()  # what did not change is not written
    other = Database(database.url)
    assert Housekeeper(other, settings, ContentPolicy(other, settings, detector)).delete(datetime.now(UTC)) == 60
    other.close()
    until(lambda: not worker.step() and not worded())
    word()
    worker.assessor.assess()
    assert worded()
    worker.assessor.close()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_three_workers_share_the_log(database: Database, database_url: str, tmp_path: Path, detector: Detector) -> None:
    """Three processes work at the same time, one is killed in the middle: every event is counted exactly once."""
    found = log(0, 1600)
    at_once = 0

    def profiled(share: float) -> Callable[[], bool]:
        def holds() -> bool:
            nonlocal at_once
            with database.read() as connection:
                held = connection.execute(select(func.count()).select_from(models.open_ranges)).scalar_one()
            at_once = max(at_once, held)
            return counted(database)[0] >= share * len(found)

        return holds

    with working(database_url, tmp_path, 3) as workers:
        until(lambda: all("worker started" in w.text() for w in workers), *workers)
        put(database, found[:1200])
        until(profiled(0.1), *workers)
        assert workers[1].end() == -9
        put(database, found[1200:])
        until(profiled(1), *workers)
        until(lambda: overview(database).unassessed_events == 0, *workers)
        assert at_once >= 2
        assert sum("assessed" in w.text() for w in workers) >= 1
    assert counted(database) == (len(found), len(found))
    kept = merge_all(Profiles.from_bytes(blob) for blob in segments.profiles(database))
    assert kept is not None
    assert kept.equals(detector.profile(detector.features(found)))
    assert overview(database).worker_lag_events == 0
    assert overview(database).accounts == 7


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_second_worker_waits_on_sqlite(database: Database, database_url: str, tmp_path: Path) -> None:
    """It says why it waits, counts nothing, and takes over when the first is killed."""
    with working(database_url, tmp_path, 1) as (first,):
        until(lambda: "worker started" in first.text(), first)
        (tmp_path / "second").mkdir()
        with working(database_url, tmp_path / "second", 1) as (second,):
            until(lambda: "waits to take its place" in second.text(), second)
            put(database, log(0, 100))
            until(lambda: counted(database)[0] == 100, first)
            assert "worker started" not in second.text()
            first.end()
            put(database, log(100, 100))
            until(lambda: counted(database)[0] == 200, second)
    assert counted(database) == (200, 200)
