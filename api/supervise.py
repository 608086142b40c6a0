"""API, worker and dashboard as three processes of this machine, kept running and ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import httpx

from api.settings import Settings

START_SECONDS = 90.0  # to answer for the first time; loading libraries from a cold disk takes its time
STOP_SECONDS = 25.0  # for a worker in the middle of an assessment
QUICK_SECONDS = 20.0  # a process that ends sooner after its start failed to start
MAX_QUICK = 3  # failures to start in a row before giving up, where nobody's logs depend on the other parts
MAX_WAIT_SECONDS = 30.0  # before a part that ends at once is started again
POLL_SECONDS = 0.2


class StartFailed(RuntimeError):
    """A part does not come up."""


def dashboard_script() -> Path:
    """The dashboard's script, found without importing it."""
    spec = find_spec("dashboard")
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed("the dashboard is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "app.py"


def dashboard_command(settings: Settings) -> list[str]:
    """Command line of the dashboard."""
    return [
        sys.executable, "-m", "streamlit", "run", str(dashboard_script()),
        "--server.address", "127.0.0.1", "--server.port", str(settings.dashboard_port),
        "--server.headless", "true", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """Environment of all parts: the settings, and where the dashboard finds the API."""
    given = {f"DISTILLWATCH_{k.upper()}": str(v) for k, v in settings.model_dump(exclude_none=True).items()}
    given["DISTILLWATCH_DATA_DIR"] = str(settings.data_dir.resolve())
    return {**os.environ, **given, "DISTILLWATCH_API_URL": api_url(settings)}


def api_url(settings: Settings) -> str:
    """Address of the API as seen from this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def dashboard_url(settings: Settings) -> str:
    """Address of the dashboard."""
    return f"http://127.0.0.1:{settings.dashboard_port}"


class Supervisor:
    """Runs the parts; as a context manager it ends them at the close. Output goes to files in ``logs``."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self._settings = settings
        self._logs = logs
        self._environment = environment(settings)
        ours = [sys.executable, "-m", "api"]
        self._commands = {"api": [*ours, "api"], "worker": [*ours, "worker"], "dashboard": dashboard_command(settings)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._restart_at: dict[str, float] = {}
        self._quick = dict.fromkeys(self._commands, 0)

    def __enter__(self) -> Supervisor:
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for name in self._commands:
                self._start(name)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_ready(self, stopping: Callable[[], bool] = lambda: False) -> None:
        """Return when API and dashboard answer, or at ``stopping``. Raises StartFailed."""
        self._until_answers("api", f"{api_url(self._settings)}/readyz", stopping)
        self._until_answers("dashboard", f"{dashboard_url(self._settings)}/_stcore/health", stopping)

    def check(self, give_up: bool = False) -> None:
        """Start again what has ended, later each time it ends at once. Raises StartFailed for that if ``give_up``."""
        now = time.monotonic()
        for name, process in self._processes.items():
            if process.poll() is None or now < self._restart_at.get(name, 0.0):
                continue
            if name not in self._restart_at:  # seen for the first time
                self._quick[name] = self._quick[name] + 1 if now - self._started[name] < QUICK_SECONDS else 0
                if give_up and self._quick[name] >= MAX_QUICK:
                    raise StartFailed(f"the {name} ends at once (exit code {process.returncode})\n{self.tail(name)}")
                self._restart_at[name] = now + min(2.0 ** self._quick[name] - 1, MAX_WAIT_SECONDS)
                continue
            del self._restart_at[name]
            self._start(name)

    def watch(self, stopping: Callable[[], bool]) -> None:
        """Keep the parts running until ``stopping``: the API goes on taking logs even if the worker fails."""
        while not stopping():
            self.check()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End all parts: asked first, then killed."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def tail(self, name: str, characters: int = 1500) -> str:
        """End of a part's output."""
        path = self._logs / f"{name}.log"
        return path.read_text(errors="replace")[-characters:] if path.exists() else ""

    def _start(self, name: str) -> None:
        with (self._logs / f"{name}.log").open("ab") as output:
            # A session of its own: Ctrl-C reaches us alone, and we end the parts in order.
            self._processes[name] = subprocess.Popen(
                self._commands[name], env=self._environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._started[name] = time.monotonic()

    def _until_answers(self, name: str, url: str, stopping: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not stopping():
            code = self._processes[name].poll()
            if code is not None:
                raise StartFailed(f"the {name} did not start (exit code {code})\n{self.tail(name)}")
            try:
                if httpx.get(url, timeout=5, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(POLL_SECONDS)
        if stopping():
            return
        raise StartFailed(f"the {name} did not answer at {url} within {START_SECONDS:.0f} s\n{self.tail(name)}")


def stop_signals() -> Callable[[], bool]:
    """From now on SIGINT and SIGTERM only set a mark; returns how to read it."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    return lambda: bool(seen)
