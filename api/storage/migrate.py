"""Migrations, run by the program itself: also from an installed package, without an alembic.ini."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from api.storage.engine import Database


class NotMigrated(RuntimeError):
    """The database is not of the version that this program needs."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """The revision that this program needs. Found once: the service compares with it every few seconds."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database: Database) -> str | None:
    """The revision of a database; None for an empty one."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(target: Database | str) -> str:
    """Bring a database to the newest revision; returns it. Safe to run again, and by several processes at once."""
    database = Database(target) if isinstance(target, str) else target
    try:
        with database.write("migrate") as connection:
            command.upgrade(_config(connection), "head")
        return head()
    finally:
        if isinstance(target, str):
            database.close()


def check(database: Database) -> None:
    """Raise NotMigrated, with what to do, unless the database is of this program's revision."""
    found, needed = current(database), head()
    if found == needed:
        return
    with database.read() as connection:
        empty = not inspect(connection).get_table_names()
    what = "is empty" if empty else f"is of revision {found or 'unknown'}"
    raise NotMigrated(f"the database {what} and this program needs {needed}: run `distillwatch db upgrade`")
