"""Bodies read in processes beside the API: the same rows and faults as here, whatever becomes of a process."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from api.services import bodies, parser_process, parsers, parsing
from api.services.parsing import Parsed, Task, as_they_came
from api.storage import keys
from api.storage.engine import Database
from tests.api.running import Api, children
from tests.detector.formats.otlp.requests import CALL, CONTENT, span, traces
from tests.detector.formats.otlp.requests import protobuf as encoded

TASK = Task(
    format="otlp_traces",
    protobuf=True,
    sender="key:test",
    received=datetime(2026, 9, 8, tzinfo=UTC),
    latest=datetime(2027, 9, 8, tzinfo=UTC),
    join_seconds=15,
    max_bytes=1 << 20,
    max_events=1000,
)
ASIDE = {"parentSpanId": "00000000000000ff"}  # may still get an owner from the span around it: a part of a call
BODY = encoded(
    traces(
        *(
            span(n, {**CALL, **CONTENT, "tenant.id": "t"}, traceId=f"{n:032x}", **(ASIDE if n == 1 else {}))
            for n in range(1, 80)
        )
    )
)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[parsers.Parsers]:
    """One process, on a machine with processors to spare."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    found = parsers.Parsers(1)
    yield found
    found.close()


def parse(reading: parsers.Parsers, raw: bytes = BODY, task: Task = TASK) -> Parsed:
    """The rows of a body."""
    return asyncio.run(reading.parse(raw, task, None, as_they_came))


def begun_by(reading: parsers.Parsers) -> int:
    """The id of the process that was started last."""
    (process,) = reading._processes
    assert process._process is not None
    return process._process.pid


def begun(reading: parsers.Parsers) -> int:
    """The same, once it reads bodies."""
    deadline = time.monotonic() + 60
    while not all(process._is_ready for process in reading._processes):
        assert time.monotonic() < deadline
        parse(reading)
        time.sleep(0.1)
    return begun_by(reading)


def test_a_process_reads_what_is_read_here(reading: parsers.Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, parts and refusals are the same there as here, and nothing is read here any more."""
    broken = BODY.replace(b"gpt-4o", b"gpt\xff4o", 1)
    expected = [parsing.parse(raw, TASK) for raw in (BODY, broken)]
    assert (len(expected[0].bundle.joined), len(expected[0].bundle.parts), len(expected[1].rejected)) == (78, 1, 1)
    begun(reading)
    monkeypatch.setattr(parsing, "parse", None)
    assert [parse(reading, raw) for raw in (BODY, broken)] == expected


def test_faults_come_back_in_their_words(reading: parsers.Parsers) -> None:
    """A body that cannot be read, has too many events, or is too large is refused as it would be here."""
    begun(reading)
    with pytest.raises(parsing.TooMany, match="at most 5"):
        parse(reading, task=msgspec.structs.replace(TASK, max_events=5))
    with pytest.raises(parsing.BadBody, match="no OTLP trace request"):
        parse(reading, b"\xff" * 50_000)
    with pytest.raises(bodies.TooLarge, match="larger than"):
        parse(reading, gzip.compress(BODY), msgspec.structs.replace(TASK, encoding="gzip", max_bytes=1000))


def test_a_process_that_dies_costs_nothing(reading: parsers.Parsers) -> None:
    """Killed between two bodies, it is replaced, and the body is read."""
    first = begun(reading)
    os.kill(first, signal.SIGKILL)
    assert parse(reading) == parsing.parse(BODY, TASK)
    second = begun(reading)
    assert (second == first, children(os.getpid()) & {first, second}) == (False, {second})


def test_a_body_that_ends_processes_is_refused(reading: parsers.Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not read here, where it would end the API; the next body is read."""
    begun(reading)
    real = parser_process.send

    def deadly(end: object, *messages: bytes) -> None:
        os.kill(begun_by(reading), signal.SIGKILL)
        time.sleep(0.2)
        real(end, *messages)  # type: ignore[arg-type]

    monkeypatch.setattr(parsers, "send", deadly)
    with pytest.raises(parsing.BadBody, match="died, twice"):
        parse(reading)
    monkeypatch.setattr(parsers, "send", real)
    assert parse(reading) == parsing.parse(BODY, TASK)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the processes know no database
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_the_api(
    ending: signal.Signals, tmp_path: Path, database: Database, database_url: str
) -> None:
    """However the API ends, no process stays behind."""
    secret = keys.create(database, "gateway", "gateway", "test")[1]
    api = Api(tmp_path, database_url)
    api.start()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-protobuf"}
    assert httpx.post(f"{api.url}/v1/traces", content=BODY, headers=headers).status_code == 200
    left = children(api.pid)
    assert len(left) == 1
    api.end(ending)
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_where_no_process_can_be_started_bodies_are_read_here(
    reading: parsers.Parsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each body is read, and a start that fails is not tried again for every one of them."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    expected = parsing.parse(BODY, TASK)
    started = []
    real = parsers._Process._start
    monkeypatch.setattr(parsers._Process, "_start", lambda process: started.append(process) or real(process))
    for _ in range(20):
        assert parse(reading) == expected
        time.sleep(0.05)
    assert len(started) == 1
