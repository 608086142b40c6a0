"""What one span or log record adds to a call. The rest of it (headers, settings, whatever instrumentations write) is let go
at once, so that nothing of it is ever kept while a call waits for its other records."""

from __future__ import annotations

from datetime import UTC, datetime
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from detector.formats.base import LATEST, Given, key_id, late, timestamp
from detector.formats.otlp import identity
from detector.formats.otlp.content import Attributes, OfNames, Said, fill
from detector.formats.otlp.dialects import DIALECTS, genai
from detector.formats.otlp.wire import Record

ANSWER = "gen_ai.response.id"
LEVEL = "langfuse.observation.level"
STATUS = ("http.response.status_code", "response_code")
ERROR_TYPE = "error.type"

_KEPT = frozenset({*identity.NAMES, *STATUS, ANSWER, LEVEL, ERROR_TYPE})
_TELLING = ("gen_ai.", "llm.")  # a span's attributes that may tell of a call that only its log records show
_NOTHING = Said()
_SURELY_NANOSECONDS = 10**18  # since 1970, the year 2001; smaller ones may be meant otherwise
_YEAR_2100 = int(LATEST.timestamp()) * 10**9


class Fragment(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One span's or log record's share in a call, or what a span around a call says of who made it."""

    trace: str = ""  # hex; empty where there is none
    span: str = ""
    parent: str = ""
    start: int = 0  # nanoseconds since 1970
    end: int = 0
    failed: bool = False
    is_log: bool = False
    is_call: bool = False
    said: Said | None = None
    turns: list[Record] = []  # records and span events that are turns of the conversation
    names: Attributes = {}  # who made the call, from where, and how it ended
    resource: Attributes = {}  # of the process: whose it is

    @property
    def weight(self) -> int:
        """How much it tells: of a span that is sent twice, the fuller one counts."""
        return len(self.names) + len(self.turns) + (self.said is not None)


class _Shape(NamedTuple):
    """What the names of a record's attributes decide."""

    dialects: tuple[ModuleType, ...]  # that may have something to say
    is_telling: bool
    kept: tuple[str, ...]  # of _KEPT


_shape = OfNames(
    lambda names: _Shape(
        tuple(dialect for dialect in DIALECTS if dialect.knows(names)),
        any(name.startswith(_TELLING) for name in names),
        tuple(name for name in names if name in _KEPT),
    )
)


def time_of(nanoseconds: int, given: Given) -> datetime:
    """When a call began. Raises RowError for an impossible time."""
    if _SURELY_NANOSECONDS <= nanoseconds < _YEAR_2100:
        when = datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    else:
        when = timestamp(nanoseconds or None, "startTimeUnixNano")
    if when >= given.latest:
        raise late(when, given)
    return when


def distil(record: Record, given: Given) -> Fragment | None:
    """A record's fragment; None for a log record that tells of no call. Raises RowError for a call at an impossible time."""
    turns = [r for r in ((record,) if record.is_log else record.events) if genai.is_part(r)]
    shape = _shape(record.attributes)
    call = bool(turns)
    for dialect in shape.dialects if not turns else ():
        call = call or dialect.is_call(record.attributes)
    if record.is_log and not call:
        return None
    if call and record.start:
        time_of(record.start, given)
    return Fragment(
        trace=record.trace,
        span=record.span,
        parent=record.parent,
        start=record.start,
        end=record.end,
        failed=record.failed,
        is_log=record.is_log,
        is_call=call,
        said=_said(record.attributes, shape) if call or shape.is_telling else None,
        turns=[_turn(r) for r in turns],
        names=_named(record.attributes, shape, given),
        resource=_named(record.resource, _shape(record.resource), given) if record.resource else {},
    )


def _said(attributes: Attributes, shape: _Shape) -> Said | None:
    said: Said | None = None
    for dialect in shape.dialects:
        heard = dialect.read(attributes)
        if heard is not None:
            said = heard if said is None else fill(said, heard)
    return None if said == _NOTHING else said


def _turn(record: Record) -> Record:
    return Record(name=record.name, start=record.start, attributes=record.attributes, body=record.body)


def _named(attributes: Attributes, shape: _Shape, given: Given) -> Attributes:
    found: Attributes = {}
    for name in shape.kept:
        if isinstance(value := attributes[name], str | int | float):
            found[name] = _hashed(value) if name in identity.CREDENTIALS else value
    for name in given.account_attributes:
        if name in attributes:
            found[name] = attributes[name]
    return found


def _hashed(value: Any) -> Any:
    """The id of a key in the place of the key, if it is one."""
    return (key_id(value) or value) if isinstance(value, str) else value
