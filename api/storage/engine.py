"""The database: one engine, read and write transactions that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import SQLAlchemyError as StorageError

__all__ = ["Database", "StorageError"]

BUSY_MS = 30_000  # SQLite: longest wait for another process's transaction; all of ours are far shorter
PAGE_BYTES = 16_384  # SQLite: events of some kB fit well, a third less work and space than with its own 4,096
LOG_PAGES = 4096  # SQLite: 64 MiB of write-ahead log, from which a commit empties it; see api.services.checkpoints
CACHE_KIB = 65_536  # SQLite's page cache, for the unique index on event ids
# PostgreSQL advisory locks
LOCKS = {
    name: 0x64777700 + i
    for i, name in enumerate(("events", "audit", "migrate", "worker", "findings", "published", "assessor"))
}


class Database:
    """A database by URL. ``read()`` sees one snapshot; ``write()`` commits at its end or not at all."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"check_same_thread": False} if self.is_sqlite else {"connect_timeout": 10}
        self.engine = create_engine(url, pool_pre_ping=not self.is_sqlite, connect_args=arguments)
        if self.is_sqlite:
            self.engine.dialect.statement_compiler = _Compiler
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *locks: str) -> Iterator[Connection]:
        """A transaction that writes; ``locks`` name what no two transactions may write at once.

        SQLite has one writer anyway, whose lock is taken at the start, so that what was read cannot have changed.
        """
        with self.engine.connect() as connection:
            connection = connection.execution_options(write=True)
            with connection.begin():
                if not self.is_sqlite:
                    for name in locks:
                        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCKS[name]})
                yield connection

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database."""
        name = make_url(self.url).database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def compact(self) -> None:
        """Let go of what was deleted: the write-ahead log on SQLite, whose pages are overwritten at deletion; dead rows on PostgreSQL."""
        if self.is_sqlite:
            self._checkpoint("TRUNCATE")
        else:
            with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql("VACUUM")

    def checkpoint(self) -> None:
        """SQLite: copy what was committed from the write-ahead log into the file, as far as nobody has to wait for it."""
        self._checkpoint("PASSIVE")

    def _checkpoint(self, mode: str) -> None:
        raw = self.engine.raw_connection()  # outside of any transaction
        try:
            raw.cursor().execute(f"PRAGMA wal_checkpoint({mode})")
        except sqlite3.Error as error:
            raise StorageError(str(error)) from error
        finally:
            raw.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


class _Compiler(SQLiteCompiler):
    """Writes hints (``INDEXED BY``) out, which SQLAlchemy leaves away on SQLite."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


class Mutex:
    """A lock that one process holds until it lets go or ends. On SQLite, which has one worker, it is always free."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._key = {"key": LOCKS[name]}
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Take the lock if it is free; whether this process has it now. It is lost with the connection to the database."""
        if self._database.is_sqlite:
            return True
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return True
            except StorageError:
                self.release()
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), self._key).scalar():
            self._connection = connection
            return True
        connection.close()
        return False

    def release(self) -> None:
        """Let go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), self._key)
            except StorageError:
                connection.invalidate()  # it must not go back into the pool, where the lock would stay held
            connection.close()


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    for pragma in (
        f"page_size={PAGE_BYTES}",  # of a database that is made now
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # an acknowledged event survives a power cut
        "foreign_keys=ON",
        "secure_delete=ON",  # text that is deleted is overwritten in the file, not left in free pages
        f"cache_size=-{CACHE_KIB}",
        f"wal_autocheckpoint={LOG_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN")
