"""A body of any known format into rows for the database. Nothing here waits, stores or knows of a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from api.services import bodies
from api.services.storing import Bundle, FeatureRow
from api.storage import events, parts
from detector.event import Event
from detector.formats import FormatError, ParsedBody, parse_body
from detector.formats import TooMany as TooManyRows
from detector.formats.base import UNEXPECTED

PATIENCE = timedelta(minutes=10)  # how long spans wait that are no calls, and generations that have not ended

Amend = Callable[[bytes], bytes]
Hold = Callable[[Sequence[Event]], tuple[Sequence[Event], list[FeatureRow]]]

log = structlog.get_logger()


class BadBody(ValueError):
    """The body as a whole cannot be read."""


class TooMany(ValueError):
    """More events in a body than allowed."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """How a body is to be read, for whom, and what is allowed."""

    format: str
    encoding: str = ""  # Content-Encoding
    protobuf: bool | None = None  # None: seen from the body
    account: str | None = None  # owns what names nobody
    sender: str  # owns it where there is no account
    account_attributes: tuple[str, ...] = ()
    received: datetime
    latest: datetime  # events dated from then on are refused
    join_seconds: float
    max_bytes: int  # of the body, after decompression
    max_events: int


class Parsed(msgspec.Struct):
    """What is to be stored of a body, and the places and reasons of what is refused."""

    bundle: Bundle
    rejected: list[tuple[int, str]]


def as_they_came(found: Sequence[Event]) -> tuple[Sequence[Event], list[FeatureRow]]:
    """Events whose texts are kept."""
    return found, []


def parse(raw: bytes, task: Task, amend: Amend | None = None, hold: Hold = as_they_came) -> Parsed:
    """The rows of a body. ``amend`` adds to the body what the request's headers tell, ``hold`` says what is kept of texts.

    Raises BadBody, TooMany, bodies.TooLarge.
    """
    try:
        body = bodies.decode(raw, task.encoding, task.max_bytes)
        if not task.protobuf:
            body = bodies.readable(body)
        if amend:
            body = amend(body)
        found = parse_body(
            body,
            task.format,
            task.account,
            received=task.received,
            account_attributes=task.account_attributes,
            sender=task.sender,
            latest=task.latest,
            protobuf=task.protobuf,
            hold=True,
            max_rows=task.max_events,
        )
    except TooManyRows as error:
        raise TooMany(str(error)) from error
    except (FormatError, bodies.Undecodable) as error:
        raise BadBody(str(error)) from error
    except bodies.TooLarge:
        raise
    except Exception as error:  # whatever it is, the next attempt would end alike
        log.exception("a body cannot be read", format=task.format)
        raise BadBody(f"the body {UNEXPECTED} {type(error).__name__}") from error
    return _rows(found, task, hold)


def _rows(found: ParsedBody, task: Task, hold: Hold) -> Parsed:
    rejected = [(r.index, r.error) for r in found.rejected]
    count = len(found.events) + len(found.joined) + len(found.parts) + len(rejected)
    if count > task.max_events:
        raise TooMany(f"{count} events in one body, at most {task.max_events} are accepted: send smaller batches")
    bundle = Bundle()
    for some, rows in ((found.events, bundle.events), (found.joined, bundle.joined)):
        kept, features = hold(some)
        bundle.features += features
        for number, event in enumerate(kept):
            try:
                rows.append(events.to_row(event, task.received))
            except Exception as error:  # one row that nobody foresaw must not cost all the others
                log.exception("an event cannot be written")
                rejected.append((number, f"row: {UNEXPECTED} {type(error).__name__}"))
    wait = timedelta(seconds=task.join_seconds)
    for part in found.parts:
        due = task.received + (max(wait, PATIENCE) if part.patient else wait)
        bundle.parts.append(parts.to_row(part, due, task.account, task.sender, task.received))
    return Parsed(bundle, rejected)
