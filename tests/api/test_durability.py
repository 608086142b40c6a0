"""kill -9 of real processes: what was acknowledged is there, exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api.storage import keys, models
from api.storage.engine import Database
from tests.api.builders import body, row
from tests.e2e.processes import free_port

ROOT = Path(__file__).parents[2]
SENDERS, KILLS, SECONDS_BETWEEN = 4, 3, 1.2


class Api:
    """A real API process that can be killed and started again on the same port."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._log = folder / "api.log"
        given = {"DATA_DIR": folder, "DATABASE_URL": database_url, "PORT": port}
        self._env = {**os.environ, **{f"DISTILLWATCH_{k}": str(v) for k, v in given.items()}}
        self.start()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "api", "api"]
            self._process = subprocess.Popen(command, env=self._env, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", trust_env=False).is_success:
                    return
            assert time.monotonic() < deadline, self._log.read_text()
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.1)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End it by a signal; returns its exit code."""
        self._process.send_signal(number)
        return self._process.wait(30)


@pytest.mark.slow
def test_kill_under_load_loses_nothing_acknowledged(database: Database, database_url: str, tmp_path: Path) -> None:
    """While senders post and retry, the API is killed again and again: every acknowledged event is stored exactly once."""
    secret = keys.create(database, "g", "gateway", "test")[1]
    server = Api(tmp_path, database_url)
    acknowledged: list[str] = []
    stop = threading.Event()

    def send(sender: int) -> None:
        chance = random.Random(sender)
        number = 0
        with httpx.Client(headers={"Authorization": f"Bearer {secret}"}, trust_env=False, timeout=10) as http:
            while not stop.is_set():
                size = chance.choice((1, 1, 20, 200))
                rows = [row(n, event_id=f"{sender}-{n}") for n in range(number, number + size)]
                while not stop.is_set():  # as a gateway retries: the same batch until it is acknowledged
                    try:
                        answer = http.post(f"{server.url}/v1/events", content=body(*rows))
                    except httpx.TransportError:
                        time.sleep(0.05)
                        continue
                    if answer.is_success:
                        found = answer.json()
                        assert found["accepted"] + found["duplicates"] == size
                        acknowledged.extend(r["event_id"] for r in rows)
                        number += size
                        break
                    assert answer.status_code == 503

    threads = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            time.sleep(SECONDS_BETWEEN)
            server.kill()
            server.start()
        time.sleep(SECONDS_BETWEEN)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        exit_code = server.kill(signal.SIGTERM)
    assert exit_code in (0, -signal.SIGTERM)  # a polite end is a clean one
    with database.read() as connection:
        stored = Counter(connection.execute(select(models.events.c.event_id)).scalars())
    assert len(acknowledged) > 500
    assert set(acknowledged) <= set(stored)
    assert max(stored.values()) == 1
    assert len(acknowledged) == len(set(acknowledged))
