"""Which files must be read together: spans and log records of one call, requests and answers of a batch may lie in several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from detector.formats import compression
from detector.formats.base import RowError
from detector.formats.items import split
from detector.formats.registry import AUTO, FORMATS, format_of

MAX_ROW_BYTES = 16 << 20  # of the first row, by which a file is known
_BLANK = b"\xef\xbb\xbf \t\r\n"


def groups(files: Sequence[Path], format: str = AUTO) -> list[list[Path]]:
    """The files, those whose records are joined with one another as one group, all others alone."""
    found: dict[Any, list[Path]] = {}
    for file in files:
        found.setdefault(_family(file, format) or file, []).append(file)
    return list(found.values())


def _family(file: Path, format: str) -> str | None:
    """The name under which a file's records are joined with those of others; None where they are not."""
    if ".pb" in file.suffixes:
        return "otlp"
    if file.suffix.lower() == ".parquet":
        return None
    try:
        module = FORMATS[format] if format != AUTO else format_of(_first_row(file))
    except (RowError, OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None  # reading it says what is wrong with it
    return getattr(module, "JOINED", module.NAME) if hasattr(module, "collector") else None


def _first_row(file: Path) -> dict[str, Any]:
    """The first object of a file. Raises RowError, OSError or an error of the decoder."""
    held = b""
    with file.open("rb") as raw:
        try:
            for piece in compression.pieces(raw, file.suffix.lower()):
                held += piece
                if b"\n" in held.lstrip(_BLANK) or len(held) > MAX_ROW_BYTES:
                    break
        except compression.Broken as error:
            raise RowError(str(error)) from error
    line = held.lstrip(_BLANK).partition(b"\n")[0]
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError:  # an array or an object over several lines
        row = msgspec.json.decode(next(split([_whole(file)], MAX_ROW_BYTES), None) or b"")
    row = row[0] if isinstance(row, list) and row else row
    if not isinstance(row, dict):
        raise RowError("row: expected an object")
    return row


def _whole(file: Path) -> bytes:
    held = b""
    with file.open("rb") as raw:
        for piece in compression.pieces(raw, file.suffix.lower()):
            held += piece
            if len(held) > MAX_ROW_BYTES:
                break
    return held.lstrip(_BLANK)
