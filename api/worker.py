"""The worker: profiles one range of the event log after another, and assesses when there is news.

A range becomes one profile segment, written together with the end of the range, so that every event counts exactly once
however often workers are killed. On PostgreSQL any number of them share the ranges; one of them assesses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from api.services.alone import alone
from api.services.assessor import Assessor
from api.services.background import Background
from api.services.joining import join_due
from api.settings import Settings
from api.storage import ranges, segments
from api.storage.engine import Database, StorageError
from detector.event import Event
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all

IDLE_SECONDS = 0.5  # between two looks at an empty log
BEAT_SECONDS = 10.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # waits after failures in a row; the last one is repeated

log = structlog.get_logger()


class Worker:
    """One worker over one database. ``step`` does one round; ``run`` goes on until it is stopped."""

    def __init__(
        self, database: Database, detector: Detector, settings: Settings, stopping: threading.Event | None = None
    ) -> None:
        self._database = database
        self._detector = detector
        self._settings = settings
        segments.ensure(database)
        self.assessor = Assessor(database, detector, settings)
        self._beat_at = time.monotonic()
        self.stopping = stopping or threading.Event()

    def run(self) -> None:
        """Work until ``stopping`` is set. Failures of the database are waited out."""
        failures = 0
        while not self.stopping.is_set():
            try:
                wait = 0.0 if self.step() else IDLE_SECONDS
                failures = 0
            except StorageError as error:
                wait = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                log.warning("database failed, trying again", seconds=wait, error=str(error))
            self.stopping.wait(wait)
        self.assessor.close()
        log.info("worker stopped")

    def step(self) -> bool:
        """Join calls and profile one range where there are any, assess if it is time. True if there may be more at once."""
        more = join_due(self._database)
        more = self._profile_next() or more
        if time.monotonic() - self._beat_at > BEAT_SECONDS:
            segments.beat(self._database)
            self._beat_at = time.monotonic()
        self.assessor.step(behind=more)
        return more

    def _profile_next(self) -> bool:
        """Profile a range that nobody works on, or the next one of the log. True if there may be more of them."""
        if self._profile_held():
            return True  # somebody has left it; there may be others
        reach = ranges.cut(self._database, self._settings.worker_batch)
        if reach is None:
            return False
        self._profile_held()
        return reach.full

    def _profile_held(self) -> bool:
        """Profile the first range that nobody works on, if there is one."""
        try:
            with ranges.hold(self._database) as held:
                if held is None:
                    return False
                segment_id, profile = self._segment(held)
        except segments.Moved as error:
            log.warning("a range was profiled twice, and is counted once", reason=str(error))
            return True
        self._beat_at = time.monotonic()
        if segment_id is not None and profile is not None:
            self.assessor.add(segment_id, profile)
        return True

    def _segment(self, held: ranges.Held) -> tuple[int | None, Profiles | None]:
        """Write the segment of a range; returns its id and profile, None where nothing of it could be read."""
        batch = held.read()
        readable = [stored.event for stored in batch if stored.event is not None]
        now = datetime.now(UTC)  # one sender's wrong clock must not push everybody's traffic out of the window
        last_event_at = max((e.timestamp for e in readable if e.timestamp <= now), default=None)
        profile, used = self._profile(readable)
        data = profile.to_bytes() if profile is not None else None
        after_seq, last_seq, _ = held.range
        with held.writing() as connection:
            segment_id = segments.add(connection, after_seq, last_seq, used, len(batch) - used, last_event_at, data)
        return segment_id, profile

    def _profile(self, batch: Sequence[Event]) -> tuple[Profiles | None, int]:
        """Profile of the events, and how many are in it. An event that the detector fails on is found and left out."""
        if not batch:
            return None, 0
        try:
            return self._detector.profile(self._detector.features(batch)), len(batch)
        except Exception:
            if len(batch) == 1:
                log.exception("event left out", event_id=batch[0].event_id)
                return None, 0
        half = len(batch) // 2
        parts = [self._profile(batch[:half]), self._profile(batch[half:])]
        return merge_all(p for p, _ in parts if p is not None), sum(used for _, used in parts)


def run(settings: Settings, on_ready: Callable[[threading.Event], None]) -> None:
    """Run a worker in this process until the event that ``on_ready`` is given is set."""
    database = Database(settings.url)
    stopping = threading.Event()
    on_ready(stopping)
    try:
        detector = Detector.load(settings.calibration).with_max_false_flags(settings.max_false_flags)
        with alone(database, stopping):
            if stopping.is_set():
                return
            worker = Worker(database, detector, settings, stopping)
            with database.read() as connection:
                state = segments.state(connection)
            log.info("worker started", position=state.position, events=state.events)
            with Background(database, settings):
                worker.run()
    finally:
        database.close()
