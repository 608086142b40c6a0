"""Durable rows a second over HTTP, and the time until the acknowledgement, beside two peers and the floor.

    python -m benchmarks.ingest.ingest [--seconds 5] [--only sqlite floor [--update]]

Each system takes the same calls of about 3 kB from the same load generator, on the same machine, one system after the other, in
batches of 1, 100 and 500. First as fast as eight connections can send, one request after the other; the rows are then counted in
the system's database, and the rate is theirs over the time until the last of them was there, or, where rows were acknowledged before
they were stored, those of the first half minute. Then, started anew, at half of that rate, timed from when each request was due.
The peers take OTLP spans in protobuf; ours takes its own JSON, and OTLP in a round of its own.
The peers are installed with pip into environments of their own under ``--cache``. Writes results.json beside this file,
with the time at which each system was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ingest import systems
from benchmarks.ingest.rows import Body, bodies
from benchmarks.ingest.systems import System
from benchmarks.load import Run, closed_loop, constant_rate

RESULTS = Path(__file__).parent / "results.json"
CACHE = Path("~/.cache/distillwatch-bench").expanduser()
SIZES = (1, 100, 500)
LATEST_SECONDS = 30.0  # for rows that were acknowledged before they were stored
WARM_REQUESTS = 4
SETTLE_SECONDS = 2.0
LEAST_REQUESTS = 8  # of a round at half load
LONGEST_SECONDS = 600.0  # of such a round: one that would take longer is left out

Start = Callable[[Path], AbstractContextManager[System]]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run")
    parser.add_argument(
        "--only", nargs="+", metavar="SYSTEM", help="some systems; nothing is written then, but with --update"
    )
    parser.add_argument(
        "--update", action="store_true", help="put some systems' figures into the results of an earlier run"
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for the peers' environments")
    given = parser.parse_args()
    starts: dict[str, Start] = {
        "floor": systems.floor,
        "sqlite": systems.ours_on_sqlite,
        "sqlite, OTLP": partial(systems.ours_on_sqlite, json=False),
        "postgresql": systems.ours_on_postgresql,
        "phoenix": partial(systems.phoenix, cache=given.cache),
        "mlflow": partial(systems.mlflow, cache=given.cache),
    }
    for name in ("phoenix", "mlflow"):
        if name in (given.only or starts):
            systems.peer(name, given.cache)
    batches = {size: bodies(size) for size in SIZES}
    load = os.getloadavg()[0]
    print("system         batch      rows/s  server us/row   at half load: p50 ms   p99 ms   load of the machine")
    results: dict[str, Any] = {}
    for name in given.only or starts:
        results[name] = {}
        for size, (own, otlp) in batches.items():
            with started(starts[name]) as system:
                result = at_full_speed(system, own if system.json else otlp, size, given.seconds)
            half = "              too slow to be measured"
            rate = result["rows_per_second"]
            if rate >= LEAST_REQUESTS * size * 2 / LONGEST_SECONDS:
                with started(starts[name]) as system:  # anew: much may be to do still
                    result |= at_half(system, own if system.json else otlp, size, given.seconds, rate)
                half = f"{result['half_p50_ms']:20,.1f} {result['half_p99_ms']:8,.1f}"
            results[name][str(size)] = result
            micros = result["server_cpu_microseconds_per_row"]
            print(
                f"{name:14} {size:5}  {result['rows_per_second']:10,}  {micros:13,}   {half}   {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    if given.only and not given.update:
        return
    row_bytes = {kind: len(body.fresh()) // 100 for kind, body in zip(("json", "otlp"), batches[100], strict=True)}
    earlier = json.loads(RESULTS.read_text()) if given.only else {"systems": {}, "measured": {}}
    now = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": load, "priority": os.getpriority(os.PRIO_PROCESS, 0),
    }  # fmt: skip
    result = {
        "command": f"python -m benchmarks.ingest.ingest --seconds {given.seconds:g}",
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "row_bytes": row_bytes, "peers": systems.PEERS,
        "measured": earlier["measured"] | dict.fromkeys(results, now), "systems": earlier["systems"] | results,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {RESULTS}")


@contextmanager
def started(start: Start) -> Iterator[System]:
    """A system over a new database."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as system:
        yield system


def at_full_speed(system: System, body: Body, size: int, seconds: float) -> dict[str, Any]:
    """Rows a second, as fast as eight connections can send."""
    request = requests(system, body)
    asyncio.run(closed_loop(system.port, seconds, request, good, WARM_REQUESTS))
    time.sleep(SETTLE_SECONDS)
    before = system.count() if system.count else 0
    busy, start = children_seconds(), time.perf_counter()
    run = asyncio.run(closed_loop(system.port, seconds, request, good))
    answered = time.perf_counter() - start
    sent = (len(run.seconds) - run.wrong) * size
    stored, took = until_stored(system, before, sent, start) if system.count else (sent, answered)
    busy = children_seconds() - busy
    return {
        "rows_per_second": round(stored / took), "acknowledged": sent, "stored": stored, "refused_requests": run.wrong,
        "seconds": round(took, 2), "acknowledged_in_seconds": round(answered, 2),
        "server_cpu_microseconds_per_row": round(busy / max(stored, 1) * 1e6, 1), **quantiles("full", run),
    }  # fmt: skip


def at_half(system: System, body: Body, size: int, seconds: float, rows_per_second: float) -> dict[str, Any]:
    """Times until the acknowledgement at half of a rate."""
    request = requests(system, body)
    asyncio.run(closed_loop(system.port, seconds, request, good, WARM_REQUESTS))
    time.sleep(SETTLE_SECONDS)
    rate = rows_per_second / 2 / size
    run = asyncio.run(constant_rate(system.port, rate, max(seconds, LEAST_REQUESTS / rate), request, good))
    return {**quantiles("half", run), "half_requests": len(run.seconds), "half_refused_requests": run.wrong}


def requests(system: System, body: Body) -> Callable[[int], bytes]:
    """Whole requests, each with rows of its own."""
    kind = "application/json" if system.json else "application/x-protobuf"
    headers = {"Host": "127.0.0.1", "Content-Type": kind, **system.headers, "Content-Length": len(body.fresh())}
    lines = [f"POST {system.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, "", ""]).encode()
    return lambda _: head + body.fresh()


def good(_: int, answer: bytes) -> bool:
    """Whether rows were acknowledged."""
    return answer.startswith(b"HTTP/1.1 20")


def until_stored(system: System, before: int, sent: int, start: float) -> tuple[int, float]:
    """Rows that came into the database and the seconds since ``start``, when all that were sent are there, or at the latest."""
    assert system.count
    while True:
        found = system.count() - before
        took = time.perf_counter() - start
        if found >= sent or took > LATEST_SECONDS:
            return found, took
        time.sleep(0.1)


def quantiles(name: str, run: Run) -> dict[str, float]:
    """The median and the 99th percentile in milliseconds."""
    return {f"{name}_p{q}_ms": round(float(np.percentile(run.seconds, q)) * 1000, 2) for q in (50, 99)}


def children_seconds() -> float:
    """Processor time of all processes that were started from here and run, theirs included; a database server's too."""
    parents: dict[int, int] = {}
    busy: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            pid = int(path.parent.name)
            parents[pid] = int(fields[1])
            busy[pid] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(busy[pid] for pid in mine - {os.getpid()})


def cpu() -> str:
    """Name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
