"""The worker: reads the event log after its position, keeps profiles, assesses when there is news.

One batch becomes one profile segment, written together with the new position, so that every event counts exactly once
however often the worker is killed. The merged window lives in memory and is rebuilt from the segments at the start.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from api.services.assessing import Findings
from api.services.background import Background
from api.services.joining import join_due
from api.settings import Settings
from api.storage import events, segments
from api.storage.engine import Database, StorageError
from detector.event import Event
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all

IDLE_SECONDS = 0.5  # between two looks at an empty log
BEAT_SECONDS = 10.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # waits after failures in a row; the last one is repeated
MAX_SEGMENTS = 200  # of one level, before they are merged into one of the next

log = structlog.get_logger()


class Worker:
    """One worker over one database. ``step`` does one round; ``run`` goes on until it is stopped."""

    def __init__(self, database: Database, detector: Detector, settings: Settings) -> None:
        self._database = database
        self._detector = detector
        self._settings = settings
        self._findings = Findings(database, detector)
        self._state = segments.ensure(database)
        self._parts = _restore(database)
        self._assessed_at = float("-inf")
        self._pause = 0.0
        self._beat_at = time.monotonic()
        self._more = False  # of the log than the last batch
        self._stale = self._state.assessed_position < self._state.position
        self.stopping = threading.Event()

    @property
    def state(self) -> segments.State:
        """Where the worker is."""
        return self._state

    def run(self) -> None:
        """Work until ``stopping`` is set. Failures of the database are waited out; Moved ends it."""
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
        log.info("worker stopped", position=self._state.position)

    def step(self) -> bool:
        """Join calls and profile one batch where there are any, assess if it is time. True if there may be more at once."""
        more = join_due(self._database)
        batch = self._read()
        if batch:
            self._advance(batch)
            self._compact()
        elif time.monotonic() - self._beat_at > BEAT_SECONDS:
            segments.beat(self._database)
            self._beat_at = time.monotonic()
        if self._stale and time.monotonic() - self._assessed_at >= self._pause:
            self._try_to_assess()
        return more or self._more

    def assess(self) -> None:
        """Assess the window as it is and store the findings."""
        start = time.perf_counter()
        merged = self._window()
        if merged is not None and len(merged):
            assessment = self._findings.update(merged, self._state.position)
            log.info(
                "assessed",
                accounts=len(assessment.accounts),
                flagged=len(assessment.flagged()),
                campaigns=len(assessment.campaigns),
                position=self._state.position,
                seconds=round(time.perf_counter() - start, 2),
            )
        self._rest(start)
        self._stale = False

    def _try_to_assess(self) -> None:
        start = time.perf_counter()
        try:
            self.assess()
        except (StorageError, segments.Moved):
            raise
        except Exception:  # profiling must go on; the overview shows how many events the findings do not reflect
            log.exception("assessment failed", position=self._state.position)
            self._rest(start)

    def _rest(self, start: float) -> None:
        """No assessment for as long as this one took, at least: half of the time is for reading the log."""
        self._pause = max(self._settings.assess_seconds, time.perf_counter() - start)
        self._assessed_at = time.monotonic()

    def _read(self) -> list[events.Stored]:
        with self._database.read() as connection:
            last, self._more = events.reach(connection, self._state.position, self._settings.worker_batch)
            return events.between(connection, self._state.position, last)

    def _advance(self, batch: Sequence[events.Stored]) -> None:
        readable = [stored.event for stored in batch if stored.event is not None]
        now = datetime.now(UTC)  # one sender's wrong clock must not push everybody's traffic out of the window
        profile, used = self._profile(readable)
        self._state = segments.advance(
            self._database,
            self._state,
            last_seq=batch[-1].seq,
            events=used,
            skipped=len(batch) - used,
            last_event_at=max((e.timestamp for e in readable if e.timestamp <= now), default=None),
            profile=profile.to_bytes() if profile is not None else None,
        )
        if profile is not None:
            self._parts.append(profile)
        self._stale = True

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

    def _window(self) -> Profiles | None:
        """All parts merged, without the days before the window."""
        merged = merge_all(self._parts)
        if merged is None:
            return None
        merged = merged.window(self._since())
        self._parts = [merged]
        return merged

    def _since(self) -> datetime | None:
        last = self._state.last_event_at
        return None if last is None else last - timedelta(days=self._settings.window_days)

    def _compact(self) -> None:
        with self._database.read() as connection:
            crowded = segments.crowded(connection, MAX_SEGMENTS)
        if crowded is None:
            return
        level, ids = crowded
        merged = merge_all(Profiles.from_bytes(blob) for blob in segments.load(self._database, ids))
        assert merged is not None  # a crowded level is not empty
        segments.replace(self._database, level, ids, merged.window(self._since()).to_bytes())
        log.info("segments merged", of_level=level, segments=len(ids))


def _restore(database: Database) -> list[Profiles]:
    merged = merge_all(Profiles.from_bytes(blob) for blob in segments.profiles(database))
    return [] if merged is None else [merged]


def run(settings: Settings, on_ready: Callable[[Worker], None]) -> None:
    """Run a worker in this process; ``on_ready`` gets it before it starts, to arrange for its end."""
    database = Database(settings.url)
    try:
        detector = Detector.load(settings.calibration).with_max_false_flags(settings.max_false_flags)
        worker = Worker(database, detector, settings)
        on_ready(worker)
        log.info("worker started", position=worker.state.position, events=worker.state.events)
        with Background(database, settings):
            worker.run()
    finally:
        database.close()
