"""Durable events a second over HTTP, and the time until the answer.

    python -m benchmarks.ingest.ingest [--seconds 5] [--database-url postgresql://...]

Starts a real API process on SQLite (or the database given, which must be migrated and is written to), sends batches of
one, 100 and 500 events of a chat with about 1 kB of text from concurrent clients, and checks that exactly the
acknowledged events are in the database after each run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import func, select

from api.storage import keys, migrate, models
from api.storage.engine import Database
from detector.event import Event, Message, Usage
from tests.e2e.processes import free_port

RUNS = ((1, 8), (100, 4), (500, 4))  # events a batch, concurrent clients
TEXT = "Explain step by step why the sky over the harbour is blue, and what the light has to do with it. " * 10


def main() -> None:
    """Measure and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--database-url", default="")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database_url or f"sqlite:///{folder}/bench.db"
        database = Database(url)
        if database.is_sqlite:
            migrate.upgrade(database)
        secret = keys.create(database, "benchmark", "gateway", "benchmark")[1]
        port = free_port()
        settings = {"DATA_DIR": folder, "DATABASE_URL": url, "PORT": str(port)}
        server = subprocess.Popen(
            [sys.executable, "-m", "api", "api"],
            env={**os.environ, **{f"DISTILLWATCH_{k}": v for k, v in settings.items()}},
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            print(
                f"{os.cpu_count()} cores, {database.engine.dialect.name}, {Path(folder)}; load {os.getloadavg()[0]:.1f}"
            )
            print("batch  clients   events/s   p50 ms   p99 ms")
            for size, clients in RUNS:
                before = count(database)
                stored, took, times = measure(
                    f"http://127.0.0.1:{port}/v1/events", secret, size, clients, given.seconds
                )
                found = count(database) - before
                if found != stored:
                    sys.exit(f"{stored} events were acknowledged and {found} are in the database")
                rate = stored / took
                cuts = statistics.quantiles(times, n=100)
                print(f"{size:5}  {clients:7}  {rate:9,.0f}  {cuts[49] * 1000:7.1f}  {cuts[98] * 1000:7.1f}")
        finally:
            server.terminate()
            server.wait(30)
            database.close()


def wait_until_ready(url: str) -> None:
    """Return when the service is ready; SystemExit when it never is."""
    for _ in range(600):
        with suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).is_success:
                return
        time.sleep(0.1)
    sys.exit("the API did not start")


def count(database: Database) -> int:
    """Events in the log."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(models.events)).scalar_one()


def measure(url: str, secret: str, size: int, clients: int, seconds: float) -> tuple[int, float, list[float]]:
    """Events acknowledged, in how many seconds, and the time of each request."""
    times: list[float] = []
    stored = [0] * clients
    end = time.perf_counter() + seconds

    def send(client: int) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {secret}"}, trust_env=False, timeout=60) as http:
            while time.perf_counter() < end:
                body = batch(size)
                start = time.perf_counter()
                answer = http.post(url, content=body)
                times.append(time.perf_counter() - start)
                assert answer.json() == {"accepted": size, "duplicates": 0, "rejected": []}, answer.text
                stored[client] += size

    start = time.perf_counter()
    threads = [threading.Thread(target=send, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(stored), time.perf_counter() - start, times


def batch(size: int) -> bytes:
    """New events as JSON."""
    when = datetime.now(UTC)
    messages = [Message(role="user", content=TEXT)]
    usage = Usage(input_tokens=200, output_tokens=300)
    return msgspec.json.encode(
        [
            Event(
                event_id=uuid.uuid4().hex,
                timestamp=when,
                account_id=f"acct_{n % 50}",
                model="m",
                messages=messages,
                usage=usage,
            )
            for n in range(size)
        ]
    )


if __name__ == "__main__":
    main()
