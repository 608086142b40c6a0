"""One thread that writes events: all requests that wait share one commit, and each is answered after it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError

from api.services import metrics
from api.storage import events
from api.storage.engine import Database

MAX_GROUP_ROWS = 20_000  # rows per commit; bounds how long the worker waits for its turn on SQLite

log = structlog.get_logger()


class Busy(RuntimeError):
    """Events cannot be stored now; the sender should try again."""


class _Job(NamedTuple):
    rows: Sequence[events.Row]
    size: int
    done: Future[int]


class Writer:
    """Stores events durably. ``submit`` returns a future of the number of rows that were new."""

    def __init__(self, database: Database, max_pending_bytes: int) -> None:
        self._database = database
        self._max_pending = max_pending_bytes
        self._pending = 0
        self._lock = threading.Lock()
        self._closed = False
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer")
        self._thread.start()

    def submit(self, rows: Sequence[events.Row]) -> Future[int]:
        """Queue rows. Raises Busy when too much waits already."""
        size = sum(len(row[-1]) for row in rows)
        with self._lock:
            if self._closed:
                raise Busy("the service is stopping")
            if self._pending and self._pending + size > self._max_pending:
                raise Busy(f"{self._pending >> 20} MiB of events wait to be written")
            self._pending += size
            job = _Job(rows, size, Future())
            self._queue.put(job)
        return job.done

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group: list[_Job] = []
            job = self._queue.get()
            while job is not None:
                group.append(job)
                if sum(len(j.rows) for j in group) >= MAX_GROUP_ROWS:
                    break
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
            stopping = job is None
            if group:
                self._commit(group)

    def _commit(self, group: Sequence[_Job]) -> None:
        start = time.perf_counter()
        try:
            with self._database.write("events") as connection:
                counts = [events.insert(connection, job.rows) for job in group]
        except Exception as error:
            log.exception("events not stored", requests=len(group))
            reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            for job in group:
                job.done.set_exception(Busy(f"the database refused: {reason}"))
        else:
            for job, count in zip(group, counts, strict=True):
                job.done.set_result(count)
            metrics.COMMIT_SECONDS.observe(time.perf_counter() - start)
        finally:
            with self._lock:
                self._pending -= sum(job.size for job in group)
