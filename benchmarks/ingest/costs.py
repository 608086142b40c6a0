"""Where the processor time of a stored row goes, step by step, in one process without HTTP.

    python -m benchmarks.ingest.costs [--batches 200] [--group 4]

The rows of ``benchmarks.ingest.ingest`` in batches of 100, so many of them in one commit on SQLite, as the API groups what arrives
together. Each step is timed by itself, by the processor time of the process; of the commit also the time that it waits for the disk.
What a request costs beyond these steps (the socket, HTTP, routing, threads) is what ``ingest`` measures as a whole less their sum.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from api.services import bodies as request_bodies
from api.storage import events, migrate
from api.storage.engine import Database
from benchmarks.ingest.rows import Body, bodies
from detector.formats import parse_body

SIZE = 100  # rows of a batch


class Steps:
    """Processor time and time by step, in seconds."""

    def __init__(self) -> None:
        self.busy: Counter[str] = Counter()
        self.took: Counter[str] = Counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        busy, took = time.process_time(), time.perf_counter()
        yield
        self.busy[name] += time.process_time() - busy
        self.took[name] += time.perf_counter() - took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--group", type=int, default=4, help="batches of a commit")
    given = parser.parse_args()
    for kind, body in zip(("json", "otlp"), bodies(SIZE), strict=True):
        steps = measured(body, kind == "otlp", given.batches, given.group)
        print(f"{kind}: microseconds a row")
        for name, busy in steps.busy.items():
            took = steps.took[name] / given.batches / SIZE * 1e6
            print(f"  {name:30} {busy / given.batches / SIZE * 1e6:6.1f} of processor time, took {took:6.1f}")


def measured(body: Body, otlp: bool, batches: int, group: int) -> Steps:
    """Store rows step by step."""
    steps = Steps()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'costs.db'}")
        migrate.upgrade(database)
        for _ in range(batches // group):
            rows = [_rows(body.fresh(), otlp, steps) for _ in range(group)]
            with database.engine.connect() as connection:
                connection = connection.execution_options(write=True)
                transaction = connection.begin()
                with steps.step("insert"):
                    for some in rows:
                        (events.merge_in if otlp else events.insert)(connection, some)
                with steps.step("commit, and wait for the disk"):
                    transaction.commit()
        database.close()
    return steps


def _rows(body: bytes, otlp: bool, steps: Steps) -> list[events.Row]:
    now = datetime.now(UTC)
    if not otlp:
        with steps.step("look for broken text"):
            body = request_bodies.readable(body)
    with steps.step("decode and check"):
        parsed = parse_body(body, "otlp_traces" if otlp else "auto", received=now, protobuf=otlp, hold=True)
    with steps.step("encode"):
        return [events.to_row(event, now) for event in parsed.events + parsed.joined]


if __name__ == "__main__":
    main()
