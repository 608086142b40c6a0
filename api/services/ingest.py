"""Ingestion: a body of any known format into the event log, row by row, durable before the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool

from api.schemas import IngestResult, ItemError
from api.services import bodies, metrics
from api.services.writer import Writer
from api.settings import Settings
from api.storage import events
from detector.formats import FORMATS, FormatError, parse_body

INLINE_BYTES = 32_768  # a smaller body is parsed at once; handing it to a thread would cost more
MAX_ERRORS = 1000  # errors listed one by one; a broken sender needs no more


class UnknownFormat(ValueError):
    """No format of this name."""


class BadBody(ValueError):
    """The body as a whole cannot be read."""


class TooMany(ValueError):
    """More events in a body than allowed."""


async def ingest(
    writer: Writer, settings: Settings, format: str, chunks: AsyncIterator[bytes], encoding: str
) -> IngestResult:
    """Store a body's events. Raises UnknownFormat, BadBody, TooMany, bodies.TooLarge, writer.Busy."""
    if format != "auto" and format not in FORMATS:
        raise UnknownFormat(f"there is no format {format!r}: choose one of auto, {', '.join(sorted(FORMATS))}")
    raw = await bodies.read(chunks, settings.max_body_mb << 20)
    if len(raw) <= INLINE_BYTES and not encoding:
        rows, rejected = _parse(raw, encoding, format, settings)
    else:
        rows, rejected = await run_in_threadpool(_parse, raw, encoding, format, settings)
    accepted = await asyncio.wrap_future(writer.submit(rows)) if rows else 0
    duplicates = len(rows) - accepted
    for outcome, count in (("accepted", accepted), ("duplicate", duplicates), ("rejected", len(rejected))):
        if count:
            metrics.EVENTS.labels(format, outcome).inc(count)
    return IngestResult(accepted=accepted, duplicates=duplicates, rejected=rejected[:MAX_ERRORS])


def _parse(raw: bytes, encoding: str, format: str, settings: Settings) -> tuple[Sequence[events.Row], list[ItemError]]:
    try:
        body = bodies.readable(bodies.decode(raw, encoding, settings.max_body_mb << 20))
        parsed = parse_body(body, format)
    except (FormatError, bodies.Undecodable) as error:
        raise BadBody(str(error)) from error
    count = len(parsed.events) + len(parsed.rejected)
    if count > settings.max_batch_events:
        raise TooMany(
            f"{count} events in one body, at most {settings.max_batch_events} are accepted: send smaller batches"
        )
    now = datetime.now(UTC)
    rows = [events.to_row(event, now) for event in parsed.events]
    return rows, [ItemError(index=r.index, error=r.error) for r in parsed.rejected]
