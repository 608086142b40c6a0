"""Ingestion: a body of any known format into the event log, row by row, durable before the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from starlette.concurrency import run_in_threadpool

from api.schemas.ingest import ItemError
from api.services import bodies, metrics
from api.services.content import ContentPolicy
from api.services.disk import Disk
from api.services.intake import Room
from api.services.spool import NoRoom, Spool
from api.services.storing import Bundle, Stored
from api.services.writer import Busy, Writer
from api.settings import Settings
from api.storage import events, parts
from api.storage.engine import Database
from api.storage.keys import Key
from detector.formats import FORMATS, FormatError, ParsedBody, parse_body
from detector.formats import TooMany as TooManyRows
from detector.formats.base import UNEXPECTED

ACK_SECONDS = 2.0  # a gateway's hook gives up after 3; what the database has not taken by then goes into a file
INLINE_BYTES = 32_768  # a smaller body is parsed at once; handing it to a thread would cost more
PARSERS = 2  # larger bodies worked on at once: more would need more memory and, in one process, save no time
MAX_ERRORS = 1000  # errors listed one by one; a broken sender needs no more
PATIENCE = timedelta(minutes=10)  # how long spans wait that are no calls, and generations that have not ended

Amend = Callable[[bytes], bytes]

log = structlog.get_logger()


class UnknownFormat(ValueError):
    """No format of this name."""


class BadBody(ValueError):
    """The body as a whole cannot be read."""


class TooMany(ValueError):
    """More events in a body than allowed."""


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
        self._parsers = ThreadPoolExecutor(PARSERS, "parser")

    def close(self) -> None:
        """Write what waits, then stop."""
        self._parsers.shutdown()
        self.writer.close()
        self.spool.close()

    async def take(self, chunks: AsyncIterator[bytes], order: Order) -> Outcome:
        """Store a body's events. Raises UnknownFormat, BadBody, TooMany, bodies.TooLarge, writer.Busy."""
        if order.format != "auto" and order.format not in FORMATS:
            known = ", ".join(sorted(FORMATS))
            raise UnknownFormat(f"there is no format {order.format!r}: choose one of auto, {known}")
        self.disk.check()
        with self.room.share() as share:
            raw = await share.read(chunks, self._settings.max_body_mb << 20)
            if len(raw) <= INLINE_BYTES and not order.encoding and not self._content.is_needed:
                bundle, rejected = self._parse(raw, order)
            else:
                bundle, rejected = await self._in_thread(raw, order)
            del raw
            stored = await self._store(bundle) if bundle else Stored(0, [])
        rejected += [ItemError(index=number, error=why) for number, why in enumerate(stored.refused)]
        sent = len(bundle.events) + len(bundle.joined) + len(bundle.parts)
        duplicates = sent - stored.accepted - len(stored.refused)
        outcome = Outcome(stored.accepted, duplicates, rejected[:MAX_ERRORS], len(rejected))
        _count(order.format, outcome)
        return outcome

    async def _in_thread(self, raw: bytes, order: Order) -> tuple[Bundle, list[ItemError]]:
        try:
            parsing = self._parsers.submit(self._parse, raw, order)
        except RuntimeError as error:
            raise Busy("the service is stopping") from error
        return await asyncio.wrap_future(parsing)

    def _parse(self, raw: bytes, order: Order) -> tuple[Bundle, list[ItemError]]:
        now = datetime.now(UTC)
        settings = self._settings
        account = order.account or order.key.account_id
        sender = f"key:{order.key.name}"
        try:
            body = bodies.decode(raw, order.encoding, settings.max_body_mb << 20)
            if not order.protobuf:
                body = bodies.readable(body)
            if order.amend:
                body = order.amend(body)
            parsed = parse_body(
                body,
                order.format,
                account,
                received=now,
                account_attributes=settings.attribute_names,
                sender=sender,
                latest=now + timedelta(days=settings.max_ahead_days),
                protobuf=order.protobuf,
                hold=True,
                max_rows=settings.max_batch_events,
            )
        except TooManyRows as error:
            raise TooMany(str(error)) from error
        except (FormatError, bodies.Undecodable) as error:
            raise BadBody(str(error)) from error
        except bodies.TooLarge:
            raise
        except Exception as error:  # whatever it is, the next attempt would end alike
            log.exception("a body cannot be read", format=order.format)
            raise BadBody(f"the body {UNEXPECTED} {type(error).__name__}") from error
        return self._rows(parsed, account, sender, now)

    def _rows(
        self, parsed: ParsedBody, account: str | None, sender: str, now: datetime
    ) -> tuple[Bundle, list[ItemError]]:
        rejected = [ItemError(index=r.index, error=r.error) for r in parsed.rejected]
        count = len(parsed.events) + len(parsed.joined) + len(parsed.parts) + len(rejected)
        most = self._settings.max_batch_events
        if count > most:
            raise TooMany(f"{count} events in one body, at most {most} are accepted: send smaller batches")
        bundle = Bundle()
        for found, rows in ((parsed.events, bundle.events), (parsed.joined, bundle.joined)):
            kept = self._content.hold(found)
            bundle.features += kept.features
            for number, event in enumerate(kept.events):
                try:
                    rows.append(events.to_row(event, now))
                except Exception as error:  # one row that nobody foresaw must not cost all the others
                    log.exception("an event cannot be written")
                    rejected.append(ItemError(index=number, error=f"row: {UNEXPECTED} {type(error).__name__}"))
        wait = timedelta(seconds=self._settings.join_seconds)
        for part in parsed.parts:
            due = now + (max(wait, PATIENCE) if part.patient else wait)
            bundle.parts.append(parts.to_row(part, due, account, sender, now))
        return bundle, rejected

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
