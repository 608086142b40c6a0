"""Of several workers, the one that assesses: it keeps the window, and assesses when there is news and it is time.

An assessment of many accounts takes seconds. Where there is a core to spare it runs in a thread of its own, on the window as it
was at its start, and the worker goes on reading the log meanwhile. There is never more than one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from uuid import uuid4

import structlog

from api.services.assessing import Findings
from api.services.window import Window
from api.settings import Settings
from api.storage import ranges, segments
from api.storage.engine import Database, Mutex, StorageError
from detector.pipeline import Detector
from detector.profiles import Profiles

REST = 1.0  # times as long as the last assessment took: half of the time is for reading the log ...
REST_BEHIND = 3.0  # ... and three quarters while more of it waits than was read at once

log = structlog.get_logger()


class Assessor:
    """A worker's part in assessing. Where another worker has the task, it waits for that one's end."""

    def __init__(self, database: Database, detector: Detector, settings: Settings) -> None:
        self._database = database
        self._detector = detector
        self._settings = settings
        self._name = uuid4().hex
        self._mutex = Mutex(database, "assessor")
        self._appointed = False
        self._window = Window(database, settings.window_days)
        self._findings = self._new_findings()
        self._assessed_at = float("-inf")
        self._took = 0.0
        self._beside: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None
        self.assessed: Profiles | None = None  # the window as of the last assessment

    def go_beside(self) -> None:
        """From now on have :meth:`step` assess in a thread of its own, if there is a core for it."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if cores > 1:
            self._beside = ThreadPoolExecutor(1, "assessment")

    def close(self) -> None:
        """Let another worker assess, once an assessment that runs has ended."""
        if self._running is not None:
            wait([self._running])
            self._running = None
        self._mutex.release()
        self._appointed = False

    def add(self, segment_id: int, profile: Profiles) -> None:
        """A segment that this worker has just written."""
        if self._appointed:
            self._window.add(segment_id, profile)

    def step(self, behind: bool = False) -> None:
        """Keep the segments few and assess, if that is this worker's task, there is news, and it is time.

        ``behind``: more of the log waits than was read at once.
        """
        try:
            if self._running is not None and not self._ended():
                return
            if not self._take():
                return
            self._window.compact()
            pause = max(self._settings.assess_seconds, self._took * (REST_BEHIND if behind else REST))
            if time.monotonic() - self._assessed_at >= pause and (self._is_stale() or self._findings.outdated()):
                self._try(self._begin)
        except segments.Moved as error:  # the lock was lost with its connection, and another worker was faster
            log.warning("not this worker's assessment", reason=str(error))
            self.close()

    def assess(self) -> None:
        """Assess the window as it is and store the findings. Raises Moved where another worker has the task."""
        if not self._take():
            raise segments.Moved("another worker assesses")
        self._assess(*self._now(), time.perf_counter())

    def _begin(self, start: float) -> None:
        """Assess in this thread or, where there is a core to spare, in another one."""
        merged, position = self._now()
        if self._beside is None:
            self._assess(merged, position, start)
        else:
            self._running = self._beside.submit(self._try, partial(self._assess, merged, position))

    def _ended(self) -> bool:
        """Whether the assessment in the other thread has ended. Raises what it raised."""
        assert self._running is not None
        if not self._running.done():
            return False
        ended, self._running = self._running, None
        ended.result()
        return True

    def _now(self) -> tuple[Profiles | None, int]:
        """The window as it is, and how far of the log it reaches."""
        with self._database.read() as connection:
            position = ranges.profiled(connection)
        return self._window.merged(), position

    def _assess(self, merged: Profiles | None, position: int, start: float) -> None:
        if merged is not None and len(merged):
            self.assessed = merged
            assessment = self._findings.update(merged, position)
            log.info(
                "assessed",
                accounts=len(assessment.accounts),
                flagged=len(assessment.flagged()),
                campaigns=len(assessment.campaigns),
                position=position,
                seconds=round(time.perf_counter() - start, 2),
            )
        self._rest(start)

    def _take(self) -> bool:
        """Whether this worker assesses. Whoever has just got the task knows nothing of what was stored, and reads anew."""
        if not self._mutex.held():
            self._appointed = False
            return False
        if not self._appointed:
            segments.appoint(self._database, self._name)
            self._window = Window(self._database, self._settings.window_days)
            self._findings = self._new_findings()
            self._appointed = True
            log.info("this worker assesses")
        return True

    def _new_findings(self) -> Findings:
        return Findings(self._database, self._detector, self._settings.prices, self._name)

    def _is_stale(self) -> bool:
        with self._database.read() as connection:
            profiled = ranges.profiled(connection)
            state = segments.state(connection)
            return (
                profiled > state.assessed_position
                or state.is_worded_anew
                or self._window.lacks(segments.ids(connection))
            )

    def _try(self, work: Callable[[float], None]) -> None:
        """Do a part of an assessment, which is given the time of its start."""
        start = time.perf_counter()
        try:
            work(start)
        except (StorageError, segments.Moved):
            raise
        except Exception:  # profiling must go on; the overview shows how many events the findings do not reflect
            log.exception("assessment failed")
            self._rest(start)

    def _rest(self, start: float) -> None:
        self._took = time.perf_counter() - start
        self._assessed_at = time.monotonic()
