"""kill -9 of API and worker under load: every acknowledged event is stored exactly once, and counted exactly once.

Real clients go on sending while both processes are killed at random points, in any combination, round after round.
``make durability`` does it fifty times; the tests of every day, KILL_ROUNDS times.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.storage import keys, migrate, models, ranges, segments
from api.storage.engine import Database
from detector.profiles import Profiles, merge_all
from tests.api.running import Api, Process
from tests.api.senders import HttpSender, OtlpSender, all_senders

ROUNDS = int(os.environ.get("KILL_ROUNDS", "5"))
SETTINGS: dict[str, Any] = {
    "JOIN_SECONDS": 120,  # longer than a restart and an exporter's waits on a busy machine: what belongs together is joined together
    "WINDOW_DAYS": 400,
}
SMALL_BATCH = 200  # events of a commit while workers are killed: many commits, and so many points between them
LIFE_SECONDS = 1.5  # of a process that has begun its work, before it may be killed
SENT_SECONDS = 0.3  # of sending, in each round, while both run


class Service:
    """An API and a worker over one database."""

    def __init__(self, folder: Path, url: str, **settings: Any) -> None:
        self.database = Database(url)
        self.secret = keys.create(self.database, "gateway", "gateway", "test")[1]
        self.api = Api(folder, url, **SETTINGS)
        self._folder, self._url = folder, url
        self.worker = Process("worker", folder, url, **SETTINGS, **settings)

    def position(self) -> int:
        """How far the worker is."""
        with self.database.read() as connection:
            return ranges.profiled(connection)

    def drained(self) -> bool:
        """Whether all that was acknowledged is an event, and every event is profiled."""
        if "intake" in self.api.states():
            return False
        with self.database.read() as connection:
            waiting = connection.execute(
                select(models.open_parts.c.part_id).where(~models.open_parts.c.patient)
            ).first()
            return waiting is None and ranges.backlog(connection)[0] == 0

    def until(self, holds: Callable[[], bool], seconds: float = 300) -> None:
        """Wait until something holds, as long as the worker gets on."""
        deadline, reached = time.monotonic() + seconds, -1
        while not holds():
            if (position := self.position()) > reached:
                deadline, reached = time.monotonic() + seconds, position
            assert time.monotonic() < deadline, self.api.text() + self.worker.text()
            time.sleep(0.2)

    def hurry(self) -> None:
        """Let a worker with batches of the usual size come to the end: how the log is split changes nothing."""
        assert self.worker.end(signal.SIGTERM) in (0, -signal.SIGTERM)
        self.worker = Process("worker", self._folder, self._url, **SETTINGS)
        self.worker.start()

    def log(self) -> dict[str, tuple[int, bytes]]:
        """How often each event is in the log, and what it says."""
        table = models.events.c
        with self.database.read() as connection:
            rows = connection.execute(select(table.event_id, table.payload)).all()
        counts = Counter(r.event_id for r in rows)
        return {r.event_id: (counts[r.event_id], bytes(r.payload)) for r in rows}

    def profile(self) -> Profiles:
        """All that the worker has counted."""
        merged = merge_all(Profiles.from_bytes(blob) for blob in segments.profiles(self.database))
        assert merged is not None
        return merged

    def close(self) -> None:
        """End both, politely."""
        try:
            codes = [self.worker.end(signal.SIGTERM), self.api.end(signal.SIGTERM)]
        finally:
            self.worker.end()  # neither outlives the test, whatever went wrong
            self.api.end()
            self.database.close()
        assert all(code in (0, -signal.SIGTERM, None) for code in codes)  # a polite end is a clean one


def undisturbed(folder: Path, senders: list[tuple[HttpSender | OtlpSender, int]]) -> tuple[dict[str, Any], Profiles]:
    """Log and profile of a service that is given the same requests and never killed."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'undisturbed.db'}"
    migrate.upgrade(url)
    service = Service(folder, url)
    try:
        service.api.start()
        for sender, count in senders:
            assert sender.run(service.api.url, service.secret, lambda: False, limit=count) == count
        service.worker.start()
        service.until(service.drained)
        return service.log(), service.profile()
    finally:
        service.close()


@pytest.mark.slow
@pytest.mark.timeout(600 + 120 * ROUNDS)
def test_killed_again_and_again(database: Database, database_url: str, tmp_path: Path) -> None:
    """Whatever is killed when: each acknowledged event is there once, says what was sent, and counts once in its profile."""
    chance = random.Random(ROUNDS)
    service = Service(tmp_path, database_url, WORKER_BATCH=SMALL_BATCH)
    senders = all_senders()
    done: dict[int, int] = {}
    failures: list[BaseException] = []
    stop = threading.Event()

    def send(number: int) -> None:
        try:
            done[number] = senders[number].run(service.api.url, service.secret, stop.is_set)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=send, args=(n,)) for n in range(len(senders))]
    kills: Counter[str] = Counter()
    try:
        service.api.start()
        service.worker.start()
        for thread in threads:
            thread.start()
        for number in range(1, ROUNDS + 1):
            victims = chance.choice((["api"], ["worker"], ["worker", "api"], ["api", "worker"]))
            before = service.position()
            if "worker" in victims:  # it must have done something, else its death would prove nothing
                service.until(lambda before=before: service.position() > before or bool(failures))
            time.sleep(SENT_SECONDS + chance.random() * LIFE_SECONDS)
            assert not failures, failures
            for victim in victims:
                assert getattr(service, victim).end() == -signal.SIGKILL
                kills[victim] += 1
                time.sleep(chance.choice((0.0, 0.2)))
            for victim in sorted(victims, reverse=True):  # the worker first: it needs no API
                getattr(service, victim).start()
            print(f"round {number} of {ROUNDS}: {', '.join(victims)} killed", flush=True)
        time.sleep(SENT_SECONDS)
        stop.set()
        for thread in threads:
            thread.join(120)
        assert not failures, failures
        assert len(done) == len(senders)
        service.hurry()
        service.until(service.drained)
        found, profile = service.log(), service.profile()
    finally:
        stop.set()
        service.close()
    given = [(senders[number], count) for number, count in sorted(done.items())]
    expected, undisturbed_profile = undisturbed(tmp_path / "undisturbed", given)
    acknowledged = sum(sender.sent for sender in senders) // 2  # the undisturbed run has sent the same once more
    print(f"{ROUNDS} rounds, {dict(kills)} kills, {acknowledged} acknowledged, {len(found)} stored")
    assert len(found) == acknowledged
    assert max(count for count, _ in found.values()) == 1
    assert found == expected
    assert int(profile.counts["n"].sum()) == acknowledged
    assert profile.equals(undisturbed_profile)
