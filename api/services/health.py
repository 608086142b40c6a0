"""How the service does: the states of its parts, in words for people and in numbers for /metrics.

Back-pressure is told before it costs anything: a worker that falls behind and a disk that fills up are states of their own,
and neither makes the API refuse logs that it can still keep.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from api.services import metrics
from api.services.ingest import ACK_SECONDS, Ingestion
from api.settings import Settings
from api.storage import migrate, parts, ranges, segments
from api.storage.engine import Database, StorageError

LOOK_SECONDS = 1.0  # between two looks at the database, however often it is asked for
ABSENT_SECONDS = 120.0  # without a sign of life, or three assessments: a worker says nothing while it assesses
STATES = {
    "database": ("ok", "stalled", "down", "old"),
    "disk": ("ok", "low", "full"),
    "intake": ("ok", "spooling", "refusing"),
    "worker": ("ok", "behind", "absent", "unknown"),
}

log = structlog.get_logger()


class State(NamedTuple):
    """The state of a part, and what a person should know of it."""

    state: str
    detail: str = ""


class Health(NamedTuple):
    """The states of all parts."""

    database: State
    disk: State
    intake: State
    worker: State

    @property
    def is_ready(self) -> bool:
        """Whether logs are taken."""
        return self.intake.state != "refusing"

    @property
    def problems(self) -> dict[str, State]:
        """The parts that are not in order."""
        return {part: state for part, state in self._asdict().items() if state.state not in ("ok", "unknown")}


class _Stored(NamedTuple):
    """What the database tells."""

    database: State
    worker: State
    parts_waiting: int = 0  # spans and log records that wait for others of their calls


class Monitor:
    """Looks at the parts; the database is asked at most once a second, and by one caller at a time."""

    def __init__(self, database: Database, settings: Settings, ingestion: Ingestion) -> None:
        self._database = database
        self._settings = settings
        self._ingestion = ingestion
        self._ask_lock = threading.Lock()
        self._measure_lock = threading.Lock()
        self._looked_at = float("-inf")
        self._stored = _Stored(State("ok"), State("unknown", "not asked yet"))

    def look(self) -> Health:
        """The states now; waits for the database."""
        with self._ask_lock:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                self._stored = self._ask()
                self._looked_at = time.monotonic()
        return self.known()

    def known(self) -> Health:
        """The states as they were last looked at, and as this process itself knows them now; waits for nothing slow."""
        database, worker, _ = self._stored
        stalled = self._ingestion.writer.stalled_seconds
        if database.state == "ok" and stalled > ACK_SECONDS:
            database = State("stalled", f"the database has taken nothing for {stalled:.0f} s: is it locked?")
        return Health(database, self._disk(), self._intake(database), worker)

    def measure(self) -> None:
        """Set the gauges of the parts, whose only reader is /metrics: nobody else sets them."""
        with self._measure_lock:  # two scrapes at once: the older states must not be set after the newer
            health = self.look()
            for part, states in STATES.items():
                now = getattr(health, part).state
                for state in states:
                    metrics.STATE.labels(part, state).set(state == now)
            metrics.PARTS_WAITING.set(self._stored.parts_waiting)
            metrics.DISK_FREE.set(self._ingestion.disk.free_bytes)
            metrics.SPOOL_BYTES.set(self._ingestion.spool.waiting_bytes)
            metrics.PENDING_BYTES.set(self._ingestion.writer.pending_bytes)

    def _disk(self) -> State:
        disk = self._ingestion.disk
        state = disk.state
        if state == "ok":
            return State("ok")
        free, least = disk.free_bytes >> 20, disk.min_free_bytes >> 20
        return State(state, f"{free} MiB are free; below {least} MiB nothing is accepted")

    def _intake(self, database: State) -> State:
        spool = self._ingestion.spool
        waiting = spool.waiting_bytes
        if self._ingestion.disk.state == "full":
            return State("refusing", "the disk is nearly full")
        if database.state == "old":
            return State("refusing", database.detail)
        if database.state != "ok" and not spool.has_room:
            return State(
                "refusing", f"{database.detail or 'the database is away'}; the files for that are full or switched off"
            )
        if waiting or database.state != "ok":
            return State("spooling", f"{waiting >> 10} KiB wait in files for the database")
        return State("ok")

    def _ask(self) -> _Stored:
        try:
            migrate.check(self._database)
            with self._database.read() as connection:
                state = segments.state(connection)
                behind, since = ranges.backlog(connection)
                waiting = parts.count(connection)
        except migrate.NotMigrated as error:
            return self._stored._replace(database=State("old", str(error)))
        except StorageError as error:
            log.warning("database not reachable", error=str(error))
            away = "the database does not answer"
            return self._stored._replace(database=State("down", away), worker=State("unknown", away))
        return _Stored(State("ok"), self._worker(state, behind, since), waiting)

    def _worker(self, state: segments.State, behind: int, since: datetime | None) -> State:
        now = datetime.now(UTC)
        patience = max(ABSENT_SECONDS, 3 * (state.assess_seconds or 0.0))
        if state.seen_at is None or (now - state.seen_at).total_seconds() > patience:
            seen = f"since {state.seen_at:%Y-%m-%d %H:%M:%S} UTC" if state.seen_at else "ever"
            return State("absent", f"no sign of life {seen}; {behind:,} events wait")
        age = (now - since).total_seconds() if since else 0.0
        if age > self._settings.behind_seconds:
            return State("behind", f"{behind:,} events wait, the oldest for {age:.0f} s")
        return State("ok")
