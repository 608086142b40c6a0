"""Time until the answer of GET /v1/verdicts/{account} at a constant rate, on one core.

    python -m benchmarks.verdicts.verdicts [--rate 500] [--seconds 20] [--accounts 100000]

Fills a database (SQLite) with accounts, a fifth of them flagged or watched and a fiftieth under an action, starts a real API
process bound to one core, and asks from the other core for accounts by chance, each answer checked. Three rounds: alone;
while a gateway follows the feed; while the worker's process publishes a thousand changes every two seconds besides.
Writes results.json beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.progress import track

from api.services.board import Board
from api.services.publishing import Publisher
from api.settings import Settings
from api.storage import actions, cases, keys, migrate
from api.storage.engine import Database
from benchmarks.verdicts.load import closed_loop, constant_rate
from tests.api.builders import account
from tests.e2e.processes import free_port, running, until

RESULTS = Path(__file__).parent / "results.json"
ROOT = Path(__file__).parent.parent.parent
CHUNK = 5000
STANDING = 5  # one in so many is flagged or watched
ACTING = 50  # one in so many is under an action
SEED = 7


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each round")
    parser.add_argument("--accounts", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/distillwatch.db")
        migrate.upgrade(database)
        secret = keys.create(database, "benchmark", "gateway", "benchmark")[1]
        publisher = Publisher(database, Settings(), Board(database))
        fill(database, given.accounts)
        start = time.perf_counter()
        published = publisher.publish()
        first = time.perf_counter() - start
        print(f"{given.accounts:,} accounts, {published:,} published at first in {first:.1f} s")
        with serving(Path(folder)) as (port, pid):
            rounds = measure(given.rate, given.seconds, given.accounts, secret, port, pid, database, publisher)
        database.close()
    result = {
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rate": given.rate, "seconds": given.seconds, "accounts": given.accounts, "published": published,
        "first_publication_seconds": round(first, 2), **rounds,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {RESULTS}")


def name(number: int) -> str:
    """Id of the n-th account."""
    return f"acct_{number:07}"


def risk(number: int, shift: int = 0) -> float:
    """Risk of the n-th account."""
    return 0.9 if (number + shift) % STANDING == 0 else 0.1


def fill(database: Database, count: int) -> None:
    """Store findings and actions."""
    now = datetime.now(UTC)
    for start in track(range(0, count, CHUNK), description="storing findings"):
        found = [account(name(n), risk(n)) for n in range(start, min(start + CHUNK, count))]
        with database.write("findings") as connection:
            cases.store(connection, found, now)
    with database.write("audit") as connection:
        for n in range(0, count, ACTING):
            new = actions.New("throttle", now + timedelta(days=1))
            actions.issue(connection, "account", name(n), [new], "benchmark", now, decision_id=1)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """A running API on the first core; this process keeps to the others. Yields port and process id."""
    port = free_port()
    log = folder / "api.log"
    command = [sys.executable, "-m", "api", "api", "--data-dir", str(folder), "--port", str(port)]
    with running(command, {}, log, ROOT) as process:
        os.sched_setaffinity(process.pid, {0})
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})
        until("the API", lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success, 60, log)
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {0})
        yield port, process.pid


def measure(
    rate: float, seconds: float, count: int, secret: str, port: int, pid: int, database: Database, publisher: Publisher
) -> dict[str, Any]:
    """All rounds."""
    chance = random.Random(SEED)
    asked = [chance.randrange(int(count * 1.1)) for _ in range(int(rate * seconds) + 1)]
    template = "GET /v1/verdicts/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n"
    requests = [template.format(name(n), secret).encode() for n in asked]

    def good(number: int, answer: bytes) -> bool:
        n = asked[number]
        action = "throttle" if n % ACTING == 0 else "observe" if n % STANDING == 0 else "allow"
        return (
            answer.startswith(b"HTTP/1.1 200") and f'"action":"{action if n < count else "allow"}"'.encode() in answer
        )

    def known(number: int, answer: bytes) -> bool:  # while verdicts change, only that there is an answer
        return answer.startswith(b"HTTP/1.1 200")

    def follow(stop: threading.Event) -> None:
        since = ""
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {secret}"}) as http:
            while not stop.wait(0.5):
                page = http.get(f"http://127.0.0.1:{port}/v1/verdicts", params={"since": since}).json()
                since = page["next"]

    def publish(stop: threading.Event) -> None:
        shift = 0
        while not stop.wait(2.0):
            shift += 1
            with database.write("findings") as connection:
                cases.store(
                    connection, [account(name(n), risk(n, shift)) for n in range(1000, 6000)], datetime.now(UTC)
                )
            publisher.publish()

    rounds: dict[str, Any] = {}
    constant(rate, 2.0, port, requests, good)  # connections, caches and the key are warm
    plan: list[tuple[str, list[Callable[[threading.Event], None]], Callable[[int, bytes], bool]]] = [
        ("alone", [], good), ("with a follower", [follow], good), ("while publishing", [follow, publish], known),
    ]  # fmt: skip
    for title, besides, judge in plan:
        stop = threading.Event()
        threads = [threading.Thread(target=one, args=(stop,)) for one in besides]
        for thread in threads:
            thread.start()
        before, start = cpu_seconds(pid), time.perf_counter()
        run = constant(rate, seconds, port, requests, judge)
        busy = (cpu_seconds(pid) - before) / (time.perf_counter() - start)
        stop.set()
        for thread in threads:
            thread.join()
        milliseconds = run.seconds * 1000
        rounds[title] = {f"p{q:g}_ms": round(float(np.percentile(milliseconds, q)), 2) for q in (50, 90, 99, 99.9, 100)}
        rounds[title] |= {"rate": round(run.rate, 1), "wrong": run.wrong, "core": round(busy, 2)}
        print(f"{title:>18}: {rounds[title]}")
    rounds["most_per_second"] = round(asyncio.run(closed_loop(port, min(seconds, 5.0), requests)))
    print(f"at most {rounds['most_per_second']:,} a second")
    return rounds


def constant(rate: float, seconds: float, port: int, requests: list[bytes], good: Callable[[int, bytes], bool]) -> Any:
    """One run at a constant rate."""
    return asyncio.run(constant_rate(port, rate, seconds, requests.__getitem__, good))


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu() -> str:
    """Name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
