"""What the commands share: their options, the settings these give, and the database of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError

from api.services.webhooks.vault import Locked, Vault
from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database, StorageError
from detector.cli import fail

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of the embedded database and the logs; else DISTILLWATCH_DATA_DIR, else ./var.",
        show_default=False,
    ),
]

ApiPort = Annotated[
    int | None,
    typer.Option(
        "--port", min=1, max=65535, help="Port of the API; else DISTILLWATCH_PORT, else 8400.", show_default=False
    ),
]
DashboardPort = Annotated[
    int | None,
    typer.Option(
        "--dashboard-port",
        min=1,
        max=65535,
        help="Port of the dashboard; else DISTILLWATCH_DASHBOARD_PORT, else 8401.",
        show_default=False,
    ),
]
MaxFalseFlags = Annotated[
    float | None,
    typer.Option(
        "--max-false-flags",
        min=1e-5,
        max=0.1,
        help="Share of honest accounts that may be flagged; else DISTILLWATCH_MAX_FALSE_FLAGS, else that of the calibration (0.001).",
        show_default=False,
    ),
]


def load_settings(
    data_dir: Path | None = None,
    port: int | None = None,
    dashboard_port: int | None = None,
    max_false_flags: float | None = None,
) -> Settings:
    """Settings of the options given, else of the environment; a bad one is told in words."""
    options = {
        "data_dir": data_dir,
        "port": port,
        "dashboard_port": dashboard_port,
        "max_false_flags": max_false_flags,
    }
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(f"DISTILLWATCH_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise fail(problems) from error


@contextmanager
def opened(settings: Settings, *, create: bool = False) -> Iterator[Database]:
    """The database of the settings, migrated. SQLite is made and migrated where ``create``; PostgreSQL never by itself."""
    try:
        if not create and not settings.database_url and not (settings.data_dir / "distillwatch.db").exists():
            raise fail(
                f"no database in {settings.data_dir}: run `distillwatch serve` or `distillwatch db upgrade` first, or set DISTILLWATCH_DATA_DIR"
            )
        database = Database(settings.url)
    except (ArgumentError, OSError, ImportError) as error:
        raise fail(f"the database cannot be opened: {error}") from error
    try:
        if create and database.is_sqlite:
            migrate.upgrade(database)
        migrate.check(database)
        if create:
            Vault(settings).seal_stored(database)
        yield database
    except (migrate.NotMigrated, Locked) as error:
        raise fail(str(error)) from error
    except StorageError as error:
        raise fail(f"the database does not answer: {error}") from error
    finally:
        database.close()


def first_key(database: Database) -> str | None:
    """An admin key if there is none of any role yet."""
    return None if keys.count(database) else keys.create(database, "first admin", "admin", "distillwatch serve")[1]
