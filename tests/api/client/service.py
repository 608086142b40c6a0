"""A real service for the client's tests: the API as its own process, over SQLite, to be stopped and started again."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
from sqlalchemy import text

from api.storage import keys, migrate
from api.storage.engine import Database
from tests.e2e.processes import free_port, running, until

ROOT = Path(__file__).parent.parent.parent.parent


class Service:
    """The API over a database in a folder. ``start`` and ``stop`` may be called again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = Database(f"sqlite:///{folder / 'distillwatch.db'}")
        migrate.upgrade(self.database)
        self.key = keys.create(self.database, "gateway", "gateway", "test")[1]
        self._stack: ExitStack | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._stack = ExitStack()
        command = [sys.executable, "-m", "api", "api", "--data-dir", str(self._folder), "--port", str(self.port)]
        log = self._folder / "api.log"
        self._process = self._stack.enter_context(running(command, {}, log, ROOT))
        until("the API", lambda: httpx.get(f"{self.url}/readyz", trust_env=False).is_success, 60, log)

    def stop(self, kill: bool = False) -> None:
        """Stop, by SIGKILL if ``kill``."""
        if self._stack is not None and self._process is not None:
            if kill:
                self._process.send_signal(signal.SIGKILL)
            self._stack.close()
            self._stack = None

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self.database.close()

    def event_ids(self) -> set[str]:
        """What arrived."""
        with self.database.read() as connection:
            return set(connection.execute(text("SELECT event_id FROM events")).scalars())


def direct() -> httpx.Client:
    """A client that no proxy of the environment comes between."""
    return httpx.Client(timeout=10, trust_env=False)
