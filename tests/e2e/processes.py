"""Start parts of the product as an operator would, wait until they answer, and end them by their own process id."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

START_SECONDS = 120.0  # for a server to answer, on a machine that has other work
T = TypeVar("T")


def free_port() -> int:
    """A TCP port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str | Path], env: Mapping[str, str], log: Path, cwd: Path) -> Iterator[subprocess.Popen]:
    """A process whose output goes to ``log``; it is asked to end at the close, and killed if it does not."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **env},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(what: str, probe: Callable[[], T | None], seconds: float, log: Path | None = None) -> T:
    """First true answer of ``probe``; after ``seconds`` an error that shows the end of the log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if answer := probe():
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    tail = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
    raise AssertionError(f"{what}: not within {seconds:.0f} s\n{tail}")
