"""SQLite's write-ahead log is emptied beside the commits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from api.services.checkpoints import Checkpoints
from api.storage.engine import Database

ROWS, ROW_BYTES = 64, 16_384


def fill(database: Database) -> None:
    """Commit a megabyte."""
    with database.write() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS filling (bytes BLOB)"))
        connection.execute(text("INSERT INTO filling VALUES (:b)"), [{"b": bytes(ROW_BYTES)}] * ROWS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_committed_gets_into_the_file(database: Database) -> None:
    """A commit leaves its rows in the log; once enough was committed they come into the file, and nobody asked for it."""
    path = database.path
    assert isinstance(path, Path)
    checkpoints = Checkpoints(database, after_bytes=2 * ROWS * ROW_BYTES)
    try:
        before = path.stat().st_size
        for enough in (False, True):
            fill(database)
            assert path.stat().st_size == before, enough
            checkpoints.committed(ROWS * ROW_BYTES)
        deadline = time.monotonic() + 60
        while path.stat().st_size < before + 2 * ROWS * ROW_BYTES:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        checkpoints.close()


def test_a_failure_ends_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing stops neither the commits nor the next try; PostgreSQL is left to itself."""
    asked: list[int] = []

    def failing(self: Database) -> None:
        asked.append(1)
        self._checkpoint("NO SUCH MODE (")

    monkeypatch.setattr(Database, "checkpoint", failing)
    checkpoints = Checkpoints(database, after_bytes=1)
    for tries in (1, 2):
        checkpoints.committed(1)
        deadline = time.monotonic() + 60
        while database.is_sqlite and len(asked) < tries:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    checkpoints.close()
    assert len(asked) == (2 if database.is_sqlite else 0)
