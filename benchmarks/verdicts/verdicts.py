"""Time until the answer of GET /v1/verdicts/{account} at a constant rate, on one core.

    python -m benchmarks.verdicts.verdicts [--rate 500] [--seconds 20] [--accounts 100000]

Fills a database (SQLite) with accounts, a fifth of them flagged or watched and a fiftieth under an action, starts a real API
process bound to one core, and asks from the other core for accounts by chance, each answer checked. Three rounds: alone;
while a gateway begins to follow the feed, which gives it all that holds; while two thousand verdicts change every two seconds besides.
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
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
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
from benchmarks.load import closed_loop, constant_rate
from benchmarks.verdicts.population import ACTING, STANDING, name, risk
from tests.api.builders import account
from tests.e2e.processes import free_port, running, until

RESULTS = Path(__file__).parent / "results.json"
ROOT = Path(__file__).parent.parent.parent
CHUNK = 5000
SEED = 7
SERVICE_THREADS = 40  # that Starlette makes at most
START_SECONDS = 300.0  # on a busy machine
SETTLE_SECONDS = 5.0  # for the publisher to load its libraries


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each round")
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="run server and sender before all other work of the machine, if it has any",
    )
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
            warm(port, secret)
            if given.realtime:
                prefer(pid)
                prefer(os.getpid(), os.SCHED_RESET_ON_FORK)
            load = os.getloadavg()[0]
            rounds = measure(given.rate, given.seconds, given.accounts, secret, port, pid, database, Path(folder))
        database.close()
    result = {
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": load, "realtime": given.realtime,
        "rate": given.rate, "seconds": given.seconds, "accounts": given.accounts, "published": published,
        "first_publication_seconds": round(first, 2), **rounds,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {RESULTS}")


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
        until(
            "the API",
            lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success,
            START_SECONDS,
            log,
        )
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {0})
        yield port, process.pid


def measure(
    rate: float, seconds: float, count: int, secret: str, port: int, pid: int, database: Database, folder: Path
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

    url = f"http://127.0.0.1:{port}"
    follow, publish = ["follow", url, secret], ["publish", database.url]
    rounds: dict[str, Any] = {}
    constant(rate, 2.0, port, requests, good)  # connections, caches and the key are warm
    plan = [("alone", [], good), ("with a follower", [follow], good), ("while publishing", [follow, publish], known)]
    for title, besides, judge in plan:
        with ExitStack() as stack:
            for words in besides:
                command = [sys.executable, "-m", "benchmarks.verdicts.besides", *words]
                stack.enter_context(running(command, {}, folder / f"{words[0]}.log", ROOT))
            time.sleep(SETTLE_SECONDS if publish in besides else 0.0)
            before, start = cpu_seconds(pid), time.perf_counter()
            run = constant(rate, seconds, port, requests, judge)
            busy = (cpu_seconds(pid) - before) / (time.perf_counter() - start)
        milliseconds = run.seconds * 1000
        rounds[title] = {f"p{q:g}_ms": round(float(np.percentile(milliseconds, q)), 2) for q in (50, 90, 99, 99.9, 100)}
        rounds[title] |= {"rate": round(run.rate, 1), "wrong": run.wrong, "core": round(busy, 2)}
        print(f"{title:>18}: {rounds[title]}")
    again = lambda n: requests[n % len(requests)]  # noqa: E731
    rounds["most_per_second"] = round(asyncio.run(closed_loop(port, min(seconds, 5.0), again, known)).rate)
    print(f"at most {rounds['most_per_second']:,} a second")
    return rounds


def constant(rate: float, seconds: float, port: int, requests: list[bytes], good: Callable[[int, bytes], bool]) -> Any:
    """One run at a constant rate."""
    return asyncio.run(constant_rate(port, rate, seconds, requests.__getitem__, good))


def warm(port: int, secret: str) -> None:
    """Let the service make all its threads, by as many questions at once."""
    url, headers = f"http://127.0.0.1:{port}/v1/verdicts?limit=5000", {"Authorization": f"Bearer {secret}"}
    with ThreadPoolExecutor(SERVICE_THREADS) as pool:
        list(pool.map(lambda _: httpx.get(url, headers=headers, trust_env=False, timeout=60), range(SERVICE_THREADS)))


def prefer(pid: int, flags: int = 0) -> None:
    """Let all threads of a process run before those of others, its first one, which answers, before the rest."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        thread = int(task.name)
        os.sched_setscheduler(thread, os.SCHED_FIFO | flags, os.sched_param(2 if thread == pid else 1))


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
