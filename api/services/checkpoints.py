"""SQLite's write-ahead log is emptied beside the commits, so that none of them waits for it.

By itself SQLite copies the log into the database's file within a commit, whenever the log has grown by so much; whoever waits
for that commit waits for the copying and another sync of the disk too. Here a thread does nearly all of it
(https://sqlite.org/wal.html#performance_considerations). What it leaves, as commits go on meanwhile, a commit still does
by itself once the log holds ``LOG_PAGES``: so the log stays bounded.
"""

from __future__ import annotations

import threading

import structlog

from api.storage.engine import Database, StorageError

AFTER_BYTES = 8 << 20  # committed since the last time: a sync of the file for some thousand events

log = structlog.get_logger()


class Checkpoints:
    """A thread; on PostgreSQL, which does this by itself, there is none."""

    def __init__(self, database: Database, after_bytes: int = AFTER_BYTES) -> None:
        self._database = database
        self._after = after_bytes
        self._bytes = 0
        self._closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints") if database.is_sqlite else None
        if self._thread is not None:
            self._thread.start()

    def committed(self, size: int) -> None:
        """Tell that so many bytes were committed; called by one thread."""
        self._bytes += size
        if self._bytes >= self._after:
            self._bytes = 0
            self._wake.set()

    def close(self) -> None:
        """Stop."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._closing:
                return
            try:
                self._database.checkpoint()
            except StorageError as error:  # a full disk, say: commits tell of it themselves
                log.warning("the write-ahead log was not emptied", error=str(error))
