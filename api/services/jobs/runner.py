"""Runs jobs one after another, each in a process of its own, so that neither its memory nor its time is the worker's."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import structlog

from api.settings import Settings
from api.storage import jobs
from api.storage.engine import Database

STEP_SECONDS = 1.0
NICENESS = 10  # what people wait for yields to what gateways send
STOP_SECONDS = 10.0

log = structlog.get_logger()


class Runner:
    """``step`` looks after the job that runs, or starts the next; ``close`` ends it, to be started again later."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._job_id = ""

    def step(self) -> bool:
        """Start a job if none runs; note it if one died. True if there may be another at once."""
        if self._process is not None:
            if self._process.poll() is None:
                return False
            if self._process.returncode:
                log.warning("a job's process died", job_id=self._job_id, code=self._process.returncode)
            self._process = None
            jobs.release(
                self._database, self._job_id, True, datetime.now(UTC)
            )  # nothing, where it has ended as it should
            return True
        row = jobs.claim(self._database, datetime.now(UTC))
        if row is None:
            return False
        self._job_id = row.job_id
        log.info("job started", job_id=row.job_id, kind=row.kind)
        command = [sys.executable, "-m", "api", "job", row.job_id]
        self._process = subprocess.Popen(
            command, env=self._environment(), stdin=subprocess.DEVNULL, preexec_fn=lambda: os.nice(NICENESS)
        )
        return False

    def close(self) -> None:
        """End the job that runs; it waits for the next worker."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        jobs.release(self._database, self._job_id, False, datetime.now(UTC))

    def _environment(self) -> dict[str, str]:
        given = {f"DISTILLWATCH_{k.upper()}": str(v) for k, v in self._settings.model_dump(exclude_none=True).items()}
        return {**os.environ, **given, "DISTILLWATCH_DATA_DIR": str(self._settings.data_dir.resolve())}
