"""What formats share: errors in plain words, times, ids."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

MAX_ID_CHARS = 256  # longer than any known id; bounds what an index must hold


class RowError(ValueError):
    """One row cannot be read; the text says which field and why."""


class FormatError(ValueError):
    """A whole file or body cannot be read; the text says what to do."""


def timestamp(value: Any, field: str = "timestamp") -> datetime:
    """A time in UTC from RFC 3339 text or epoch seconds or milliseconds; text without an offset is taken as UTC."""
    if isinstance(value, bool) or value is None:
        raise RowError(f"{field}: missing; give RFC 3339 text such as 2026-09-07T10:15:00Z")
    if isinstance(value, int | float):
        seconds = value / 1000 if abs(value) > 1e11 else float(value)
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise RowError(f"{field}: {value!r} is no time since 1970 in seconds or milliseconds") from error
    if not isinstance(value, str):
        raise RowError(f"{field}: expected text, found {type(value).__name__}")
    try:
        when = datetime.fromisoformat(value.strip())
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RowError(f"{field}: {value[:60]!r} is no RFC 3339 time such as 2026-09-07T10:15:00Z") from error


def identifier(value: Any, field: str, *, required: bool = True) -> str | None:
    """An id as text: numbers are accepted, empty and overlong ones are not."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        if required:
            raise RowError(f"{field}: missing or empty")
        return None
    if not isinstance(value, str):
        raise RowError(f"{field}: expected text, found {type(value).__name__}")
    if len(value) > MAX_ID_CHARS:
        if required:
            raise RowError(f"{field}: {len(value)} characters long, at most {MAX_ID_CHARS} are accepted")
        return value[:MAX_ID_CHARS]
    return value


def integer(value: Any) -> int | None:
    """A count, also from text as some gateways write it; None for anything else."""
    if isinstance(value, bool):
        return int(value)
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 2**53 else None
