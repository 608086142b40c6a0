"""Real databases: SQLite in a file, and a PostgreSQL server started for the session where it is installed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from api.app import create_app
from api.schemas.base import Role
from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database
from detector.pipeline import Detector
from tests.api import postgres

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of the server with {} for the database's name."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{next(_numbers)}"
    engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database."""
    database = Database(database_url)
    migrate.upgrade(database)
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
