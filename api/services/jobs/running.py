"""One job, from its row to its result; runs in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from pydantic import TypeAdapter

from api.schemas.jobs import (
    AuditIn,
    AuditSummary,
    BacktestIn,
    BacktestSummary,
    JobIn,
    RehearsalIn,
    RehearsalSummary,
    SignalsIn,
    SignalsSummary,
)
from api.services import shadowing
from api.services.jobs import auditing, backtesting, files, overlapping, rehearsing
from api.services.jobs.work import Work
from api.settings import Settings
from api.storage import jobs
from api.storage.engine import Database
from detector.formats import FormatError
from detector.pipeline import Detector
from detector.progress import Progress

TELL_SECONDS = 1.0  # between two words on how far it is
SHOWN_ERROR = 2000

Asked = AuditIn | RehearsalIn | BacktestIn | SignalsIn
Summary = AuditSummary | RehearsalSummary | BacktestSummary | SignalsSummary

_JOB: TypeAdapter[Asked] = TypeAdapter(JobIn)

log = structlog.get_logger()


class Stopped(Exception):
    """The job was cancelled, taken over, or lost the worker that started it."""


class Told(Progress):
    """Progress that is written to the job's row, and notices when the job is to stop."""

    def __init__(self, tell: Callable[[str, float], bool]) -> None:
        self._tell = tell
        self._stage = "starting"
        self._at = float("-inf")
        self._parent = os.getppid()

    def stage(self, name: str) -> None:
        """A new stage begins."""
        self._stage = name
        self._say(0.0, at_once=True)

    def advance(self, bytes_read: int, total_bytes: int, events: int) -> None:
        """So much was read."""
        self._say(bytes_read / total_bytes if total_bytes else 0.0)

    def step(self, done: int, total: int, what: str) -> None:
        """So many steps are done."""
        self._say(done / total if total else 1.0)

    def _say(self, share: float, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._at < TELL_SECONDS:
            return
        self._at = now
        if os.getppid() != self._parent or not self._tell(self._stage, min(max(share, 0.0), 1.0)):
            raise Stopped


def run(settings: Settings, database: Database, job_id: str) -> None:
    """Do a job that was claimed, and note how it ended."""
    row = jobs.get(database, job_id)
    if row is None or row.state != "running":
        return
    asked = _JOB.validate_json(row.parameters)

    def tell(stage: str, share: float) -> bool:
        return jobs.tell(database, job_id, stage, share, datetime.now(UTC))

    out = files.folder(settings, job_id)
    out.mkdir(parents=True, exist_ok=True)
    progress = Told(tell)
    try:
        progress.stage("loading the detector")
        detector = Detector.load(settings.calibration).with_max_false_flags(settings.max_false_flags)
        if not isinstance(asked, SignalsIn):  # which holds both states of each signal against one another
            detector = detector.in_shadow(shadowing.holding(database))
        work = Work(settings, database, detector, out, progress)
        summary = _do(work, asked)
    except Stopped:
        current = jobs.get(database, job_id)
        if current is not None and current.cancel:
            jobs.end(database, job_id, "cancelled", datetime.now(UTC))
        return
    except (FormatError, files.BadFile, FileNotFoundError, ValueError) as error:
        jobs.end(database, job_id, "failed", datetime.now(UTC), error=str(error)[:SHOWN_ERROR])
        return
    except Exception as error:
        log.exception("a job failed", job_id=job_id)
        why = f"unexpected {type(error).__name__}; the worker's log has more"
        jobs.end(database, job_id, "failed", datetime.now(UTC), error=why)
        return
    jobs.end(database, job_id, "done", datetime.now(UTC), summary=summary.model_dump_json())
    if isinstance(asked, AuditIn | RehearsalIn):
        files.discard(settings, asked.source)


def _do(work: Work, asked: Asked) -> Summary:
    if isinstance(asked, AuditIn):
        return auditing.audit(work, asked)
    if isinstance(asked, RehearsalIn):
        return rehearsing.rehearse(work, asked)
    if isinstance(asked, SignalsIn):
        return overlapping.compare(work, asked)
    return backtesting.backtest(work, asked)
