"""Events a second that one worker takes on one core, and its lag while events arrive.

    python -m benchmarks.worker.worker [--events 60000] [--seconds 60] [--rate 5000]

Simulated traffic (rows of about 1.4 kB, all kinds of customers and harvests) over SQLite, the worker process bound to one core,
everything else to the others. First the API, bound to that core in the worker's place, takes the log in batches of 100: the
rate of ingestion on one core. Then the worker reads the same log as a backlog, assessing beside it. At last events
arrive at a constant rate (``--rate``; else half of what the worker took) while it works on, and the lag is looked at every second. Writes
results.json beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import numpy as np
from sqlalchemy import select

from api.storage import events, keys, migrate, models, ranges, segments
from api.storage.engine import Database
from benchmarks.audit.log import make_log
from benchmarks.ingest.ingest import cpu
from benchmarks.load import closed_loop
from detector.event import Event
from tests.e2e.processes import free_port, running, until

RESULTS = Path(__file__).parent / "results.json"
ROOT = Path(__file__).parents[2]
BATCH = 100  # rows of a request
ARRIVALS_PER_SECOND = 5  # commits in which events arrive
START_SECONDS = 300.0
SEED = 100


class Lag(NamedTuple):
    """How far the worker was behind at a moment."""

    second: float
    events: int
    seconds: float
    assessed_behind: int  # events that the findings did not reflect


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000, help="of the log that is read first")
    parser.add_argument("--seconds", type=float, default=60.0, help="of arrivals")
    parser.add_argument("--rate", type=float, help="arrivals a second")
    parser.add_argument("--log", type=Path, help="a log of the right size, instead of a new one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = given.log or folder / "log.jsonl"
        if given.log is None:
            make_log(log, given.events, SEED)
        lines = log.read_bytes().splitlines()
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})
        database = Database(f"sqlite:///{folder}/distillwatch.db")
        migrate.upgrade(database)
        load = os.getloadavg()[0]
        ingested = ingest(database, folder, lines)
        print(f"ingestion on one core: {ingested['events_per_second']:,} events a second", flush=True)
        with part("worker", folder) as pid:
            backlog = read_backlog(database, pid)
            print(f"a backlog: {backlog['events_per_second']:,} events a second", flush=True)
            rate = given.rate or backlog["events_per_second"] / 2
            arriving = arrive(database, lines, rate, given.seconds, pid)
        database.close()
    print(f"at {rate:,.0f} arrivals a second: {arriving}")
    result = {
        "command": " ".join(["python -m benchmarks.worker.worker", *sys.argv[1:]]),
        "machine": {"cpu": cpu(), "cores": os.cpu_count()},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": load, "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "bytes_per_event": round(np.mean([len(line) for line in lines])),
        "ingestion": ingested, "backlog": backlog, "arrivals": arriving,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {RESULTS}")


@contextmanager
def part(name: str, folder: Path, *options: str) -> Iterator[int]:
    """A part of the service, bound to the first core; yields its process id."""
    command = ["taskset", "-c", "0", sys.executable, "-m", "api", name, "--data-dir", str(folder), *options]
    with running(command, {}, folder / f"{name}.log", ROOT) as process:
        yield process.pid


def ingest(database: Database, folder: Path, lines: list[bytes]) -> dict[str, Any]:
    """Post the log to an API process."""
    secret = keys.create(database, "benchmark", "gateway", "benchmark")[1]
    port = free_port()
    bodies = [b"[" + b",".join(lines[n : n + BATCH]) + b"]" for n in range(0, len(lines), BATCH)]
    head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    with part("api", folder, "--port", str(port)) as pid:
        ready = lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success  # noqa: E731
        until("the API", ready, START_SECONDS, folder / "api.log")
        before, start = cpu_seconds(pid), time.perf_counter()
        run = asyncio.run(
            closed_loop(port, 3600.0, requests.__getitem__, lambda _, a: a.startswith(b"HTTP/1.1 200"), len(requests))
        )
        took, busy = time.perf_counter() - start, cpu_seconds(pid) - before
    with database.read() as connection:
        stored = events.last_seq(connection)
    assert run.wrong == 0
    assert stored == len(lines)
    return rates(stored, took, busy)


def read_backlog(database: Database, pid: int) -> dict[str, Any]:
    """How fast the worker reads what waits, assessing beside it; from its first segment on, so that its start does not count."""
    first: tuple[int, float, float] | None = None
    while True:
        with database.read() as connection:
            done = segments.state(connection).events
            waiting = ranges.backlog(connection)[0]
        now = time.perf_counter()
        if done and first is None:
            first = done, now, cpu_seconds(pid)
        if waiting == 0 and first:
            return rates(done - first[0], now - first[1], cpu_seconds(pid) - first[2])
        time.sleep(0.1)


def arrive(database: Database, lines: list[bytes], rate: float, seconds: float, pid: int) -> dict[str, Any]:
    """Let new events arrive at a rate, and look at the lag."""
    decode = msgspec.json.Decoder(Event).decode
    found: list[Lag] = []
    sent, busy = 0, cpu_seconds(pid)
    start = look_at = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        due = int(rate * elapsed)
        rows = []
        for number in range(sent, due):
            event = decode(lines[number % len(lines)])
            event.event_id = f"{event.event_id}-{number}"
            rows.append(events.to_row(event, datetime.now(UTC)))
        with database.write("events") as connection:
            events.insert(connection, rows)
        sent = due
        if time.perf_counter() >= look_at:
            found.append(look(database, elapsed))
            look_at += 1.0
        time.sleep(max(0.0, start + elapsed + 1 / ARRIVALS_PER_SECOND - time.perf_counter()))
    ended, busy = time.perf_counter(), cpu_seconds(pid) - busy
    while look(database, 0.0).events:
        time.sleep(0.1)
    lag = np.array([one.seconds for one in found])
    with database.read() as connection:
        assess_seconds = connection.execute(select(models.worker_state.c.assess_seconds)).scalar()
    return {
        "events_per_second": round(sent / seconds), "seconds": seconds,
        "lag_seconds": {"p50": round(float(np.median(lag)), 2), "p99": round(float(np.percentile(lag, 99)), 2)},
        "caught_up_after_seconds": round(time.perf_counter() - ended, 1),
        "last_assessment_seconds": assess_seconds, "worker_core": round(busy / seconds, 2), "lag": [[round(v, 2) for v in one] for one in found],
    }  # fmt: skip


def look(database: Database, second: float) -> Lag:
    """The lag now."""
    with database.read() as connection:
        waiting, since = ranges.backlog(connection)
        unassessed, _ = events.backlog(connection, segments.state(connection).assessed_position)
    return Lag(second, waiting, (datetime.now(UTC) - since).total_seconds() if since else 0.0, unassessed)


def rates(count: int, seconds: float, busy: float) -> dict[str, Any]:
    """A rate, and the processor time of an event."""
    return {
        "events": count, "seconds": round(seconds, 2), "events_per_second": round(count / seconds),
        "cpu_microseconds_per_event": round(busy / count * 1e6, 1),
    }  # fmt: skip


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
