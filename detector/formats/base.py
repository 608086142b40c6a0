"""What formats share: their interface, errors in plain words, times, ids, numbers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from detector.event import MAX_COUNT, MAX_ID_CHARS, Event

MAX_TEXT_CHARS = 1024  # of a client's or model's name and the like; longer ones are cut
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)  # later times are errors of unit or clock

GIVEN = "given"  # the value of ``extra["identity"]`` where a record named no account itself
UNEXPECTED = "cannot be read, which is a fault of distillwatch; please report it:"

_MILLISECONDS = 1e11  # numbers from here on are milliseconds (1973 as milliseconds, the year 5138 as seconds) ...
_MICROSECONDS = 1e14  # ... microseconds ...
_NANOSECONDS = 1e17  # ... and nanoseconds since 1970


class RowError(ValueError):
    """One row cannot be read; the text says which field, what was found and what was expected.

    ``item`` is the place within the row, from 0, where a row holds many records.
    """

    def __init__(self, reason: str, item: int | None = None) -> None:
        super().__init__(reason)
        self.item = item


class FormatError(ValueError):
    """A whole file or body cannot be read; the text says what to do."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows themselves do not say."""

    account: str | None = None  # owns the events that name nobody
    sender: str | None = (
        None  # who sends the rows: owns those of a gateway that verified nobody, where no account is given
    )
    received: datetime | None = None  # time of the events that have none
    latest: datetime = LATEST  # events from then on are refused: their sender's clock or unit of time is wrong
    place: int | None = None  # of the row in its file or body, for formats whose rows may have no id and no time
    account_attributes: tuple[str, ...] = ()  # attributes that name the account, before all that a format knows of

    @property
    def owner(self) -> str | None:
        """The account of a gateway's events that name nobody."""
        return self.account or self.sender


NOTHING_GIVEN = Given()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one record tells of a call that others may still tell more of. Holds no more of it than an event would."""

    family: str  # formats that are joined with one another: their ``JOINED``
    group: str  # parts of one group belong together
    patient: bool  # makes no event by itself, so it can wait longer for those that do
    data: bytes


class Format(Protocol):
    """A log format: a module with these four names."""

    NAME: str
    DESCRIPTION: str

    def matches(self, row: dict[str, Any]) -> bool:
        """True where a JSON object has this format's shape."""

    def convert(self, row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
        """The events of a JSON object. Raises RowError."""


class Collector(Protocol):
    """Joins the records of one call that arrive in several rows, spans and log records for instance.

    A format that needs one has a function ``collector(given)``, which is then used instead of ``convert``. ``where`` is
    handed back with what a row led to.
    """

    given: Given  # of the rows that come next

    def add(self, row: dict[str, Any], where: Any) -> None:
        """Take a row. Raises RowError where it is of no use."""

    def take(self, keep: int = 0) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the oldest calls until ``keep`` records remain, each as an event or with the reason why it is none."""


class OpenCollector(Collector, Protocol):
    """A collector whose records may come in separate requests, and can be kept in between."""

    def whole(self) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the calls that nothing is missing from, and what is wrong with others; the rest stays."""

    def parts(self) -> Iterator[Part]:
        """Hand out all that is left, to be kept until the other records have come."""

    def restore(self, data: bytes) -> None:
        """Take a part's data back, in any order."""


def timestamp(value: Any, field: str = "timestamp") -> datetime:
    """A time in UTC from RFC 3339 text, or a number of seconds to nanoseconds since 1970, told apart by its size.

    Text without an offset is taken as UTC.
    """
    if value is None or value == "":
        raise RowError(f"{field}: missing; expected a time such as 2026-09-07T10:15:00Z")
    if isinstance(value, int | float) and not isinstance(value, bool):
        when = _from_number(value, field)
    elif isinstance(value, datetime):
        when = value
    elif isinstance(value, str):
        when = _from_text(value.strip(), field)
    else:
        raise RowError(f"{field}: found {kind(value)}, expected a time such as 2026-09-07T10:15:00Z")
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    if not EARLIEST <= when < LATEST:
        raise RowError(f"{field}: found {when.isoformat()}, expected a time between 1970 and 2100")
    return when.astimezone(UTC)


def _from_number(value: float, field: str) -> datetime:
    size = abs(value)
    try:
        for limit, unit in ((_NANOSECONDS, 1e9), (_MICROSECONDS, 1e6), (_MILLISECONDS, 1e3)):
            if size >= limit:
                value = value / unit
                break
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise RowError(f"{field}: found {shown(value)}, expected seconds or milliseconds since 1970") from error


def _from_text(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return msgspec.convert(text, datetime)  # leap seconds and the like
    except msgspec.ValidationError:
        pass
    if re.fullmatch(r"\d{1,20}(\.\d{1,9})?", text):
        return _from_number(float(text), field)
    raise RowError(f"{field}: found {shown(text)}, expected a time such as 2026-09-07T10:15:00Z")


def identifier(value: Any, field: str) -> str:
    """A required id as text: whole numbers are accepted, empty and overlong ones are not."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        value = str(value)
    if value is None or value == "":
        raise RowError(f"{field}: missing or empty, expected an id of 1 to {MAX_ID_CHARS} characters")
    if not isinstance(value, str):
        raise RowError(f"{field}: found {kind(value)}, expected text")
    if len(value) > MAX_ID_CHARS:
        raise RowError(f"{field}: found {len(value)} characters, expected at most {MAX_ID_CHARS}")
    return value


def fingerprint(*parts: Any) -> str:
    """Sixteen hex digits for values that together name one request.

    A row sent again has the same, so it replaces ids that the client chooses: with those, a client could repeat one id
    and have all its requests but the first taken for duplicates.
    """
    try:
        data = msgspec.json.encode(parts)
    except (TypeError, ValueError, OverflowError, RecursionError):
        data = repr(parts).encode(errors="replace")
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def text(value: Any, limit: int = MAX_TEXT_CHARS) -> str | None:
    """An optional short text, also from a number; None where it is empty or something else."""
    if type(value) is str:
        return value[:limit] or None
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, int | float):
        return shown(value)
    return value[:limit] if isinstance(value, str) else None


def key_id(value: Any) -> str | None:
    """The id of a credential, never the credential: what looks like a key itself is hashed (SHA-256, hex)."""
    found = text(value, MAX_ID_CHARS)
    if found and re.match(r"(?i)sk-|bearer ", found):
        return hashlib.sha256(found.encode(errors="replace")).hexdigest()
    return found


def integer(value: Any) -> int | None:
    """A whole number, also from text as some gateways write it; None for anything else or beyond 2**53."""
    if type(value) is int:
        return value if abs(value) <= MAX_COUNT else None
    found = number(value)
    return int(found) if found is not None and abs(found) <= MAX_COUNT else None


def count(value: Any) -> int | None:
    """A number of things: as ``integer``, and not negative."""
    found = integer(value)
    return found if found is not None and found >= 0 else None


def number(value: Any) -> float | None:
    """A finite number, also from text; None for anything else."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < 1e300 else None  # leaves out infinities and NaN, too


def flag(value: Any) -> bool | None:
    """True or false, also from text; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False, "1": True, "0": False}.get(value.lower()) if isinstance(value, str) else None


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value where it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def parsed(value: Any) -> Any:
    """JSON inside a text, as many gateways nest it; the value itself where it is none."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return value
    return value


def first(source: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first value of these names that is neither missing nor empty."""
    for name in names:
        value = source.get(name)
        if value is not None and value != "":
            return value
    return None


def kind(value: Any) -> str:
    """The JSON name of a value's type."""
    if value is None:
        return "null"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)


def shown(value: Any) -> str:
    """A value for an error message, cut to a readable length."""
    if isinstance(value, int) and abs(value) > MAX_COUNT:
        return "a huge number"
    whole = repr(value)
    return whole if len(whole) <= 60 else f"{whole[:57]}..."


_EXPECTED = re.compile(r"(?s)^(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$")
_NAMES = {
    "`str | array | null`": "text or an array of parts",
    "`object`": "an object",
    "`array`": "an array",
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`null`": "null",
    "`bool`": "true or false",
}


def explain(error: Exception) -> str:
    """A decoder's complaint in plain words: which field, what was expected, what was found."""
    if isinstance(error, RecursionError):
        return "nested too deeply, expected at most a few hundred levels"
    if isinstance(error, UnicodeError):
        return "holds bytes that are not UTF-8"
    match = _EXPECTED.match(str(error))
    if match is None or not isinstance(error, msgspec.ValidationError):
        return f"no JSON: {str(error).removeprefix('JSON is malformed: ')}"
    what = match["what"]
    for name, plain in _NAMES.items():
        what = what.replace(name, plain)
    what = what.replace(", got ", ", found ").replace("`", "").replace(" | ", " or ")
    return f"{match['where'] or 'row'}: {what[:1].lower()}{what[1:]}"


def late(when: datetime, given: Given) -> RowError:
    """Why an event of the far future is refused."""
    return RowError(
        f"timestamp: found {when.isoformat()}, expected a time before {given.latest:%Y-%m-%d}: is the sender's clock wrong, "
        "or the unit of its times?"
    )


def unexpected(error: Exception) -> RowError:
    """An error that no reader foresaw: it costs one row, and says so."""
    return RowError(f"row: {UNEXPECTED} {type(error).__name__}: {str(error)[:200]}")


def named_owner(source: Mapping[str, Any], given: Given) -> Any:
    """The account that a configured attribute names, if any."""
    return first(source, given.account_attributes) if given.account_attributes else None


def alone(collector: Collector, row: dict[str, Any]) -> list[Event]:
    """The events of a row that has no counterpart. Raises RowError for the first that is none."""
    collector.add(row, 0)
    events = []
    for _, found in collector.take():
        if isinstance(found, RowError):
            raise found
        events.append(found)
    return events
