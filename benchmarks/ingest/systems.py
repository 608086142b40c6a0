"""What is measured: this service on two databases, two peers in environments of their own, and the floor."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from sqlalchemy import create_engine, func, select, text

from api.storage import keys, migrate, models
from api.storage.engine import Database
from tests.api import postgres
from tests.e2e.processes import free_port, running, until

ROOT = Path(__file__).parents[2]
START_SECONDS = 300.0
PEERS = {"phoenix": "arize-phoenix==20.26.1", "mlflow": "mlflow==3.17.2"}


class System(NamedTuple):
    """A running system: where and how it takes rows, and how many of them are in its database."""

    port: int
    path: str
    headers: dict[str, str]
    json: bool  # takes rows of our own format; else OTLP
    count: Callable[[], int] | None  # None: it keeps nothing


def peer(name: str, cache: Path) -> Path:
    """The folder of a peer's programs, in an environment made for it under ``cache``."""
    folder = cache / name
    if not (folder / "installed").exists():
        print(f"installing {PEERS[name]} into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", PEERS[name]], check=True)
        (folder / "installed").touch()
    return folder / "bin"


@contextmanager
def floor(folder: Path) -> Iterator[System]:
    """Uvicorn, and an application that reads the body and answers 202."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "benchmarks.ingest.floor:app", "--port", str(port), "--no-access-log", "--log-level", "error",
    ]  # fmt: skip
    with _serving(command, {}, folder, port, "/"):
        yield System(port, "/", {}, True, None)


@contextmanager
def ours(folder: Path, database_url: str, json: bool) -> Iterator[System]:
    """This service's API process; worker and dashboard do not run."""
    database = Database(database_url)
    migrate.upgrade(database)
    secret = keys.create(database, "benchmark", "gateway", "benchmark")[1]
    port = free_port()
    command = [sys.executable, "-m", "api", "api", "--data-dir", str(folder), "--port", str(port)]

    def count() -> int:
        with database.read() as connection:
            return connection.execute(select(func.count()).select_from(models.events)).scalar_one()

    headers = {"Authorization": f"Bearer {secret}"}
    with _serving(command, {"DISTILLWATCH_DATABASE_URL": database_url}, folder, port, "/readyz"):
        yield System(port, "/v1/events" if json else "/v1/traces", headers, json, count)
    database.close()


@contextmanager
def ours_on_sqlite(folder: Path, json: bool = True) -> Iterator[System]:
    """On the embedded database."""
    with ours(folder, f"sqlite:///{folder / 'distillwatch.db'}", json) as system:
        yield system


@contextmanager
def ours_on_postgresql(folder: Path) -> Iterator[System]:
    """On a PostgreSQL server started for it, as configured by default: it syncs every commit to disk."""
    with postgres.server() as url:
        engine = create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE bench"))
        engine.dispose()
        with ours(folder, url.format("bench"), True) as system:
            yield system


@contextmanager
def phoenix(folder: Path, cache: Path) -> Iterator[System]:
    """arize-phoenix, whose default database is SQLite."""
    port = free_port()
    env = {
        "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    with _serving([peer("phoenix", cache) / "phoenix", "serve"], env, folder, port, "/healthz"):
        yield System(port, "/v1/traces", {}, False, lambda: _count(folder / "phoenix.db"))


@contextmanager
def mlflow(folder: Path, cache: Path) -> Iterator[System]:
    """mlflow's tracking server over SQLite."""
    port = free_port()
    database = folder / "mlflow.db"
    command = [
        peer("mlflow", cache) / "mlflow", "server", "--backend-store-uri", f"sqlite:///{database}",
        "--default-artifact-root", folder / "artifacts", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    with _serving(command, {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}, folder, port, "/health"):
        yield System(port, "/v1/traces", {"x-mlflow-experiment-id": "0"}, False, lambda: _count(database))


@contextmanager
def _serving(command: list[str | Path], env: dict[str, str], folder: Path, port: int, probe: str) -> Iterator[None]:
    log = folder / "log"
    with running(command, env, log, ROOT):
        until(
            str(command[0]),
            lambda: httpx.get(f"http://127.0.0.1:{port}{probe}", trust_env=False, timeout=30).status_code < 300,
            START_SECONDS,
            log,
        )
        yield


def _count(database: Path) -> int:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)
    try:
        found: int = connection.execute("SELECT count(*) FROM spans").fetchone()[0]
        return found
    finally:
        connection.close()
