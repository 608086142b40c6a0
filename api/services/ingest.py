"""Ingestion: a body of any known format into the event log, row by row, durable before the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from starlette.concurrency import run_in_threadpool

from api.schemas.ingest import ItemError
from api.services import metrics
from api.services.content import ContentPolicy
from api.services.disk import Disk
from api.services.intake import Room
from api.services.parsers import Parsers
from api.services.parsing import Amend, Task, as_they_came
from api.services.spool import NoRoom, Spool
from api.services.storing import Bundle, Stored
from api.services.writer import Busy, Writer
from api.settings import Settings
from api.storage.engine import Database
from api.storage.keys import Key
from detector.formats import FORMATS

ACK_SECONDS = 2.0  # a gateway's hook gives up after 3; what the database has not taken by then goes into a file
MAX_ERRORS = 1000  # errors listed one by one; a broken sender needs no more

log = structlog.get_logger()


class UnknownFormat(ValueError):
    """No format of this name."""


class Order(NamedTuple):
    """How a body is to be read, and for whom."""

    format: str
    key: Key
    encoding: str = ""  # Content-Encoding
    account: str | None = None  # owns what names nobody; else the key's account
    protobuf: bool | None = None  # None: seen from the body
    amend: Amend | None = None  # what the request's headers add to the body


class Outcome(NamedTuple):
    """What became of a body's rows."""

    accepted: int  # now on disk: events, and records of calls that wait for others
    duplicates: int
    rejected: list[ItemError]  # at most MAX_ERRORS of them
    refused: int = 0  # all of them


class Ingestion:
    """The way in, shared by all routes of one process."""

    def __init__(self, settings: Settings, database: Database, content: ContentPolicy) -> None:
        self._settings = settings
        self._content = content
        free = settings.min_free_mb << 20
        self.disk = Disk(settings.data_dir, free if database.is_sqlite else 0)
        self.room = Room(settings.max_pending_mb << 20)
        self.spool = Spool(settings.data_dir / "spool", database, settings.spool_mb << 20, free)
        self.writer = Writer(database, settings.max_pending_mb << 20)
        self._parsers = Parsers(settings.parser_processes)

    def close(self) -> None:
        """Write what waits, then stop."""
        self._parsers.close()
        self.writer.close()
        self.spool.close()

    async def take(self, chunks: AsyncIterator[bytes], order: Order) -> Outcome:
        """Store a body's events. Raises UnknownFormat, Busy, and what ``parsing.parse`` raises."""
        if order.format != "auto" and order.format not in FORMATS:
            known = ", ".join(sorted(FORMATS))
            raise UnknownFormat(f"there is no format {order.format!r}: choose one of auto, {known}")
        self.disk.check()
        with self.room.share() as share:
            raw = await share.read(chunks, self._settings.max_body_mb << 20)
            hold = self._content.hold if self._content.is_needed else as_they_came
            parsed = await self._parsers.parse(raw, self._task(order), order.amend, hold)
            del raw
            bundle = parsed.bundle
            stored = await self._store(bundle) if bundle else Stored(0, [])
        rejected = [*parsed.rejected, *enumerate(stored.refused)]
        sent = len(bundle.events) + len(bundle.joined) + len(bundle.parts)
        duplicates = sent - stored.accepted - len(stored.refused)
        named = [ItemError(index=number, error=why) for number, why in rejected[:MAX_ERRORS]]
        outcome = Outcome(stored.accepted, duplicates, named, len(rejected))
        _count(order.format, outcome)
        return outcome

    def _task(self, order: Order) -> Task:
        now = datetime.now(UTC)
        settings = self._settings
        return Task(
            format=order.format,
            encoding=order.encoding,
            protobuf=order.protobuf,
            account=order.account or order.key.account_id,
            account_attributes=settings.attribute_names,
            sender=f"key:{order.key.name}",
            received=now,
            latest=now + timedelta(days=settings.max_ahead_days),
            join_seconds=settings.join_seconds,
            max_bytes=settings.max_body_mb << 20,
            max_events=settings.max_batch_events,
        )

    async def _store(self, bundle: Bundle) -> Stored:
        """Onto disk: into the database, or into a file where that takes nothing within a moment. Raises Busy."""
        try:
            if self.writer.stalled_seconds < ACK_SECONDS:
                return await _within(self.writer.submit(bundle), ACK_SECONDS)
            reason = "the database takes nothing at the moment"
        except Busy as error:
            reason = str(error)
        except TimeoutError:
            reason = f"the database took nothing for {ACK_SECONDS:.0f} s"
        try:
            await run_in_threadpool(self.spool.append, bundle)
        except NoRoom as error:
            raise Busy(f"{reason}, and neither does a file: {error}; try again") from error
        return Stored(len(bundle.events) + len(bundle.joined) + len(bundle.parts), [])


async def _within(future: Future[Stored], seconds: float) -> Stored:
    """A future's result; after the time it is cancelled or, if it is under way, left to itself. Raises TimeoutError."""
    waiting = asyncio.wrap_future(future)
    done, _ = await asyncio.wait({waiting}, timeout=seconds)
    if done:
        return waiting.result()
    if not future.cancel():
        waiting.add_done_callback(lambda f: f.cancelled() or f.exception())  # nobody waits for it any more
    raise TimeoutError


def _count(format: str, outcome: Outcome) -> None:
    counts = {"accepted": outcome.accepted, "duplicate": outcome.duplicates, "rejected": outcome.refused}
    for name, count in counts.items():
        if count:
            metrics.EVENTS.labels(format, name).inc(count)
