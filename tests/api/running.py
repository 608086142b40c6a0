"""Real API and worker processes over one database, which can be killed and started again."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.processes import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 600.0  # far more than needed: on a busy machine a start alone can take minutes


def children(pid: int) -> set[int]:
    """The processes that a process has started and that still run."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.add(int(stat.parent.name))
    return found


class Process:
    """A part of the service as a process of its own; ``settings`` go into its environment."""

    def __init__(self, part: str, folder: Path, database_url: str, **settings: Any) -> None:
        self.log = folder / f"{part}.log"
        self._part = part
        self._file_bytes: int | None = settings.pop("file_bytes", None)  # no file may grow beyond this
        given = {"DATA_DIR": folder, "DATABASE_URL": database_url, **settings}
        self._env = {**os.environ, **{f"DISTILLWATCH_{k}": str(v) for k, v in given.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "api", self._part]
            self._process = subprocess.Popen(
                command, env=self._env, cwd=ROOT, stdout=log, stderr=log, preexec_fn=self._limit
            )

    def _limit(self) -> None:
        if self._file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._file_bytes, resource.RLIM_INFINITY))

    def end(self, number: signal.Signals = signal.SIGKILL) -> int | None:
        """End it by a signal, if it runs; returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        try:
            return process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    @property
    def pid(self) -> int:
        """Its id, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def peak_bytes(self) -> int:
        """The most memory it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10

    def text(self) -> str:
        """The end of its output."""
        return self.log.read_text(errors="replace")[-3000:]


class Api(Process):
    """The API, on one port for all its lives."""

    def __init__(self, folder: Path, database_url: str, **settings: Any) -> None:
        port = free_port()
        super().__init__("api", folder, database_url, PORT=port, **settings)
        self.url = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Start it and wait until it takes logs."""
        super().start()
        self.until(lambda: self.ready().is_success)

    def ready(self) -> httpx.Response:
        """What it says of itself."""
        return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=30)

    def states(self) -> dict[str, str]:
        """The states of the parts that are not in order."""
        return {part: state["state"] for part, state in self.ready().json().get("problems", {}).items()}

    def until(self, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(httpx.TransportError):
                if holds():
                    return
            assert time.monotonic() < deadline, self.text()
            assert self.runs, self.text()
            time.sleep(0.1)

    def client(self, secret: str, **options: Any) -> httpx.Client:
        """A client with a key."""
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, **{"timeout": 60, **options})
