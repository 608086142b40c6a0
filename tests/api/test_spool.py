"""Files that stand in for the database: on disk before the answer, in the database later, exactly once."""

from __future__ import annotations

import fcntl
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from api.services import spool as spools
from api.services.spool import NoRoom, Spool
from api.services.storing import Bundle, Stored, Unavailable, store
from api.storage import events, migrate, models, parts
from api.storage.engine import Database
from detector.event import Event
from detector.formats.base import Part

NOW = datetime(2026, 9, 7, tzinfo=UTC)
Wait = Callable[[Callable[[], bool]], None]


def bundle(*names: str, **fields: Any) -> Bundle:
    """Events by their ids."""
    found = [Event(event_id=name, timestamp=NOW, account_id="a", **fields) for name in names]
    return Bundle(events=[events.to_row(e, NOW) for e in found])


def part(name: str) -> Bundle:
    """A part of a call."""
    row = parts.to_row(Part(family="otlp", group="g", patient=False, data=name.encode()), NOW, None, "s", NOW)
    return Bundle(parts=[row])


def ids(database: Database) -> list[str]:
    """What is in the log."""
    with database.read() as connection:
        return sorted(connection.execute(select(models.events.c.event_id)).scalars())


def files(folder: Path) -> list[str]:
    """Names of what lies in the folder."""
    return sorted(p.suffix for p in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def wait() -> Wait:
    """Wait until something holds."""

    def until(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return until


class Away(NamedTuple):
    """A database that can be sent away: its table is renamed, so that nothing can be written."""

    database: Database

    def go(self) -> None:
        """Take nothing from now on."""
        with self.database.write() as connection:
            connection.execute(text("ALTER TABLE events RENAME TO events_away"))

    def come_back(self) -> None:
        """Take everything again."""
        with self.database.write() as connection:
            connection.execute(text("ALTER TABLE events_away RENAME TO events"))


@pytest.fixture
def away(database: Database) -> Away:
    """The database, which can be sent away."""
    return Away(database)


@pytest.fixture
def make(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Spool]]:
    """Make spools over the database in one folder."""
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.05)
    made: list[Spool] = []

    def make(max_bytes: int = 1 << 20, min_free: int = 0) -> Spool:
        made.append(Spool(tmp_path / "spool", database, max_bytes, min_free))
        return made[-1]

    yield make
    for spool in made:
        spool.close()


def test_what_waits_comes_into_the_database(
    database: Database, away: Away, make: Callable[..., Spool], tmp_path: Path, wait: Wait
) -> None:
    """Bundles are kept while the database takes nothing; afterwards each row is in it once, and the files are gone."""
    with database.write("events") as connection:
        events.insert(connection, bundle("a").events)
    away.go()
    spool = make()
    for some in (bundle("a", "b"), bundle("b", "c"), part("p"), part("p")):
        spool.append(some)
    assert spool.waiting_bytes > 0
    away.come_back()
    wait(lambda: files(tmp_path / "spool") == [])
    assert ids(database) == ["a", "b", "c"]
    with database.read() as connection:
        assert parts.count(connection) == 1
    wait(lambda: spool.waiting_bytes == 0)


def test_a_file_left_behind_is_taken_over(
    database: Database, away: Away, make: Callable[..., Spool], tmp_path: Path, wait: Wait
) -> None:
    """What a process that ended has left comes into the database by the next one; a living process's file is left alone."""
    away.go()
    first = make()
    first.append(bundle("a"))
    first.close()
    second = make()
    second.append(bundle("b"))
    assert files(tmp_path / "spool") == [".spool", ".spool"]
    away.come_back()
    wait(lambda: ids(database) == ["a", "b"] and files(tmp_path / "spool") == [])


def test_a_file_taken_over_before_its_lock_gets_no_record(
    away: Away, make: Callable[..., Spool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks for files left behind may find a new one before it is locked, and remove it: the record goes into another."""
    away.go()
    spool = make()
    lock = fcntl.flock

    def removed_first(file: Any, how: int) -> None:
        if how == fcntl.LOCK_EX:
            monkeypatch.undo()
            Path(file.name).unlink()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    spool.append(bundle("a"))
    spool.close()
    (kept,) = (tmp_path / "spool").iterdir()
    with kept.open("rb") as file:
        assert [b.events[0][0] for b in spools._records(file)] == ["a"]


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_half_a_record_hides_nothing(cut: int, sizes: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that was cut off at any byte gives all records before that, and nothing else."""
    folder = tmp_path_factory.mktemp("cut")
    bundles = [Bundle(events=[("x" * size, "a", 0, 0, b"{}")]) for size in sizes]
    encoded = []
    for one in bundles:
        data = spools._ENCODER.encode(one)
        encoded.append(len(data).to_bytes(8, "little") + spools.xxh3_64_digest(data) + data)
    whole = b"".join(encoded)
    cut %= len(whole) + 1
    (folder / "f").write_bytes(whole[:cut])
    with (folder / "f").open("rb") as file:
        found = list(spools._records(file))
    ends = [sum(map(len, encoded[: n + 1])) for n in range(len(encoded))]
    assert [f.events for f in found] == [b.events for b, end in zip(bundles, ends, strict=True) if end <= cut]
    (folder / "g").write_bytes(b"\xff" * 40)  # a length beyond any memory
    with (folder / "g").open("rb") as file:
        assert list(spools._records(file)) == []


def test_limits(database: Database, away: Away, make: Callable[..., Spool], tmp_path: Path) -> None:
    """Beyond its size, with too little room on the disk, or at its end, a spool refuses in words and keeps nothing of it."""
    away.go()
    spool = make(max_bytes=2000)
    spool.append(bundle("a"))
    with pytest.raises(NoRoom, match="wait in files already"):
        spool.append(bundle("b", response="x" * 3000))
    assert not make(max_bytes=0).has_room
    with pytest.raises(NoRoom, match="are free in"):
        make(min_free=shutil.disk_usage(tmp_path).total).append(bundle("c"))
    spool.close()
    with pytest.raises(NoRoom, match="stopping"):
        spool.append(bundle("d"))
    away.come_back()
    make()
    deadline = time.monotonic() + 60
    while not ids(database):
        assert time.monotonic() < deadline
    assert ids(database) == ["a"]


def test_what_cannot_be_read_is_put_aside(
    database: Database, make: Callable[..., Spool], tmp_path: Path, wait: Wait
) -> None:
    """A file whose records are of another version is kept for people to look at, and the files after it are read."""
    folder = tmp_path / "spool"
    folder.mkdir()
    strange = spools.msgspec.msgpack.encode({"what": "is this"})
    record = len(strange).to_bytes(8, "little") + spools.xxh3_64_digest(strange) + strange
    (folder / "0.spool").write_bytes(record)
    good = spools._ENCODER.encode(bundle("a"))
    (folder / "1.spool").write_bytes(len(good).to_bytes(8, "little") + spools.xxh3_64_digest(good) + good)
    make()
    wait(lambda: ids(database) == ["a"])
    wait(lambda: files(folder) == [".unreadable"])


def test_many_at_once(database: Database, away: Away, make: Callable[..., Spool], tmp_path: Path, wait: Wait) -> None:
    """Threads that append while the database comes and goes lose nothing."""
    away.go()
    spool = make(max_bytes=1 << 26)

    def append(thread: int) -> None:
        for number in range(25):
            spool.append(bundle(f"{thread}-{number:02}"))

    threads = [threading.Thread(target=append, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    away.come_back()
    for thread in threads:
        thread.join()
    wait(lambda: files(tmp_path / "spool") == [])
    assert ids(database) == sorted(f"{t}-{n:02}" for t in range(4) for n in range(25))


HUGE = (1 << 80, "an integer that no database holds")


def test_a_row_that_the_database_refuses_costs_no_other(database: Database) -> None:
    """Of many requests in one commit only the bad row is refused, with the reason; the rest is stored."""
    bad = bundle("bad")
    bad.events[0] = (*bad.events[0][:2], HUGE[0], *bad.events[0][3:])
    mixed = Bundle(events=[*bundle("c", "d").events, *bad.events, *bundle("e").events], parts=part("p").parts)
    found = store(database, [bundle("a", "b"), mixed, bundle("f")])
    assert [f.accepted for f in found] == [2, 4, 1]
    assert [len(f.refused) for f in found] == [0, 1, 0]
    assert "the database refuses it" in found[1].refused[0]
    assert ids(database) == ["a", "b", "c", "d", "e", "f"]


def test_a_database_that_is_away_takes_nothing(database: Database, away: Away) -> None:
    """A missing table is no fault of the rows: nothing is refused for good, and nothing is stored by halves."""
    away.go()
    with pytest.raises(Unavailable):
        store(database, [bundle("a"), part("p")])
    away.come_back()
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(models.open_parts)).scalar_one() == 0
    assert store(database, [bundle("a")]) == [Stored(1, [])]


def test_an_old_database_is_brought_to_this_version(tmp_path: Path) -> None:
    """Keys and events of the first version are there after the upgrade."""
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    with database.write("migrate") as connection:
        from alembic import command

        command.upgrade(migrate._config(connection), "0001")
        connection.execute(text("INSERT INTO api_keys VALUES ('k', 'n', 'gateway', 'h', 0, NULL)"))
        connection.execute(text("INSERT INTO events VALUES (1, 'e', 'a', 0, 0, x'7b7d')"))
    migrate.upgrade(database)
    with database.read() as connection:
        row = connection.execute(select(models.api_keys)).one()
        assert (row.key_id, row.account_id) == ("k", None)
    assert ids(database) == ["e"]
    database.close()
