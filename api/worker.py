"""The worker: profiles one range of the event log after another, and assesses when there is news.

A range becomes one profile segment, written together with the end of the range, so that every event counts exactly once
however often workers are killed. On PostgreSQL any number of them share the ranges; one of them assesses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import polars as pl
import structlog

from api.services.alone import alone
from api.services.assessor import Assessor
from api.services.background import Background
from api.services.content import REFRESH_SECONDS, ContentPolicy
from api.services.housekeeping import KEEP_SECONDS, Housekeeper
from api.services.jobs.runner import STEP_SECONDS, Runner
from api.services.joining import join_due
from api.services.likeness import STEP_SECONDS as INDEX_SECONDS
from api.services.likeness import Indexer
from api.services.periodic import Periodic
from api.settings import Settings
from api.storage import ranges, segments
from api.storage.engine import Database, StorageError
from detector.event import Event
from detector.features import FeatureFrame
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all

IDLE_SECONDS = 0.5  # between two looks at an empty log
BEAT_SECONDS = 10.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # waits after failures in a row; the last one is repeated

Read = tuple[Event, bytes | None]  # an event, and its features where they were computed before it was stored

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
        self.content = ContentPolicy(database, settings, detector)
        self.content.refresh()

    def run(self) -> None:
        """Work until ``stopping`` is set. Failures of the database are waited out."""
        self.assessor.go_beside()
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
        self.content.refresh(REFRESH_SECONDS)
        more = join_due(self._database, self.content)
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
        readable = [(stored.event, stored.features) for stored in batch if stored.event is not None]
        now = datetime.now(UTC)  # one sender's wrong clock must not push everybody's traffic out of the window
        last_event_at = max((e.timestamp for e, _ in readable if e.timestamp <= now), default=None)
        profile, used = self._profile(readable)
        data = profile.to_bytes() if profile is not None else None
        after_seq, last_seq, _ = held.range
        with held.writing() as connection:
            segment_id = segments.add(connection, after_seq, last_seq, used, len(batch) - used, last_event_at, data)
        return segment_id, profile

    def _profile(self, batch: Sequence[Read]) -> tuple[Profiles | None, int]:
        """Profile of the events, and how many are in it. An event that the detector fails on is found and left out."""
        if not batch:
            return None, 0
        try:
            return self._detector.profile(self._features(batch)), len(batch)
        except Exception:
            if len(batch) == 1:
                log.exception("event left out", event_id=batch[0][0].event_id)
                return None, 0
        half = len(batch) // 2
        parts = [self._profile(batch[:half]), self._profile(batch[half:])]
        return merge_all(p for p, _ in parts if p is not None), sum(used for _, used in parts)

    def _features(self, batch: Sequence[Read]) -> FeatureFrame:
        """Features of events: as stored where their text is not kept, else of their text."""
        stored = [features for _, features in batch if features is not None]
        frame = self._detector.features([event for event, features in batch if features is None])
        return pl.concat([frame, self.content.features(stored)]) if stored else frame


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
            keeper = Housekeeper(database, settings, worker.content)
            runner = Runner(database, settings)
            keeping, running = (
                Periodic("housekeeping", keeper.step, KEEP_SECONDS),
                Periodic("jobs", runner.step, STEP_SECONDS),
            )
            keeper.stopping = keeping.stopping
            indexer = Indexer(settings, detector.codebook, lambda: worker.assessor.assessed)
            indexing = Periodic("search index", indexer.step, INDEX_SECONDS)
            try:
                with Background(database, settings), keeping, running, indexing:
                    worker.run()
            finally:
                runner.close()
    finally:
        database.close()
