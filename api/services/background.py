"""What runs beside the worker: publishing verdicts and delivering webhooks. Neither ever holds up ingestion or profiling."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from types import TracebackType

import structlog

from api.services import bulk
from api.services.board import Board
from api.services.publishing import Publisher
from api.services.webhooks.courier import Courier
from api.settings import Settings
from api.storage import approvals
from api.storage.engine import Database, StorageError

STEP_SECONDS = 0.5  # between two looks at the database
PRUNE_SECONDS = 3600.0
RETRY_SECONDS = 5.0  # after a failure

log = structlog.get_logger()


class Background:
    """A thread; as a context manager it runs from begin to end."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._publisher = Publisher(database, settings, Board(database, settings.enforcement))
        self._courier = Courier(database, settings)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def __enter__(self) -> Background:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._courier.close()

    def _run(self) -> None:
        prune_at = time.monotonic()
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = STEP_SECONDS
            try:
                self._publisher.step()
                if self._courier.step():
                    pause = 0.0
                if bulk.step(self._database, self._settings):
                    pause = 0.0
                approvals.log_ends(self._database, datetime.now(UTC))
                if time.monotonic() >= prune_at:
                    self._courier.prune()
                    prune_at = time.monotonic() + PRUNE_SECONDS
            except StorageError as error:
                log.warning("database failed, trying again", seconds=RETRY_SECONDS, error=str(error))
                pause = RETRY_SECONDS
            except Exception:  # the worker must go on, whatever happens here
                log.exception("publishing or delivering failed")
                pause = RETRY_SECONDS
