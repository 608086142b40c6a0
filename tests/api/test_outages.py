"""A locked database, a full disk, storms of duplicates, wrong clocks, a worker that is far behind: nothing that was
acknowledged is lost, the state is told in plain words, and memory stays bounded."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client import generate_latest
from sqlalchemy import select

from api.app import create_app
from api.services.health import Monitor, State
from api.settings import Settings
from api.storage import events, keys, migrate, models, segments
from api.storage.engine import Database, StorageError
from api.worker import Worker
from detector.pipeline import Detector
from tests.api.builders import body, row
from tests.api.running import Api
from tests.api.ways_in import WAYS

Headers = dict[str, dict[str, str]]
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the service lies."""
    return tmp_path


def made(folder: Path) -> tuple[str, str]:
    """URL of a migrated SQLite database and a gateway's key."""
    url = f"sqlite:///{folder / 'distillwatch.db'}"
    migrate.upgrade(url)
    database = Database(url)
    secret = keys.create(database, "g", "gateway", "test")[1]
    database.close()
    return url, secret


def stored(url: str) -> Counter[str]:
    """How often each event is in the log."""
    database = Database(url)
    with database.read() as connection:
        found = Counter(connection.execute(select(models.events.c.event_id)).scalars())
    database.close()
    return found


def large(number: int, size: int = 20_000) -> dict[str, Any]:
    """An event of some size, that nothing compresses."""
    text = random.Random(number).randbytes(size // 2).hex()
    return row(number, event_id=f"e{number}", messages=[{"role": "user", "content": text}])


def test_locked_database(folder: Path) -> None:
    """While another process holds the database, every client is answered in time and nothing is lost; it shows, and passes."""
    url, secret = made(folder)
    api = Api(folder, url)
    api.start()
    try:
        holder = sqlite3.connect(folder / "distillwatch.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        acknowledged: list[str] = []
        slowest = 0.0
        with api.client(secret) as http:
            assert http.get("/api/public/projects").is_success  # reading goes on
            for number in range(6):
                start = time.monotonic()
                answer = http.post("/v1/events", content=body(row(number)))
                slowest = max(slowest, time.monotonic() - start)
                assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
                acknowledged.append(f"e{number}")
            for name in ("litellm", "kong", "portkey", "langfuse", "traces"):
                way = WAYS[name]
                answer = http.post(way.path, content=way.wrap(way.rows(2)), headers={"Content-Type": way.content_type})
                assert answer.status_code == way.good
            assert not stored(url)
            states = api.states()
            assert (states["database"], states["intake"]) == ("stalled", "spooling")
            assert http.get("/healthz").json()["status"] == "degraded"
            text = http.get("/metrics").text
            assert 'distillwatch_state{part="intake",state="spooling"} 1.0' in text
            assert 'distillwatch_state{part="database",state="ok"} 0.0' in text
            holder.execute("COMMIT")
            api.until(lambda: "database" not in api.states() and "intake" not in api.states())
            found = stored(url)
            assert set(acknowledged) <= set(found)
            assert len(found) == 6 + 2 * 5
            assert max(found.values()) == 1
            assert http.post("/v1/events", content=body(row(0), row(77))).json()["duplicates"] == 1
        assert slowest < 10  # the hooks of most gateways give up after three seconds; this machine may be busy
    finally:
        holder.close()
        api.end()


@pytest.fixture(params=["limit", "tmpfs"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder whose files cannot grow, by a limit of the process or, where one may mount, on a disk of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        yield folder, {"file_bytes": 6 * MIB}
        return
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder, {}
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk(small_disk: tuple[Path, dict[str, Any]]) -> None:
    """When nothing can be written any more the answer is 503; what was acknowledged is there, and with room again it goes on."""
    folder, limits = small_disk
    url, secret = made(folder)
    api = Api(folder, url, MIN_FREE_MB=0, **limits)
    api.start()
    acknowledged: list[str] = []
    refused = number = 0
    try:
        with api.client(secret) as http:
            while refused < 5:
                batch = [large(n) for n in range(number, number + 20)]
                answer = http.post("/v1/events", content=body(*batch))
                if answer.is_success:
                    assert answer.json()["accepted"] == len(batch)
                    acknowledged += [r["event_id"] for r in batch]
                    number += 20
                else:
                    assert answer.status_code == 503, answer.text
                    assert 1 <= int(answer.headers["Retry-After"]) <= 3
                    refused += 1
                assert number < 10_000
            assert http.get("/healthz").is_success
    finally:
        api.end()
    if limits:
        api = Api(folder, url, MIN_FREE_MB=0)
    else:
        subprocess.run(["mount", "-o", "remount,size=200m", str(folder)], check=True)
    api.start()
    try:
        with api.client(secret) as http:
            assert http.post("/v1/events", content=body(*batch)).json()["accepted"] > 0
        api.until(lambda: "intake" not in api.states())
    finally:
        api.end()
    found = stored(url)
    assert len(acknowledged) > 50
    assert set(acknowledged) <= set(found)
    assert max(found.values()) == 1


def test_a_disk_that_fills_up_is_told_before(folder: Path) -> None:
    """With less free than is to be left, nothing is accepted, so that decisions and profiles can still be written."""
    url, secret = made(folder)
    free = shutil.disk_usage(folder).free >> 20
    api = Api(folder, url, MIN_FREE_MB=free // 2)
    api.start()
    try:
        assert api.states()["disk"] == "low"
        with api.client(secret) as http:
            assert http.post("/v1/events", content=body(row(1))).is_success
    finally:
        api.end()
    api = Api(folder, url, MIN_FREE_MB=2 * free)
    super(Api, api).start()
    try:
        api.until(lambda: api.ready().status_code == 503)
        assert api.states()["disk"] == "full"
        assert api.ready().json()["status"] == "refusing"
        with api.client(secret) as http:
            answer = http.post("/v1/events", content=body(row(2)))
            assert (answer.status_code, "nearly full" in answer.json()["detail"]) == (503, True)
            assert http.get("/healthz").is_success
            assert 'distillwatch_state{part="disk",state="full"} 1.0' in http.get("/metrics").text
    finally:
        api.end()
    assert set(stored(url)) == {"e1"}


STORM, COPIES, SENDERS = 3000, 5, 5


@pytest.mark.slow
def test_storm_of_duplicates(database: Database, database_url: str, folder: Path) -> None:
    """Every event sent five times, by senders at once, in batches cut anywhere: each is stored once, in bounded memory."""
    secret = keys.create(database, "g", "gateway", "test")[1]
    api = Api(folder, database_url)
    api.start()
    accepted: list[int] = []

    def send(sender: int) -> None:
        chance = random.Random(sender)
        order = list(range(STORM))
        chance.shuffle(order)
        with api.client(secret) as http:
            while order:
                batch, order = order[: (size := chance.choice((1, 50, 400)))], order[size:]
                answer = http.post("/v1/events", content=body(*(large(n, 3000) for n in batch)))
                while answer.status_code == 503:
                    time.sleep(1)
                    answer = http.post("/v1/events", content=body(*(large(n, 3000) for n in batch)))
                told = answer.json()
                assert told["accepted"] + told["duplicates"] == len(batch)
                accepted.append(told["accepted"])

    try:
        threads = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        api.until(lambda: "intake" not in api.states())
        with database.read() as connection:
            found = Counter(connection.execute(select(models.events.c.event_id)).scalars())
        assert set(found) == {f"e{n}" for n in range(STORM)}
        assert max(found.values()) == 1
        assert sum(accepted) >= STORM  # more only where files stood in for the database
        assert api.peak_bytes < 600 * MIB
    finally:
        api.end()


@pytest.mark.parametrize("name", ["events", "litellm", "kong"])
def test_clocks_of_senders(name: str, http: TestClient, headers: Headers, database: Database) -> None:
    """Hours and days off, the past included, are taken as they are; before 1970 and far in the future is refused in words."""
    way = WAYS[name]
    field = {"events": "timestamp", "litellm": "startTime", "kong": "started_at"}[name]
    now = datetime.now(UTC)
    good = [now + timedelta(**{unit: n}) for unit, n in (("hours", 1), ("days", 1), ("hours", -20), ("days", -400))]
    bad = [now + timedelta(days=900), datetime(2099, 12, 31, tzinfo=UTC)]
    rows = way.rows(len(good) + len(bad) + 1)
    for one, when in zip(rows, [*good, *bad], strict=False):
        one[field] = when.isoformat() if name == "events" else when.timestamp() * (1000 if name == "kong" else 1)
    rows[-1][field] = "1969-12-31T23:59:59Z"
    answer = http.post(way.path, content=way.wrap(rows), headers=headers["gateway"])
    assert answer.status_code == 200
    assert answer.json()["accepted"] == len(good)
    reasons = [r["error"] for r in answer.json()["rejected"]]
    assert [r["index"] for r in answer.json()["rejected"]] == [4, 5, 6]
    assert all("is the sender's clock wrong" in r for r in reasons[:2])
    assert "1970" in reasons[2]
    with database.read() as connection:
        times = sorted(s.event.timestamp for s in events.after(connection, 0, 10) if s.event)
    assert [abs((a - b).total_seconds()) < 1 for a, b in zip(times, sorted(good), strict=True)] == [True] * len(good)


def test_a_worker_that_is_behind_is_told(
    http: TestClient, headers: Headers, database: Database, settings: Settings, detector: Detector
) -> None:
    """Without a worker, and with one that is far behind, the API says so and goes on; when the worker is done, all is well."""
    monitor: Monitor = http.app.state.monitor  # type: ignore[attr-defined]
    monitor._settings = settings.model_copy(update={"behind_seconds": 60.0})
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    rows = [{**row(n), "timestamp": long_ago.isoformat()} for n in range(60)]
    assert http.post("/v1/events", content=body(*rows), headers=headers["gateway"]).json()["accepted"] == 60
    with database.write() as connection:
        connection.execute(models.events.update().values(received_at=long_ago))

    def told() -> Any:
        monitor._looked_at = float("-inf")
        answer = http.get("/readyz")
        assert answer.status_code == 200
        return answer.json().get("problems", {}).get("worker")

    assert told()["state"] == "absent"
    segments.ensure(database)
    segments.beat(database)
    behind = told()
    assert behind == {"state": "behind", "detail": behind["detail"]}
    assert behind["detail"].startswith("60 events wait, the oldest for 6")
    assert http.get("/healthz").json()["status"] == "degraded"
    assert 'distillwatch_state{part="worker",state="behind"} 1.0' in http.get("/metrics").text
    assert http.post("/v1/events", content=body(row(100)), headers=headers["gateway"]).json()["accepted"] == 1
    worker = Worker(database, detector, settings.model_copy(update={"worker_batch": 25, "assess_seconds": 1e9}))
    while worker.step():
        pass
    assert told() is None
    assert 'distillwatch_state{part="worker",state="ok"} 1.0' in http.get("/metrics").text


def test_older_states_are_not_told_after_newer(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads measure the states at once, and the one that has older states is held up: the metrics show the newer ones."""
    monitor: Monitor = http.app.state.monitor  # type: ignore[attr-defined]
    reading, go_on = threading.Event(), threading.Event()
    disk = monitor._disk

    def slow_disk() -> State:
        if threading.current_thread() is older:
            reading.set()
            assert go_on.wait(30)
        return disk()

    def measure_newer() -> None:
        monitor._stored = monitor._stored._replace(worker=State("ok"))
        monitor.measure()

    monkeypatch.setattr(monitor, "_disk", slow_disk)
    monitor._looked_at = float("inf")  # the watch asks the database no more
    monitor._stored = monitor._stored._replace(worker=State("behind"))
    older, newer = threading.Thread(target=monitor.measure), threading.Thread(target=measure_newer)
    older.start()
    assert reading.wait(30)
    newer.start()
    newer.join(0.2)
    go_on.set()
    older.join()
    newer.join()
    assert 'distillwatch_state{part="worker",state="ok"} 1.0' in generate_latest().decode()


def test_metrics_are_those_of_the_service_that_is_asked(http: TestClient, settings: Settings) -> None:
    """Another service of the same process looks at its own parts, and changes nothing in what this one's metrics tell."""
    monitor: Monitor = http.app.state.monitor  # type: ignore[attr-defined]
    monitor._looked_at = float("inf")  # the watch asks the database no more
    monitor._stored = monitor._stored._replace(worker=State("behind"))
    monitor.measure()
    with TestClient(create_app(settings)) as other:
        assert other.get("/readyz").json()["problems"]["worker"]["state"] == "absent"
        assert other.get("/healthz").json()["problems"]["worker"]["state"] == "absent"
        assert 'distillwatch_state{part="worker",state="behind"} 1.0' in generate_latest().decode()


def test_what_was_counted_last_is_told_while_the_database_is_away(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not answer is down, and the parts that wait in it are as many as when it last did."""
    monitor: Monitor = http.app.state.monitor  # type: ignore[attr-defined]
    monkeypatch.setattr(segments, "state", Mock(side_effect=StorageError("away")))
    monitor._stored = monitor._stored._replace(parts_waiting=3)
    monitor._looked_at = float("-inf")
    text = http.get("/metrics").text
    assert 'distillwatch_state{part="database",state="down"} 1.0' in text
    assert "distillwatch_parts_waiting 3.0" in text


def test_keys_stay_good_while_the_database_is_away(
    http: TestClient, headers: Headers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender whose key was good goes on sending into files; an unknown key is not let in; with the database back, it counts."""
    from sqlalchemy import text

    import api.auth

    monkeypatch.setattr(api.auth, "CACHE_SECONDS", 0.0)
    assert http.post("/v1/events", content=body(row(1)), headers=headers["gateway"]).is_success
    for table in ("api_keys", "events"):
        with database.write() as connection:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO away_{table}"))
    assert http.post("/v1/events", content=body(row(2)), headers=headers["gateway"]).json()["accepted"] == 1
    assert http.post("/v1/events", content=body(row(3)), headers={"Authorization": "Bearer wrong"}).status_code == 503
    assert http.post("/v1/events", content=body(row(3)), headers=headers["admin"]).status_code == 503
    for table in ("api_keys", "events"):
        with database.write() as connection:
            connection.execute(text(f"ALTER TABLE away_{table} RENAME TO {table}"))
    deadline = time.monotonic() + 60
    while True:
        with database.read() as connection:
            found = sorted(connection.execute(select(models.events.c.event_id)).scalars())
        if found == ["e1", "e2"]:
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    (key,) = (k for k in keys.every(database) if k.role == "gateway")
    keys.revoke(database, key.key_id, "test")
    assert http.post("/v1/events", content=body(row(4)), headers=headers["gateway"]).status_code == 401


def test_bodies_beyond_the_memory_are_refused(
    http: TestClient, headers: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies at work at once are bounded; one alone always has room; what was refused is given back."""
    room = http.app.state.ingestion.room  # type: ignore[attr-defined]
    monkeypatch.setattr(room, "_limit", 1000)
    assert http.post("/v1/events", content=body(*(row(n) for n in range(30))), headers=headers["gateway"]).is_success
    room.take(900)
    answer = http.post("/v1/events", content=body(row(1)), headers=headers["gateway"])
    assert (answer.status_code, "being worked on" in answer.json()["detail"]) == (503, True)
    assert room.used == 900
    room.used = 0
    assert http.post("/v1/events", content=body(row(1)), headers=headers["gateway"]).json()["duplicates"] == 1


def test_a_sender_that_breaks_off(folder: Path) -> None:
    """A body that ends before its end stores nothing and disturbs nobody."""
    url, secret = made(folder)
    api = Api(folder, url)
    api.start()
    try:

        def half() -> Iterator[bytes]:
            yield body(row(1))[:50]
            raise ConnectionAbortedError

        with api.client(secret) as http, pytest.raises(ConnectionAbortedError):
            http.post("/v1/events", content=half())
        with api.client(secret) as http:
            assert http.post("/v1/events", content=body(row(2))).json()["accepted"] == 1
        api.until(lambda: 'reason="cut off"} 1.0' in httpx.get(f"{api.url}/metrics", trust_env=False).text)
        assert "Traceback" not in api.text()
    finally:
        api.end()
    assert set(stored(url)) == {"e2"}
