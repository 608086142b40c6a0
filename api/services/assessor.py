"""Of several workers, the one that assesses: it keeps the window, and assesses when there is news and it is time."""

from __future__ import annotations

import time
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
        self.assessed: Profiles | None = None  # the window as of the last assessment

    def close(self) -> None:
        """Let another worker assess."""
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
        if not self._take():
            return
        try:
            self._window.compact()
            pause = max(self._settings.assess_seconds, self._took * (REST_BEHIND if behind else REST))
            if time.monotonic() - self._assessed_at >= pause and (self._is_stale() or self._findings.outdated()):
                self._try()
        except segments.Moved as error:  # the lock was lost with its connection, and another worker was faster
            log.warning("not this worker's assessment", reason=str(error))
            self.close()

    def assess(self) -> None:
        """Assess the window as it is and store the findings. Raises Moved where another worker has the task."""
        if not self._take():
            raise segments.Moved("another worker assesses")
        start = time.perf_counter()
        with self._database.read() as connection:
            position = ranges.profiled(connection)
        merged = self._window.merged()
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
        return Findings(self._database, self._detector, self._name)

    def _is_stale(self) -> bool:
        with self._database.read() as connection:
            profiled = ranges.profiled(connection)
            state = segments.state(connection)
            return (
                profiled > state.assessed_position
                or state.is_worded_anew
                or self._window.lacks(segments.ids(connection))
            )

    def _try(self) -> None:
        start = time.perf_counter()
        try:
            self.assess()
        except (StorageError, segments.Moved):
            raise
        except Exception:  # profiling must go on; the overview shows how many events the findings do not reflect
            log.exception("assessment failed")
            self._rest(start)

    def _rest(self, start: float) -> None:
        self._took = time.perf_counter() - start
        self._assessed_at = time.monotonic()
