"""Real databases: SQLite in a file, and a PostgreSQL server started for the session where it is installed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import NullPool, create_engine, text

from api.app import create_app
from api.schemas.base import Role
from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database
from detector.pipeline import Detector
from tests.api import postgres

TEMPLATE = "migrated"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of the server with {} for the database's name; it has a migrated database, TEMPLATE."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.server(durable=False) as url:
        _ask(url, f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(url.format(TEMPLATE))
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file: copying it is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("sqlite") / f"{TEMPLATE}.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def is_migrated() -> bool:
    """Whether a test's database has its tables already; a test of migrations says False."""
    return True


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, is_migrated: bool) -> Iterator[str]:
    """URL of a database without rows, gone after the test."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        if is_migrated:
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{next(_numbers)}"
    _ask(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if is_migrated else 'template1'}")
    yield server.format(name)
    _ask(server, f"DROP DATABASE {name} WITH (FORCE)")


def _ask(server: str, statement: str) -> None:
    engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database, opened."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a service over the database, with small limits."""
    return Settings(data_dir=tmp_path, database_url=database_url, max_body_mb=1, max_batch_events=100, assess_seconds=0)


@pytest.fixture
def secrets(database: Database) -> dict[Role, str]:
    """One key of each role."""
    roles: list[Role] = ["gateway", "analyst", "lead", "admin", "auditor"]
    return {role: keys.create(database, f"the {role}", role, "test")[1] for role in roles}


@pytest.fixture
def http(settings: Settings, secrets: dict[Role, str]) -> Iterator[TestClient]:
    """The application; requests carry no key by themselves."""
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
def headers(secrets: dict[Role, str]) -> dict[Role, dict[str, str]]:
    """Authorisation by role."""
    return {role: {"Authorization": f"Bearer {secret}"} for role, secret in secrets.items()}


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The shipped detector."""
    return Detector.load()
