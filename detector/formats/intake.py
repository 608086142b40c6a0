"""Rows into events: the one way in for files and HTTP bodies, fast where rows are good and exact where they are bad."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

import msgspec

from detector.event import Event
from detector.formats import canonical, litellm
from detector.formats.base import (
    Collector,
    Format,
    FormatError,
    Given,
    OpenCollector,
    Part,
    RowError,
    explain,
    kind,
    late,
    unexpected,
)
from detector.formats.redaction import redact
from detector.formats.registry import AUTO, FORMATS, format_of

MAX_PENDING = 20_000  # records that wait for their counterpart before the oldest are taken as they are
MAX_VALUES = 4_000_000  # of a body in JSON: each takes a hundred bytes of memory or more, whatever it takes on the wire
BROKEN = (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError)

_ANY = msgspec.json.Decoder()


class _Decoders(NamedTuple):
    row: msgspec.json.Decoder[Any]
    rows: msgspec.json.Decoder[Any]


def _decoders(row: Any) -> _Decoders:
    return _Decoders(msgspec.json.Decoder(row), msgspec.json.Decoder(list[row]))


_EVENT = _decoders(Event)  # leaves unknown fields out
_COMPLETE_EVENT = _decoders(canonical.Complete)
_PAYLOAD = _decoders(litellm.Payload)
_ID = msgspec.json.Decoder(canonical.Named)
_LITELLM_MARK = b'"litellm_call_id"'  # among a row's first fields

_NOT_A_NUMBER = re.compile(rb"[:\[,]\s*-?(?:NaN|Infinity)\b")
# An escaped backslash, a whole pair of surrogates, or half of one
_ESCAPES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class TooMany(FormatError):
    """More than allowed in one body."""


class Intake:
    """Collects events and rejections; ``where`` is whatever the caller wants to find a row again by."""

    def __init__(
        self,
        format: str,
        given: Given,
        keep_extra: bool,
        max_bytes: int,
        max_rows: int | None = None,
        only: Collection[str] | None = None,
    ) -> None:
        """``only``: ids of the events that are wanted; others may be left out, which is faster where the format allows it."""
        self.events: list[Event] = []
        self.rejected: list[tuple[Any, str]] = []
        self.joined: list[Event] = []  # events that other requests may tell more of; filled by ``finish``
        self.parts: list[Part] = []
        self._format = format
        self.given = given  # of the rows that come next
        self._keep_extra = keep_extra
        self._max_bytes = max_bytes
        self._max_rows = max_rows
        self._only = only
        self._likely = canonical.NAME if format == AUTO else format
        self._collectors: dict[str, Collector] = {}

    def lines(self, block: bytes, where: Callable[[int], Any]) -> None:
        """Take a block of whole lines; ``where`` names a line by its number in the block, from 0."""
        if self.good_lines(block):
            return
        for number, line in enumerate(block.split(b"\n")):
            self.line(line, where(number))

    def good_lines(self, block: bytes) -> bool:
        """Take a block of whole lines where all of them are good; False, with nothing taken, where one is not."""
        self._look(block)
        if len(block) > self._max_bytes:
            return False
        if self._only is None or self._likely != canonical.NAME:
            return self._fast(lambda decoders: decoders.row.decode_lines(block))
        wanted = _named(block, self._only)
        return wanted is not None and self._fast(lambda decoders: [decoders.row.decode(line) for line in wanted])

    def array(self, text: bytes, where: Callable[[int], Any]) -> bool:
        """Take a JSON array; False, with nothing taken, where it is no JSON as a whole."""
        self._look(text)
        if self._fast(lambda decoders: decoders.rows.decode(text)):
            return True
        try:
            rows = _ANY.decode(text)
        except BROKEN:
            return False
        self.check(len(rows))
        for number, row in enumerate(rows):
            self.row(row, where(number))
        return True

    def check(self, rows: int) -> None:
        """Raise TooMany where a body has more rows than allowed; they need not be read to know."""
        if self._max_rows is not None and rows > self._max_rows:
            raise TooMany(f"{rows} events in one body, at most {self._max_rows} are accepted: send smaller batches")

    def line(self, line: bytes, where: Any) -> None:
        """Take one line: a row, or an array of rows; blank ones count for nothing."""
        if len(line) > self._max_bytes:
            self.too_long(where)
            return
        line = line.strip(b"\xef\xbb\xbf \t\r\n")
        if not line or self._fast(lambda decoders: [decoders.row.decode(line)]):
            return
        try:
            row = _decode(line)
        except BROKEN as error:
            self.rejected.append((where, _why(line, error)))
            return
        items = row if isinstance(row, list) else [row]
        self.check(len(items))
        for item in items:
            self.row(item, where)

    def row(self, row: Any, where: Any) -> None:
        """Take one decoded row."""
        try:
            if not isinstance(row, dict):
                raise RowError(f"row: found {kind(row)}, expected an object")
            module = format_of(row) if self._format == AUTO else FORMATS[self._format]
            self._likely = module.NAME
            self._convert(module, row, where)
        except RowError as error:
            self._reject(where, error)
        except BROKEN as error:
            self.rejected.append((where, explain(error)))
        except Exception as error:  # one row that nobody foresaw must not cost all the others
            self._reject(where, unexpected(error))

    def binary(self, body: bytes, where: Any, guess: str = "") -> bool:
        """Take a body that is no text; False where the format has none such. Raises FormatError."""
        module = FORMATS.get(guess if self._format == AUTO else self._format)
        if module is None or not hasattr(module, "add_binary"):
            return False
        module.add_binary(self._collector(module), body, where)
        self._collect(MAX_PENDING)
        return True

    def too_long(self, where: Any) -> None:
        """Report a row that is beyond the limit."""
        self.rejected.append((where, f"row: longer than {self._max_bytes:,} bytes, the limit for one row"))

    def finish(self, hold: bool = False) -> None:
        """Take what still waits for a counterpart as it is; with ``hold``, only calls of which nothing can be missing.

        The others are left in ``parts``, and events of formats whose records come in several requests are in ``joined``.
        """
        for collector in self._collectors.values():
            if hold and hasattr(collector, "parts"):
                open_ones: OpenCollector = collector  # type: ignore[assignment]
                before, self.events = self.events, []
                self._collected(open_ones.whole())
                self.joined, self.events = self.joined + self.events, before
                self.parts += open_ones.parts()
            else:
                self._collected(collector.take())

    def _look(self, text: bytes) -> None:
        if self._format == AUTO and _LITELLM_MARK in text[:4096]:
            self._likely = litellm.NAME

    def _convert(self, module: Format, row: dict[str, Any], where: Any) -> None:
        if not hasattr(module, "collector"):
            given = self.given
            if getattr(module, "PLACED", False):
                given = msgspec.structs.replace(given, place=where if isinstance(where, int) else where[1])
            self._keep(module.convert(row, given), where)
            return
        self._collector(module).add(row, where)
        self._collect(MAX_PENDING)

    def _collector(self, module: Format) -> Any:
        name = getattr(module, "JOINED", module.NAME)
        collector = self._collectors.get(name)
        if collector is None:
            collector = self._collectors[name] = module.collector(self.given)  # type: ignore[attr-defined]
        collector.given = self.given
        return collector

    def _collect(self, keep: int) -> None:
        for collector in self._collectors.values():
            self._collected(collector.take(keep))

    def _collected(self, items: Iterable[tuple[Any, Event | RowError]]) -> None:
        for where, found in items:
            if isinstance(found, RowError):
                self._reject(where, found)
            else:
                self._keep([found], where)

    def _reject(self, where: Any, error: RowError) -> None:
        """Note a rejection; items within a row are counted where the caller counts by number, else told in words."""
        if error.item is None:
            self.rejected.append((where, str(error)))
        elif isinstance(where, int):
            self.rejected.append((error.item, str(error)))
        else:
            self.rejected.append((where, f"item {error.item}: {error}"))

    def _keep(self, events: list[Event], where: Any) -> None:
        for event in events:
            if event.timestamp >= self.given.latest:
                self._reject(where, late(event.timestamp, self.given))
                continue
            if event.extra:
                event.extra = redact(event.extra) if self._keep_extra else {}
            self.events.append(event)

    def _fast(self, decode: Callable[[_Decoders], list[Any]]) -> bool:
        """Take rows straight from typed decoding; False, with nothing taken, where one of them needs a closer look."""
        try:
            if self._likely == canonical.NAME:
                found = decode(_COMPLETE_EVENT if self._keep_extra else _EVENT)
                if not canonical.settle(found, self._keep_extra, self.given.latest):
                    return False
            elif self._likely == litellm.NAME:
                payloads = decode(_PAYLOAD)
                if self._format == AUTO and any(p.litellm_call_id is None for p in payloads):
                    return False
                found = [litellm.from_payload(p, self.given) for p in payloads]
                if any(event.timestamp >= self.given.latest for event in found):
                    return False
            else:
                return False
        except Exception:  # whatever is wrong is found again, and told, row by row
            return False
        self.events += found
        return True


def _named(block: bytes, ids: Collection[str]) -> list[bytes] | None:
    """The lines of events with these ids; None where not all lines are such events."""
    try:
        found = [row.event_id in ids for row in _ID.decode_lines(block)]
    except BROKEN:
        return None
    if not any(found):
        return []
    lines = [line for line in block.split(b"\n") if line.strip()]
    return [line for line, mine in zip(lines, found, strict=True) if mine] if len(lines) == len(found) else None


def _decode(line: bytes) -> Any:
    """A row, if need be without bytes that are no UTF-8 and escapes that are no character: U+FFFD stands for them.

    Such text comes from a client, who could else hide a request from the log by it.
    """
    try:
        return _ANY.decode(line)
    except (msgspec.DecodeError, UnicodeError) as error:
        repaired = line.decode(errors="replace").encode()
        repaired = _ESCAPES.sub(lambda m: m[1] or b"\\ufffd", repaired)
        if repaired == line:
            raise error
        return _ANY.decode(repaired)


def _why(line: bytes, error: Exception) -> str:
    if _NOT_A_NUMBER.search(line):
        return "no JSON: holds NaN or Infinity, expected a number or null"
    return explain(error)
