"""One worker at a time on SQLite, by a lock on a file beside the database, which ends with the process that holds it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import structlog

from api.storage.engine import Database

SUFFIX = ".worker"
POLL_SECONDS = 0.5

log = structlog.get_logger()


@contextmanager
def alone(database: Database, stopping: Event) -> Iterator[None]:
    """Hold the place of SQLite's one worker; waits for it until ``stopping``. Other databases have room for many."""
    path = database.path
    if path is None:
        yield
        return
    with Path(f"{path}{SUFFIX}").open("ab") as file:
        waiting = False
        while not stopping.is_set():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    log.warning(
                        "another worker is at work on this database: this one waits to take its place."
                        " SQLite has room for one; on PostgreSQL several share the work",
                        database=str(path),
                    )
                    waiting = True
                stopping.wait(POLL_SECONDS)
        yield
