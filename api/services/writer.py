"""One thread that writes what requests bring: all that wait share one commit, and each is answered after it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

import structlog

from api.services import metrics
from api.services.checkpoints import Checkpoints
from api.services.storing import Bundle, Stored, Unavailable, store
from api.storage.engine import Database

MAX_GROUP_ROWS = 20_000  # rows per commit; bounds how long the worker waits for its turn on SQLite

log = structlog.get_logger()


class Busy(RuntimeError):
    """Events cannot be stored now; the sender should try again."""


class _Job(NamedTuple):
    bundle: Bundle
    size: int
    done: Future[Stored]

    @property
    def rows(self) -> int:
        return len(self.bundle.events) + len(self.bundle.joined) + len(self.bundle.parts)


class Writer:
    """Stores bundles durably. ``submit`` returns a future, which may be cancelled as long as its commit has not begun."""

    def __init__(self, database: Database, max_pending_bytes: int) -> None:
        self._database = database
        self._max_pending = max_pending_bytes
        self._pending = 0
        self._lock = threading.Lock()
        self._closed = False
        self._since: float | None = None  # when the commit under way began
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._checkpoints = Checkpoints(database)
        self._thread = threading.Thread(target=self._run, name="writer")
        self._thread.start()

    @property
    def pending_bytes(self) -> int:
        """What waits to be written."""
        return self._pending

    @property
    def stalled_seconds(self) -> float:
        """How long the commit under way has taken so far."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def submit(self, bundle: Bundle) -> Future[Stored]:
        """Queue a bundle. Raises Busy when too much waits already."""
        size = bundle.size
        with self._lock:
            if self._closed:
                raise Busy("the service is stopping")
            if self._pending and self._pending + size > self._max_pending:
                raise Busy(f"{self._pending >> 20} MiB of events wait to be written")
            self._pending += size
            job = _Job(bundle, size, Future())
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
        self._checkpoints.close()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group: list[_Job] = []
            rows = 0
            job = self._queue.get()
            while job is not None:
                if job.done.set_running_or_notify_cancel():
                    group.append(job)
                    rows += job.rows
                else:  # was put elsewhere meanwhile
                    self._settle([job])
                if rows >= MAX_GROUP_ROWS:
                    break
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
            stopping = job is None
            if group:
                self._commit(group)

    def _commit(self, group: Sequence[_Job]) -> None:
        self._since = start = time.monotonic()
        try:
            stored = store(self._database, [job.bundle for job in group])
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("events not stored", requests=len(group))
            for job in group:
                job.done.set_exception(Busy(f"the database refused: {error}"))
        else:
            for job, found in zip(group, stored, strict=True):
                job.done.set_result(found)
            metrics.COMMIT_SECONDS.observe(time.monotonic() - start)
            self._checkpoints.committed(sum(job.size for job in group))
        finally:
            self._since = None
            self._settle(group)

    def _settle(self, group: Sequence[_Job]) -> None:
        with self._lock:
            self._pending -= sum(job.size for job in group)
