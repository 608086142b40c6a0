"""Sending events with the client to a real service: nothing lost, nothing counted twice, whatever goes down in between."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.client import EventClient, Full
from tests.api.client.service import ROOT, Service, direct
from tests.api.receiver import receiving

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service, not started."""
    found = Service(tmp_path / "service")
    yield found
    found.close()


def client(service: Service, **options: Any) -> EventClient:
    """A client of the service that is quick to try again."""
    return EventClient(service.url, service.key, http=direct(), **{"linger": 0.02, **options})


def event(number: int, **more: Any) -> dict[str, Any]:
    """An event."""
    content = f"question {number}"
    return {"account_id": "a", "event_id": f"e{number}", "messages": [{"role": "user", "content": content}], **more}


def test_events_arrive(service: Service, tmp_path: Path) -> None:
    """Events of many threads arrive, also without id and time; a refused one is kept aside with its reason."""
    service.start()
    with client(service, spool=tmp_path / "spool") as sender:
        threads = [
            threading.Thread(target=lambda t=t: [sender.send(event(t * 100 + n)) for n in range(100)]) for t in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        own = sender.send({"account_id": "a", "messages": [{"role": "user", "content": "no id"}]})
        sender.send(event(1, timestamp="never"))
        sender.send(event(2))
        assert sender.flush(30)
        stats = sender.stats
    assert service.event_ids() == {f"e{n}" for n in range(400)} | {own}
    assert (stats.queued, stats.accepted, stats.duplicates, stats.rejected, stats.waiting_bytes) == (403, 401, 1, 1, 0)
    (line,) = (tmp_path / "spool" / "rejected.jsonl").read_text().splitlines()
    assert json.loads(json.loads(line)["event"])["timestamp"] == "never"


def test_the_documented_program_runs(service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program of docs/client.md sends its event."""
    service.start()
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "client.md").read_text(), re.S)
    assert "/var/spool/my-gateway" in program
    names: dict[str, Any] = {"url": service.url, "key": service.key}
    exec(program.replace("/var/spool/my-gateway", str(tmp_path / "spool")), names)
    assert names["client"].close(30)
    assert len(service.event_ids()) == 1
    assert "queued=1" in capsys.readouterr().out


def test_down_spool_up(service: Service, tmp_path: Path) -> None:
    """While the service is down events wait in the folder, through a restart of the client; when it is up they arrive."""
    first = client(service, spool=tmp_path / "spool")
    for number in range(50):
        first.send(event(number))
    assert not first.flush(1)
    assert not first.close(0.2)
    second = client(service, spool=tmp_path / "spool")
    for number in range(50, 100):
        second.send(event(number))
    assert second.stats.waiting_bytes > 0
    service.start()
    assert second.flush(60)
    assert second.stats.failures > 0
    service.stop(kill=True)
    for number in range(100, 150):
        second.send(event(number))
    time.sleep(0.5)
    service.start()
    assert second.flush(60)
    assert second.close()
    assert service.event_ids() == {f"e{n}" for n in range(150)}


PROGRAM = """
import sys, itertools
from api.client import EventClient
import httpx
sender = EventClient(sys.argv[1], sys.argv[2], spool=sys.argv[3], http=httpx.Client(trust_env=False))
for number in itertools.count(int(sys.argv[4])):
    sender.send({"account_id": "a", "event_id": f"e{number}"})
    print(number, flush=True)
"""


def test_a_killed_program_loses_nothing(service: Service, tmp_path: Path) -> None:
    """A program killed while it sends, again and again: all that ``send`` took arrives, by the next client over the folder."""
    service.start()
    sent = -1
    for _ in range(4):
        arguments = [service.url, service.key, str(tmp_path / "spool"), str(sent + 1)]
        with subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, cwd=ROOT) as program:
            assert program.stdout is not None
            for line in program.stdout:
                sent = int(line)
                if sent % 700 == 699:
                    break
            os.kill(program.pid, signal.SIGKILL)
            for line in program.stdout:  # what it had said by then
                sent = int(line)
    with client(service, spool=tmp_path / "spool") as sender:
        assert sender.flush(60)
    arrived = service.event_ids()
    assert {f"e{n}" for n in range(sent + 1)} <= arrived
    assert len(arrived) <= sent + 2, "at most one event was taken and not told"


def test_a_program_that_ends_flushes(service: Service, tmp_path: Path) -> None:
    """At the program's end what waits is sent, without a call to close."""
    service.start()
    program = (
        "import sys, httpx; from api.client import EventClient\n"
        "c = EventClient(sys.argv[1], sys.argv[2], http=httpx.Client(trust_env=False))\n"
        "for n in range(300): c.send({'account_id': 'a', 'event_id': f'e{n}'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, service.url, service.key], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(service.event_ids()) == 300


def test_a_full_spool_holds_back(service: Service, tmp_path: Path) -> None:
    """With the service down and the spool full, send waits and then says so; the program goes on when there is room."""
    sender = client(service, spool=tmp_path / "spool", max_spool_mb=0.01, block_seconds=0.3)
    taken = 0

    def fill() -> None:
        nonlocal taken
        while True:
            sender.send(event(taken))
            taken += 1

    with pytest.raises(Full, match="events wait"):
        fill()
    start = time.monotonic()
    with pytest.raises(Full):
        sender.send(event(taken))
    assert 0.25 < time.monotonic() - start < 2
    assert taken > 20
    assert sum(f.stat().st_size for f in (tmp_path / "spool").iterdir()) < 12_000
    service.start()
    assert sender.flush(60)
    sender.send(event(taken))
    assert sender.close(30)
    assert service.event_ids() == {f"e{n}" for n in range(taken + 1)}
    assert sender.stats.refused == 2


def test_a_poison_event_holds_up_no_other(tmp_path: Path) -> None:
    """If the service refuses a whole batch as unreadable, the batch is halved until only the bad event is left out."""
    with receiving() as receiver:
        receiver.answer = lambda number: (400 if b"poison" in receiver.got[-1].body else 200, {})
        receiver.content = lambda body: json.dumps(
            {"accepted": body.count(b"\n"), "duplicates": 0, "rejected": []}
        ).encode()
        url = receiver.url.removesuffix("/hook")
        with EventClient(url, "k", spool=tmp_path, linger=0.2, http=direct(), compress=False) as sender:
            for number in range(8):
                sender.send(event(number, system="poison" if number == 5 else "fine"))
            assert sender.flush(20)
            stats = sender.stats
        taken = [
            json.loads(line)["event_id"]
            for got in receiver.got
            if b"poison" not in got.body
            for line in got.body.splitlines()
        ]
    assert sorted(taken) == [f"e{n}" for n in range(8) if n != 5]
    assert (stats.accepted, stats.rejected, stats.failures) == (7, 1, 0)
    assert "poison" in (tmp_path / "rejected.jsonl").read_text()


@pytest.mark.parametrize("status", [401, 404, 429, 500, 502, 503])
def test_what_may_pass_is_waited_out(status: int, tmp_path: Path) -> None:
    """Errors that are not of the events themselves, a wrong key included, lose nothing: the same events come again."""
    with receiving() as receiver:
        receiver.answer = lambda number: (status if number < 3 else 200, {"Retry-After": "0"})
        receiver.content = lambda body: json.dumps(
            {"accepted": body.count(b"\n"), "duplicates": 0, "rejected": []}
        ).encode()
        with EventClient(receiver.url.removesuffix("/hook"), "k", http=direct(), linger=0.01) as sender:
            sender.send(event(1))
            assert sender.flush(20)
            assert (sender.stats.failures, sender.stats.accepted) == (2, 1)
        assert len({got.body for got in receiver.got}) == 1


def test_wrong_use_is_told(tmp_path: Path) -> None:
    """No account, no JSON, a closed client: errors that say what to do."""
    with receiving() as receiver:
        sender = EventClient(receiver.url, "k", http=direct())
        with pytest.raises(ValueError, match="account_id is missing"):
            sender.send({"messages": []})
        with pytest.raises(ValueError, match="not JSON compliant"):
            sender.send(event(1, latency_ms=float("nan")))
        with pytest.raises(TypeError, match="no form in JSON"):
            sender.send(event(1, system=object()))
        sender.close(0)
        with pytest.raises(RuntimeError, match="closed"):
            sender.send(event(1))


def test_the_client_needs_nothing_of_the_service() -> None:
    """Importing it loads neither FastAPI nor SQLAlchemy nor torch nor the detector."""
    program = (
        "import sys, api.client\n"
        "print([m for m in ('fastapi', 'starlette', 'sqlalchemy', 'torch', 'numpy', 'pydantic', 'detector') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
