"""Reading: log files and HTTP bodies into events, in bounded batches, with every bad row reported."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import msgspec

from detector.event import Event
from detector.formats import canonical, litellm
from detector.formats.base import MAX_ID_CHARS, FormatError, RowError

FORMATS: dict[str, ModuleType] = {m.NAME: m for m in (canonical, litellm)}

BATCH_EVENTS = 8192  # rows a batch: large enough to vectorise over, small enough to hold
MAX_LINE_BYTES = 16 << 20  # a longer row is rejected unread
SUFFIXES = (".jsonl", ".ndjson", ".json", ".log", ".gz", ".zst", ".parquet")

_TYPED = msgspec.json.Decoder(Event)
_ANY = msgspec.json.Decoder()


class Rejected(msgspec.Struct):
    """A row of a file that could not be read."""

    file: str
    line: int
    reason: str


class ItemRejected(msgspec.Struct):
    """An item of an HTTP body that could not be read."""

    index: int
    error: str


class Batch(msgspec.Struct):
    """Some rows of the files. Byte counts are those of the files as they lie on the disk."""

    events: list[Event]
    rejected: list[Rejected]
    bytes_read: int
    total_bytes: int


class ParsedBody(msgspec.Struct):
    """An HTTP body."""

    events: list[Event]
    rejected: list[ItemRejected]


def read(
    paths: Sequence[Path | str], format: str = "auto", account: str | None = None, batch_events: int = BATCH_EVENTS
) -> Iterator[Batch]:
    """Batches of events of log files, folders (searched for known endings) and compressed files, in their order.

    Raises FormatError for files that are missing or no logs; a bad row is reported in its batch and stops nothing.
    """
    _check(format)
    found = files(paths)
    total = sum(f.stat().st_size for f in found)
    done = 0
    for file in found:
        size = file.stat().st_size
        for events, rejected, share in _read_file(file, format, account, batch_events):
            yield Batch(events, rejected, done + min(share, size), total)
        done += size


def parse_body(body: bytes, format: str = "auto", account: str | None = None) -> ParsedBody:
    """Events of an HTTP body: an array, one object or NDJSON, told apart by content. ``index`` counts the body's items.

    Raises FormatError for a body that is none of these, or for an unknown format.
    """
    _check(format)
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise FormatError("the body is empty; send a JSON array of events, one event, or one event a line")
    out = ParsedBody([], [])
    if text[:1] == b"[":
        try:
            rows: Iterable[Any] = _ANY.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FormatError(f"the body starts like a JSON array and is none: {error}") from error
    else:
        rows = _lines(text, out)
    for index, row in enumerate(rows):
        if row is _BAD:
            continue
        try:
            out.events.extend(_convert(row, format, account))
        except (RowError, RecursionError) as error:
            out.rejected.append(ItemRejected(index, str(error)))
    out.rejected.sort(key=lambda r: r.index)
    return out


_BAD = object()


def _lines(text: bytes, out: ParsedBody) -> Iterator[Any]:
    try:
        yield _ANY.decode(text)  # one object, perhaps over several lines
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        whole = error
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        raise FormatError(f"the body is no JSON: {whole}") from whole
    for index, line in enumerate(lines):
        try:
            yield _ANY.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            out.rejected.append(ItemRejected(index, f"no JSON: {error}"))
            yield _BAD


def _check(format: str) -> None:
    if format != "auto" and format not in FORMATS:
        raise FormatError(f"unknown format {format!r}: choose auto, {', '.join(FORMATS)}")


def _convert(row: Any, format: str, account: str | None) -> list[Event]:
    if not isinstance(row, dict):
        raise RowError(f"expected an object, found {type(row).__name__}")
    if format != "auto":
        return FORMATS[format].convert(row, account)
    for module in FORMATS.values():
        if module.matches(row):
            return module.convert(row, account)
    raise RowError(
        f"of no known format (fields: {', '.join(sorted(map(str, row))[:8])}); event_id, timestamp and account_id are needed"
    )


def files(paths: Sequence[Path | str]) -> list[Path]:
    """The log files that ``paths`` name, folders searched. Raises FormatError where there are none."""
    return list(_files(paths))


def _files(paths: Sequence[Path | str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in SUFFIXES)
            if not found:
                raise FormatError(f"{path} holds no log files ({', '.join(SUFFIXES)})")
            yield from found
        elif not path.exists():
            raise FormatError(f"{path} does not exist")
        elif path.suffix not in SUFFIXES:
            raise FormatError(f"{path}: unknown ending {path.suffix!r}; known are {', '.join(SUFFIXES)}")
        else:
            yield path


def _read_file(
    file: Path, format: str, account: str | None, size: int
) -> Iterator[tuple[list[Event], list[Rejected], int]]:
    if file.suffix == ".parquet":
        yield from _read_parquet(file, format, account, size)
        return
    with file.open("rb") as raw:
        events: list[Event] = []
        rejected: list[Rejected] = []
        number = 0
        try:
            for number, line in enumerate(_text_lines(raw, file), 1):
                _parse_line(line, number, file, format, account, events, rejected)
                if len(events) + len(rejected) >= size:
                    yield events, rejected, raw.tell()
                    events, rejected = [], []
        except (OSError, EOFError, _zstd_error()) as error:
            rejected.append(
                Rejected(
                    str(file),
                    number + 1,
                    f"the compressed file ends or breaks here ({error}); the rows before it were read",
                )
            )
        yield events, rejected, raw.tell()


def _zstd_error() -> type[Exception]:
    import zstandard

    return zstandard.ZstdError


def _text_lines(raw: IO[bytes], file: Path) -> Iterator[bytes]:
    if file.suffix == ".gz":
        stream: Any = gzip.GzipFile(fileobj=raw)
    elif file.suffix == ".zst":
        import zstandard

        stream = io.BufferedReader(
            zstandard.ZstdDecompressor(max_window_size=1 << 31).stream_reader(raw, read_across_frames=True)
        )
    else:
        stream = raw
    if file.suffix == ".json" or file.name.endswith((".json.gz", ".json.zst")):
        head = stream.read(MAX_LINE_BYTES * 16).lstrip(b"\xef\xbb\xbf \t\r\n")
        if head[:1] == b"[":
            yield from (bytes(item) for item in msgspec.json.decode(head, type=list[msgspec.Raw]))
        else:
            yield from head.splitlines()
        return
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
        yield line


def _parse_line(
    line: bytes,
    number: int,
    file: Path,
    format: str,
    account: str | None,
    events: list[Event],
    rejected: list[Rejected],
) -> None:
    if len(line) > MAX_LINE_BYTES:
        rejected.append(Rejected(str(file), number, f"the row is longer than {MAX_LINE_BYTES >> 20} MiB"))
        return
    if format in ("auto", "canonical"):
        try:
            event = _TYPED.decode(line)
            if (
                event.timestamp.tzinfo is not None
                and 0 < len(event.event_id) <= MAX_ID_CHARS
                and 0 < len(event.account_id) <= MAX_ID_CHARS
            ):
                if event.timestamp.tzinfo is not UTC:
                    event.timestamp = event.timestamp.astimezone(UTC)
                events.append(event)
                return
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # told apart below, where the reason is found
    stripped = line.strip(b"\xef\xbb\xbf \t\r\n")
    if not stripped:
        return
    try:
        row = _ANY.decode(stripped)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        rejected.append(Rejected(str(file), number, f"no JSON: {error}"))
        return
    for item in row if isinstance(row, list) else [row]:
        try:
            events.extend(_convert(item, format, account))
        except (RowError, RecursionError) as error:
            rejected.append(Rejected(str(file), number, str(error)))


def _read_parquet(
    file: Path, format: str, account: str | None, size: int
) -> Iterator[tuple[list[Event], list[Rejected], int]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{file} is no Parquet file: {error}") from error
    row_number = 0
    total_rows = max(source.metadata.num_rows, 1)
    for block in source.iter_batches(batch_size=size):
        events: list[Event] = []
        rejected: list[Rejected] = []
        for row in block.to_pylist():
            row_number += 1
            try:
                events.extend(_convert({k: _unpack(k, v) for k, v in row.items()}, format, account))
            except RowError as error:
                rejected.append(Rejected(str(file), row_number, str(error)))
        yield events, rejected, int(file.stat().st_size * row_number / total_rows)


def _unpack(name: str, value: Any) -> Any:
    """Parquet cells: times as text, and nested columns that were written as JSON text."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if (
        isinstance(value, str)
        and name in ("messages", "params", "usage", "client", "account", "tools", "extra", "metadata")
        and value[:1] in "[{"
    ):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
