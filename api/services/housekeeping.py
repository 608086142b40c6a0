"""What the worker clears away beside its work: events beyond their time, and texts that are not to be kept any more."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from api.services.content import ContentPolicy
from api.settings import Settings
from api.storage import retention, scrubbing, segments
from api.storage.engine import Database

ACTOR = "worker"
KEEP_SECONDS = 5.0  # between two looks at what an administrator set
PASS_SECONDS = 3600.0  # between two deletions, each of which is an entry of the audit trail
BATCH = 500  # events deleted in one transaction
BREATH_SECONDS = 0.02  # between two of them, in which others write
RESULTS = ("jobs", "uploads")  # folders of the data folder that hold texts of requests

log = structlog.get_logger()


class Housekeeper:
    """``step`` does what is due; after text went, whichever worker assesses writes the findings again."""

    def __init__(self, database: Database, settings: Settings, policy: ContentPolicy) -> None:
        self._database = database
        self._settings = settings
        self._policy = policy
        self._pass_at = float("-inf")
        self._days: int | None = None
        self.stopping: Callable[[], bool] = lambda: False

    def step(self) -> bool:
        """Sweep accounts whose content mode changed, and delete what is too old. False: nothing is left to do."""
        if self._policy.sweep(self.stopping):
            segments.note_texts_gone(self._database)
        with self._database.read() as connection:
            chosen = retention.last(connection)
        days = retention.shorter(chosen.days if chosen else None, self._settings.retention_days)
        if days is not None and (days != self._days or time.monotonic() - self._pass_at >= PASS_SECONDS):
            self.delete(datetime.now(UTC) - timedelta(days=days))
            self._pass_at = time.monotonic()
        self._days = days
        return False

    def delete(self, before: datetime) -> int:
        """Delete the events that arrived before a time, and all text of them; returns how many."""
        deleted = 0
        while not self.stopping():
            count = retention.purge(self._database, before, BATCH)
            deleted += count
            if count < BATCH:
                break
            time.sleep(BREATH_SECONDS)
        findings = scrubbing.of_last_seen(self._database, before)
        results = sum(_remove_old(self._settings.data_dir / name, before) for name in RESULTS)
        if deleted or findings or results:
            retention.record(self._database, ACTOR, deleted, before, findings, results)
            self._database.compact()
            segments.note_texts_gone(self._database)
            log.info("deleted", events=deleted, findings=findings, results=results, received_before=before.isoformat())
        return deleted


def _remove_old(folder: Path, before: datetime) -> int:
    """Remove what lies in a folder since before a time; returns how many entries."""
    count = 0
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.stat().st_mtime < before.timestamp():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            count += 1
    return count
