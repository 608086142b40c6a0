"""HTTP bodies into events: an array, one object or NDJSON, told apart by content, as clients mislabel it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from detector.event import Event
from detector.formats.base import LATEST, FormatError, Given, Part, explain
from detector.formats.intake import BROKEN, MAX_VALUES, Intake, TooMany
from detector.formats.items import split
from detector.formats.registry import AUTO, check

MAX_ITEM_BYTES = 64 << 20  # of one row; the body itself is bounded by whoever reads it


class ItemRejected(msgspec.Struct):
    """An item of a body that could not be read; ``index`` counts the body's items from 0."""

    index: int
    error: str


class ParsedBody(msgspec.Struct):
    """The events of a body and what was wrong with the others."""

    events: list[Event]
    rejected: list[ItemRejected]
    joined: list[
        Event
    ] = []  # with ``hold``: events that other requests may tell more of, to be merged by :func:`merge`
    parts: list[Part] = []  # with ``hold``: what has to wait for other requests, to be given to :func:`join`


def parse_body(
    body: bytes,
    format: str = AUTO,
    account: str | None = None,
    *,
    received: datetime | None = None,
    account_attributes: Sequence[str] = (),
    keep_extra: bool = True,
    sender: str | None = None,
    latest: datetime = LATEST,
    protobuf: bool | None = None,
    hold: bool = False,
    max_rows: int | None = None,
) -> ParsedBody:
    """Events of a body. ``account`` owns those that name nobody, ``received`` is the time of those that have none.

    Unknown fields are kept in ``extra``, without secrets. ``account_attributes`` are names of attributes that hold the
    verified account, for formats in which operators choose the names (OpenTelemetry, Envoy, Langfuse, Helicone, Portkey).
    ``sender`` owns what gateways that verified nobody send, where there is no ``account``. Events from ``latest`` on are
    refused. ``protobuf`` says what the body is, where that is known; else it is seen from the body.

    A span and its log records come in separate requests. With ``hold``, only calls of which nothing can be missing are
    handed out as events; the others are left as ``parts`` for the caller to keep until the rest has come.

    Raises TooMany for more than ``max_rows`` rows, or more values than fit into a memory, FormatError where nothing of the
    body can be read, or for an unknown format.
    """
    check(format)
    given = Given(
        account=account,
        sender=sender,
        received=received,
        latest=latest,
        account_attributes=tuple(account_attributes),
    )
    intake = Intake(format, given, keep_extra, MAX_ITEM_BYTES, max_rows)
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n").rstrip()
    if protobuf is None:
        protobuf = text[:1] not in (b"{", b"[")
        if protobuf and intake.binary(body, 0):
            return _parsed(intake, hold)
    elif protobuf:
        if not intake.binary(body, 0):
            raise FormatError(f"the body is protobuf, which the format {format!r} is not: choose an otlp format")
        return _parsed(intake, hold)
    values = sum(map(text.count, (b"{", b"[", b",", b"\n"))) if len(text) > MAX_VALUES else 0
    if values > MAX_VALUES:
        raise TooMany(f"about {values:,} values in one body, at most {MAX_VALUES:,} are accepted: send smaller batches")
    if not text:
        raise FormatError("the body is empty: send a JSON array of events, one event, or one event a line")
    if text[:1] == b"[":
        if not intake.array(text, int):
            _items(text, intake)
    else:
        _lines(text, intake)
    return _parsed(intake, hold)


def _parsed(intake: Intake, hold: bool) -> ParsedBody:
    intake.finish(hold)
    rejected = [ItemRejected(index, error) for index, error in intake.rejected]
    return ParsedBody(intake.events, sorted(rejected, key=lambda r: r.index), intake.joined, intake.parts)


def _items(text: bytes, intake: Intake) -> None:
    """Each item of an array that is no JSON as a whole: the good ones are taken."""
    readable = False
    for index, item in enumerate(split([text], MAX_ITEM_BYTES)):
        intake.check(index + 1)
        before = len(intake.rejected)
        if item is None:
            intake.too_long(index)
        else:
            intake.line(item, index)
        readable = readable or len(intake.rejected) == before or not intake.rejected[-1][1].startswith("no JSON")
    if not readable:
        raise FormatError(f"the body starts like a JSON array and is none: {_complaint(text)}")


def _lines(text: bytes, intake: Intake) -> None:
    """Rows a line, or one object over several lines."""
    if intake.good_lines(text):
        return
    lines = [line for line in text.split(b"\n") if line.strip()]
    if len(lines) > 1:
        try:
            intake.row(msgspec.json.decode(text, type=dict), 0)
            return
        except BROKEN:
            pass
    intake.check(len(lines))
    for index, line in enumerate(lines):
        intake.line(line, index)
    if intake.rejected and not intake.events and all(reason.startswith("no JSON") for _, reason in intake.rejected):
        raise FormatError(
            f"the body is no JSON: {_complaint(lines[0])}; send an array, an object, or one object a line"
        )


def _complaint(text: bytes) -> str:
    try:
        msgspec.json.decode(text)
    except BROKEN as error:
        return explain(error).removeprefix("no JSON: ")
    return "no row of it can be read"
