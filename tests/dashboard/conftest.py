"""The real service on a real SQLite database, and a server that no page may ever ask."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

import pytest
import uvicorn

from api.app import create_app
from api.schemas.base import Role
from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database
from dashboard.client import URL_VARIABLE, Client
from detector.pipeline import Detector
from tests.dashboard import data

START_SECONDS = 30


@dataclass
class Sink:
    """Remembers every request that reaches it."""

    url: str
    asked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Service:
    """A running service: its address, one key for each role, and its database."""

    url: str
    keys: dict[Role, str]
    database: Database
    sink: Sink
    folder: Path  # of its data

    def client(self, role: Role) -> Client:
        """The dashboard's client with the key of a role."""
        return Client(self.keys[role], self.url)


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    """A server on loopback to which hostile text points."""
    found: Sink

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Sink(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@contextmanager
def running(folder: Path, sink: Sink, fill: Callable[[Database, str], None] | None, **more: Any) -> Iterator[Service]:
    """Run the service on a fresh database in ``folder``, with ``more`` of its settings."""
    settings = Settings(data_dir=folder, **more)
    migrate.upgrade(settings.url)
    database = Database(settings.url)
    if fill:
        fill(database, sink.url)
    secrets: dict[Role, str] = {role: keys.create(database, f"Test {role}", role, "test")[1] for role in get_args(Role)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            assert time.monotonic() < deadline, "the service did not start in time"
            time.sleep(0.02)
        try:
            yield Service(f"http://127.0.0.1:{listener.getsockname()[1]}", secrets, database, sink, folder)
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)
            database.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[Service]:
    """A service with the population of data.py."""
    with running(tmp_path_factory.mktemp("service"), sink, data.fill) as service:
        yield service


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The shipped detector."""
    return Detector.load()


@pytest.fixture
def service(filled: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The filled service, as the one that the dashboard of this process asks."""
    monkeypatch.setenv(URL_VARIABLE, filled.url)
    return filled


@pytest.fixture
def empty_service(tmp_path: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that has seen nothing yet, as the one that the dashboard asks."""
    with running(tmp_path, sink, None) as service:
        monkeypatch.setenv(URL_VARIABLE, service.url)
        yield service


def environment(service: Service) -> dict[str, str]:
    """Environment of a dashboard process that asks this service."""
    return {**os.environ, URL_VARIABLE: service.url}
