"""A thread that does one thing again and again, beside the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

import structlog

from api.storage.engine import StorageError

RETRY_SECONDS = 5.0  # after a failure

log = structlog.get_logger()


class Periodic:
    """Calls ``step`` every so many seconds, at once again where it says that there is more; as a context manager."""

    def __init__(self, name: str, step: Callable[[], bool], seconds: float) -> None:
        self._name = name
        self._step = step
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def stopping(self) -> bool:
        """Whether the step should end soon."""
        return self._stopping.is_set()

    def __enter__(self) -> Periodic:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = 0.0 if self._step() else self._seconds
            except StorageError as error:
                log.warning("database failed, trying again", task=self._name, seconds=RETRY_SECONDS, error=str(error))
                pause = RETRY_SECONDS
            except Exception:  # the worker must go on, whatever happens here
                log.exception("a task failed", task=self._name)
                pause = RETRY_SECONDS
