"""`distillwatch serve` and `demo`: three real processes, kept running and ended together."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import free_port

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


class Service:
    """A running `distillwatch serve`."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        port, dashboard = free_port(), free_port()
        self.api, self.dashboard = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{dashboard}"
        given = {"DATA_DIR": folder / "data", "PORT": 1, "DASHBOARD_PORT": dashboard, "DATABASE_URL": ""}
        env = {**os.environ, **{f"DISTILLWATCH_{k}": str(v) for k, v in given.items()}}
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "api", "serve", "--port", str(port)]  # goes before the environment
            self.process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    def text(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def until(self, holds: Callable[[], object], seconds: float = 90) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.text()
            assert self.process.poll() is None, self.text()
            time.sleep(0.2)

    def children(self) -> list[int]:
        """Process ids of its parts."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found]

    def answers(self, url: str) -> bool:
        """Whether an address answers well."""
        try:
            return httpx.get(url, trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """A service that is stopped by Ctrl-C, which must end it cleanly and with all its parts."""
    service = Service(folder)
    try:
        service.until(lambda: "Ctrl-C stops" in service.text())
        yield service
        parts = service.children()
    finally:
        service.process.send_signal(signal.SIGINT)
        code = service.process.wait(60)
    assert code == 0, service.text()
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at /proc")
def test_serve(tmp_path: Path) -> None:
    """The first run prints an admin key, the second none; a part that is killed comes back; Ctrl-C ends all."""
    with serving(tmp_path) as service:
        keys = re.findall(r"Admin key, shown this once: +(dw_\S+)", service.text())
        assert len(keys) == 1
        answer = httpx.get(f"{service.api}/v1/me", headers={"Authorization": f"Bearer {keys[0]}"}, trust_env=False)
        assert answer.json()["role"] == "admin"
        assert service.answers(f"{service.dashboard}/_stcore/health")
        before = service.children()
        assert len(before) == 3
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        service.until(lambda: len(service.children()) == 3 and not set(service.children()) & set(before))
        service.until(
            lambda: service.answers(f"{service.api}/readyz") and service.answers(f"{service.dashboard}/_stcore/health")
        )
    with serving(tmp_path) as service:
        assert "Admin key" not in service.text()


def test_port_in_use_is_explained(tmp_path: Path) -> None:
    """A part that cannot start ends the service with code 2 and the part's own words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        env = {
            **os.environ,
            "DISTILLWATCH_DATA_DIR": str(tmp_path),
            "DISTILLWATCH_PORT": port,
            "DISTILLWATCH_DASHBOARD_PORT": str(free_port()),
        }
        command = [sys.executable, "-m", "api", "serve"]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2
    assert "address already in use" in done.stderr


def test_demo(tmp_path: Path) -> None:
    """The demo sends traffic through HTTP, shows what was planted beside what was flagged, and ends by itself."""
    given = {"PORT": free_port(), "DASHBOARD_PORT": free_port()}
    env = {**os.environ, **{f"DISTILLWATCH_{k}": str(v) for k, v in given.items()}, "COLUMNS": "120"}
    command = [
        sys.executable,
        "-m",
        "api",
        "demo",
        "--scenario",
        "smoke",
        "--exit",
        "--data-dir",
        str(tmp_path / "demo"),
    ]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    planted = re.search(r"reasoning +│ +1 │ +(\d) │", done.stdout)
    assert planted is not None, done.stdout
    assert planted[1] == "1", done.stdout
    assert re.search(r"honest accounts +│ +│ +\d+ │ +[0-3] │", done.stdout), done.stdout
    assert "Admin key  dw_" in done.stdout
    assert "Lead key   dw_" in done.stdout
