"""Verdicts in memory: all accounts that are not simply allowed, kept up with what is published in the database."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from api.schemas.verdicts import EnforcementMode
from api.services.verdicts import ANY, NOTHING, Answer, Record, Request, answer
from api.storage import enforcement, published
from api.storage.engine import Database

CHUNK = 5000
REFRESH_SECONDS = 0.5  # between two looks at the database; bounds how late a decision reaches a gateway
MAX_STALE_SECONDS = 300.0  # without a database for longer, nothing is known any more: gateways let everything through

_DECODER = msgspec.json.Decoder(Record)


class Stale(RuntimeError):
    """The database has not been read for too long."""


class Board:
    """Answers from memory. ``refresh`` reads what changed; it may be called from any thread."""

    def __init__(self, database: Database, setting: EnforcementMode = "all") -> None:
        self._database = database
        self._setting = setting
        self._lock = threading.Lock()
        self._seq = 0
        self._mode: EnforcementMode = "all"
        self._read_at = float("-inf")
        self.accounts: dict[str, Record] = {}
        self.campaigns: dict[str, Record] = {}

    @property
    def seq(self) -> int:
        """Number of the last change that is known here."""
        return self._seq

    @property
    def mode(self) -> EnforcementMode:
        """What of the actions is told: the stricter of the setting and the switch."""
        return enforcement.stricter(self._setting, self._mode)

    def refresh(self) -> None:
        """Read what changed. Raises StorageError; then everything stays as it was."""
        with self._database.read() as connection:
            self.sync(connection)

    def sync(self, connection: Connection) -> None:
        """Read what changed, in a transaction of the caller."""
        start = time.monotonic()
        with self._lock:
            self._mode = enforcement.mode(connection)
            while rows := published.after(connection, self._seq, CHUNK):
                for row in rows:
                    self._put(row.subject, row.subject_id, _DECODER.decode(row.record))
                self._seq = rows[-1].seq
            self._read_at = start

    def answer(self, account_id: str, request: Request = ANY) -> Answer:
        """The answer on an account. Raises Stale."""
        if time.monotonic() - self._read_at > MAX_STALE_SECONDS:
            raise Stale("verdicts are not up to date; let the request through")
        return answer(account_id, self.accounts.get(account_id, NOTHING), self.mode, datetime.now(UTC), request)

    def _put(self, subject: str, subject_id: str, record: Record) -> None:
        where = self.accounts if subject == "account" else self.campaigns
        if record.key == NOTHING.key:
            where.pop(subject_id, None)
        else:
            where[subject_id] = record


def decode(record: bytes) -> Record:
    """A record as it is stored."""
    return _DECODER.decode(record)
