"""What each way in answers: clients go by it, and a wrong status loses logs or holds them up."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.schemas.base import Role
from api.services.disk import Disk
from api.storage import keys, models, parts
from api.storage.engine import Database
from tests.api.ways_in import PROTOBUF, WAYS, Way

Headers = dict[Role, dict[str, str]]
ALL = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
SEVERAL = pytest.mark.parametrize(
    "way", [w for n, w in WAYS.items() if n != "helicone"], ids=[n for n in WAYS if n != "helicone"]
)
Send = Callable[..., Any]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, dict[Role, str]]:
    """A migrated SQLite file with a key of each role: copying it is faster than making it for each test."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("statuses") / "migrated.db")
    database = Database(f"sqlite:///{path}")
    secrets = {role: keys.create(database, f"the {role}", role, "test")[1] for role in get_args(Role)}
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path, secrets


@pytest.fixture
def database_url(migrated: tuple[Path, dict[Role, str]], tmp_path: Path) -> str:
    """A copy of it; what databases do differently is tested elsewhere."""
    return f"sqlite:///{shutil.copy(migrated[0], tmp_path / 'test.db')}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The copy, opened."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def secrets(migrated: tuple[Path, dict[Role, str]]) -> dict[Role, str]:
    """The keys in it."""
    return migrated[1]


@pytest.fixture
def send(http: TestClient, headers: Headers) -> Send:
    """Send a body the way its client does; every answer is of the type that the client reads, and never 429."""

    def send(way: Way, body: bytes, **more: str) -> Any:
        sent = {"Content-Type": way.content_type, **headers["gateway"], **more}
        answer = http.post(way.path, content=body, headers={k: v for k, v in sent.items() if v})
        assert answer.status_code != 429
        assert answer.headers["Content-Type"] == (PROTOBUF if way.content_type == PROTOBUF else "application/json")
        return answer

    return send


def kept(database: Database) -> tuple[int, int]:
    """How many events and parts of calls are stored."""
    with database.read() as connection:
        events = connection.execute(select(func.count()).select_from(models.events)).scalar_one()
        return events, parts.count(connection)


@ALL
def test_success(way: Way, send: Send, database: Database) -> None:
    """A good body is stored and answered with success, and so is the same one sent again, of which nothing is stored twice."""
    body = way.wrap(way.rows(3))
    answer = send(way, body)
    assert (answer.status_code, way.errors(answer.content)) == (way.good, [])
    first = kept(database)
    assert sum(first) in (1, 3)
    again = send(way, gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert (again.status_code, way.errors(again.content)) == (way.good, [])
    assert kept(database) == first


@SEVERAL
def test_one_bad_row_fails_no_other(way: Way, send: Send, database: Database) -> None:
    """A poisoned batch is a success that names the bad row and why, and all good rows are stored."""
    rows = way.rows(3)
    answer = send(way, way.wrap([rows[0], way.bad, *rows[1:]]))
    assert answer.status_code == way.good
    (reason,) = way.errors(answer.content)
    assert len(reason) > 10
    assert sum(kept(database)) == 3


def test_helicone_is_told_of_a_bad_row(send: Send) -> None:
    """Helicone's logger sends one row and prints the answer to anything but 200: a bad row is 400 and the reason."""
    way = WAYS["helicone"]
    answer = send(way, way.wrap([way.bad]))
    assert (answer.status_code, "timing.startTime" in way.reason(answer.content)) == (400, True)


@ALL
@pytest.mark.parametrize("body", [b"\xff\xfe\xfd", b"{", b"[", b"hello"])
def test_unreadable(body: bytes, way: Way, send: Send, database: Database) -> None:
    """A body that is nothing is 400 with the reason; Kong, which would repeat it for a minute, is told with 200."""
    answer = send(way, body)
    assert answer.status_code == way.unreadable
    (reason,) = way.errors(answer.content) if answer.status_code == 200 else [way.reason(answer.content)]
    assert len(reason) > 10
    assert kept(database) == (0, 0)


@ALL
def test_too_large(way: Way, send: Send, database: Database) -> None:
    """A body beyond the limit, packed or not, is 413 with what to do; Kong is told with 200, as it would never get smaller."""
    body = way.wrap(way.rows(1)) + b" " * (1 << 20)
    for content, encoding in ((body, ""), (gzip.compress(body), "gzip")):
        answer = send(way, content, **{"Content-Encoding": encoding})
        if way.unreadable == 200:
            assert answer.status_code == 200
            (reason,) = way.errors(answer.content)
        else:
            assert answer.status_code == 413
            reason = way.reason(answer.content)
        assert "send smaller batches" in reason
    assert kept(database) == (0, 0)


@ALL
def test_unknown_encoding(way: Way, send: Send) -> None:
    """A Content-Encoding that is not known is refused by its name."""
    answer = send(way, way.wrap(way.rows(1)), **{"Content-Encoding": "br"})
    assert answer.status_code == way.unreadable
    (reason,) = way.errors(answer.content) if answer.status_code == 200 else [way.reason(answer.content)]
    assert "'br'" in reason


@ALL
@pytest.mark.parametrize("busy", ["stopping", "disk"])
def test_busy(
    busy: str, way: Way, send: Send, http: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be kept is 503 with a short Retry-After, for everyone: 500 and 429 make clients drop their logs."""
    ingestion = http.app.state.ingestion  # type: ignore[attr-defined]
    if busy == "stopping":
        ingestion.close()
    else:  # less is free than is to be left
        monkeypatch.setattr(ingestion, "disk", Disk(http.app.state.settings.data_dir, 1 << 60))  # type: ignore[attr-defined]
    answer = send(way, way.wrap(way.rows(1)))
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    assert way.reason(answer.content)
    assert kept(database) == (0, 0)


@ALL
def test_keys(way: Way, send: Send, headers: Headers) -> None:
    """Without a key, with an unknown one, and with one that may not send, the answer says so in the client's own form."""
    body = way.wrap(way.rows(1))
    for authorization, status in (("", 401), ("Bearer wrong", 401), (headers["analyst"]["Authorization"], 403)):
        answer = send(way, body, Authorization=authorization)
        assert answer.status_code == status
        assert "key" in way.reason(answer.content)


@ALL
def test_the_key_as_a_password(way: Way, http: TestClient, headers: Headers) -> None:
    """Clients that know names and passwords alone, such as Langfuse's and Kong's, send the key as password."""
    secret = headers["gateway"]["Authorization"].removeprefix("Bearer ")
    answer = http.post(
        way.path, content=way.wrap(way.rows(1)), auth=("pk-lf-any", secret), headers={"Content-Type": way.content_type}
    )
    assert answer.status_code == way.good


@pytest.mark.parametrize("name", ["events", "kong", "traces", "traces json"])
@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), MemoryError()])
def test_a_fault_is_no_500(
    error: Exception, name: str, send: Send, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where reading a body fails in a way nobody foresaw, the sender gets a reason, not a broken connection or a 500."""
    import api.services.parsing

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(api.services.parsing, "parse_body", fail)
    way = WAYS[name]
    answer = send(way, way.wrap(way.rows(1)))
    assert answer.status_code in (200, 400)
    assert b"distillwatch" in answer.content


def test_metrics_are_taken_and_not_kept(http: TestClient, headers: Headers, database: Database) -> None:
    """An exporter that also sends metrics is told, with success, that nothing is kept of them."""
    answer = http.post("/v1/metrics", content=b"{}", headers={**headers["gateway"], "Content-Type": "application/json"})
    assert answer.status_code == 200
    assert "not kept" in answer.json()["partialSuccess"]["errorMessage"]
    assert kept(database) == (0, 0)


def test_helicone_users_come_from_headers(http: TestClient, headers: Headers, database: Database) -> None:
    """User, session and properties of Helicone's headers are the event's; its key is not."""
    from api.storage import events
    from tests.detector.formats import gateways

    row = gateways.helicone()
    row["providerResponse"]["headers"] = {}
    told = {"Helicone-User-Id": "cust-42", "Helicone-Property-Plan": "pro", "Helicone-Auth": "Bearer sk-made-up-secret"}
    answer = http.post("/custom/v1/log", json=row, headers={**headers["gateway"], **told})
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    with database.read() as connection:
        (stored,) = events.after(connection, 0, 10)
        assert b"sk-made-up-secret" not in events.payloads(connection, 0, 10)[0][1]
    assert stored.event is not None
    assert (stored.event.account_id, stored.event.extra) == ("cust-42", {"plan": "pro"})


def test_langfuse_checks_its_key(http: TestClient, headers: Headers) -> None:
    """Langfuse's SDK asks for the projects of its key, and takes one for a good answer."""
    secret = headers["gateway"]["Authorization"].removeprefix("Bearer ")
    found = http.get("/api/public/projects", auth=("pk", secret)).json()["data"]
    assert [project["name"] for project in found] == ["the gateway"]


def test_configured_attributes_name_the_account(
    http: TestClient, headers: Headers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attribute that the operator names is the account, before all that the formats know of."""
    from api.storage import events
    from tests.detector.formats import gateways

    settings = http.app.state.settings  # type: ignore[attr-defined]
    monkeypatch.setattr(settings, "account_attributes", "nothing, customer")
    for path, row in (("/v1/ingest/portkey", gateways.portkey()), ("/api/public/ingestion", gateways.langfuse())):
        assert http.post(path, json=row, headers=headers["gateway"]).is_success
    with database.read() as connection:
        assert [s.event.account_id for s in events.after(connection, 0, 10) if s.event] == ["acme", "corp"]
