"""Log files into events: streamed in bounded batches, with every bad row reported and none stopping the others."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from detector.event import Event
from detector.formats import compression, parquet
from detector.formats.base import FormatError, Given
from detector.formats.intake import BROKEN, Intake
from detector.formats.items import split
from detector.formats.otlp import wire
from detector.formats.registry import AUTO, check

BATCH_EVENTS = 8192  # events a batch: large enough to vectorise over, small enough to hold
MAX_LINE_BYTES = 16 << 20  # a longer row is rejected unread: no provider takes prompts of this size
LINE_SUFFIXES = (".jsonl", ".ndjson", ".log")
SUFFIXES = (*LINE_SUFFIXES, ".json", ".pb", ".parquet")
PACKED = (".gz", ".zst")
BESIDE_LOGS = frozenset(
    {
        *("labels.parquet", "labels.jsonl", "labels_events.parquet", "campaigns.parquet"),  # of `simulate`
        *("accounts.parquet", "report.json", "rejected.jsonl", "metrics.json"),  # of `audit` and `evaluate`
        *("frames.parquet", "scoring.json", "rehearsal.json", "rehearsal.parquet"),  # of `calibrate` and `rehearse`
    }
)
"""Files that other commands write: no logs, and so left out where a folder is given."""
_BOM = b"\xef\xbb\xbf"
_BLANK = b"\xef\xbb\xbf \t\r\n"


class Rejected(msgspec.Struct):
    """A row of a file that could not be read; ``line`` counts from 1 (in a .json array and in Parquet: the item)."""

    file: str
    line: int
    reason: str


class Batch(msgspec.Struct):
    """Some events of the files, in their order. Byte counts are those of the files as they lie on the disk."""

    events: list[Event]
    rejected: list[Rejected]
    bytes_read: int
    total_bytes: int


def read(
    paths: Sequence[Path | str],
    format: str = AUTO,
    account: str | None = None,
    batch_events: int = BATCH_EVENTS,
    *,
    account_attributes: Sequence[str] = (),
    keep_extra: bool = False,
    max_line_bytes: int = MAX_LINE_BYTES,
    only: Collection[str] | None = None,
) -> Iterator[Batch]:
    """Batches of events of log files, folders (searched for known endings, BESIDE_LOGS left out) and patterns such as ``logs/*.jsonl.gz``.

    ``account`` owns the events that name nobody; those without a time have that of their file. Unknown fields are left
    out unless ``keep_extra``. Where only the events with the ids ``only`` are wanted, others may be left out. Records of one
    call are joined across all files. Raises FormatError, before anything is read, for files that are missing, empty or no
    logs; whatever is wrong later is reported and stops nothing.
    """
    check(format)
    found = files(paths)
    sizes = [f.stat().st_size for f in found]
    total = sum(sizes)
    if not total:
        raise FormatError(
            f"nothing to read: {', '.join(map(str, found[:3]))} {'is' if len(found) == 1 else 'are'} empty"
        )
    for file in found:
        compression.check(file)
    given = Given(account=account, account_attributes=tuple(account_attributes))
    intake = Intake(format, given, keep_extra, max_line_bytes, only=only)
    done = 0
    for file, size in zip(found, sizes, strict=True):
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        intake.given = msgspec.structs.replace(given, received=written)
        for position in _feed(file, intake, max_line_bytes):
            while len(intake.events) >= batch_events or len(intake.rejected) >= batch_events:
                yield _batch(intake, batch_events, done + min(position, size), total)
        done += size
    intake.finish()
    while True:
        yield _batch(intake, batch_events, done, total)
        if not intake.events and not intake.rejected:
            return


def files(paths: Sequence[Path | str]) -> list[Path]:
    """The log files that ``paths`` name, folders searched and patterns resolved, each once.

    Raises FormatError where there are none.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        for file in _resolve(path):
            found[file] = None
    if not found:
        raise FormatError("nothing to read: name at least one log file or folder")
    return list(found)


def _resolve(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and _ending(p) in SUFFIXES and p.name[0] not in "._")
        logs = [p for p in inside if p.name not in BESIDE_LOGS]
        if not logs:
            left_out = (
                f"; {inside[0].name} is taken for another command's and read only if it is named itself"
                if inside
                else ""
            )
            raise FormatError(f"{path} holds no log files: expected names ending in {_endings()}{left_out}")
        return logs
    if not path.exists():
        matching = sorted(Path(p) for p in glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []
        if not matching:
            raise FormatError(f"{path} does not exist")
        return [file for match in matching for file in _resolve(match)]
    if _ending(path) not in SUFFIXES:
        raise FormatError(f"{path}: unknown ending {path.suffix!r}, expected {_endings()}; rename or convert it")
    return [path]


def _ending(path: Path) -> str:
    """What a file holds by its name, compression put aside; a bare ``x.gz`` is taken for lines."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        inner = suffixes[-2] if len(suffixes) > 1 else ".jsonl"
        return inner if inner != ".parquet" else ""
    return suffixes[-1] if suffixes else ""


def _endings() -> str:
    return f"{', '.join(SUFFIXES)} (all but the last also with {' or '.join(PACKED)})"


def _batch(intake: Intake, size: int, position: int, total: int) -> Batch:
    """Take a batch out of the intake."""
    events, intake.events = intake.events[:size], intake.events[size:]
    rejected, intake.rejected = intake.rejected[:size], intake.rejected[size:]
    return Batch(events, [Rejected(file, line, reason) for (file, line), reason in rejected], position, total)


def _feed(file: Path, intake: Intake, limit: int) -> Iterator[int]:
    """Give a file's rows to the intake; yields its position now and then."""
    name = str(file)
    if _ending(file) == ".parquet":
        yield from parquet.feed(file, intake)
        return
    if _ending(file) == ".pb":
        yield _protobuf(file, intake, limit)
        return
    rows = _json if _ending(file) == ".json" else _lines
    with file.open("rb") as raw:
        for _ in rows(compression.pieces(raw, file.suffix.lower()), name, intake, limit):
            yield raw.tell()
        yield raw.tell()


def _protobuf(file: Path, intake: Intake, limit: int) -> int:
    """A file that is one OTLP request in protobuf, traces or logs."""
    where = (str(file), 1)
    with file.open("rb") as raw:
        body = bytearray()
        try:
            for piece in compression.pieces(raw, file.suffix.lower()):
                body += piece
                if len(body) > limit:
                    intake.too_long(where)
                    return raw.tell()
            guess = "otlp_traces" if wire.is_traces(bytes(body)) else "otlp_logs"
            if not intake.binary(bytes(body), where, guess):
                intake.rejected.append((where, "the file is protobuf, which this format is not: choose an otlp format"))
        except (compression.Broken, FormatError) as error:
            intake.rejected.append((where, str(error)))
        return raw.tell()


def _lines(pieces: Iterable[bytes], name: str, intake: Intake, limit: int) -> Iterator[None]:
    """A row a line; yields after each piece."""
    number = 1  # of the line that comes next
    rest = b""
    skipping = False  # within a line that is too long

    def take(block: bytes) -> None:
        nonlocal number
        first = number
        intake.lines(block.removeprefix(_BOM) if first == 1 else block, lambda offset: (name, first + offset))
        number += block.count(b"\n")

    try:
        for piece in pieces:
            end = piece.rfind(b"\n") + 1
            if end and skipping:
                start = piece.find(b"\n") + 1
                intake.too_long((name, number))
                number, skipping = number + 1, False
                piece, end = piece[start:], end - start
            if end:
                take(rest + piece[:end])
                rest = piece[end:]
            elif not skipping:
                rest += piece
            if len(rest) > limit:
                rest, skipping = b"", True
            yield
    except compression.Broken as error:
        intake.rejected.append(((name, number), str(error)))
        return
    if skipping:
        intake.too_long((name, number))
    elif rest:
        take(rest)


def _json(pieces: Iterable[bytes], name: str, intake: Intake, limit: int) -> Iterator[None]:
    """An array, or objects one after another over any number of lines; yields after each item."""
    source = iter(pieces)
    held: list[bytes] = []
    size = 0
    broken: compression.Broken | None = None
    try:
        for piece in source:
            held.append(piece)
            size += len(piece)
            if size > limit:
                break
        else:
            whole = b"".join(held).strip(_BLANK)
            if whole[:1] == b"[" and intake.array(whole, lambda index: (name, index + 1)):
                return
    except compression.Broken as error:
        broken = error

    def again() -> Iterator[bytes]:
        yield from held
        if broken is not None:
            raise broken
        yield from source

    if _is_lines(held):
        yield from _lines(again(), name, intake, limit)
        return
    number = 1
    try:
        for item in split(again(), limit):
            if item is None:
                intake.too_long((name, number))
            else:
                intake.line(item, (name, number))
            number += 1
            yield
    except compression.Broken as error:
        intake.rejected.append(((name, number), str(error)))


def _is_lines(held: Sequence[bytes]) -> bool:
    """True where the first line is an object by itself, as in NDJSON."""
    head, newline, _ = b"".join(held).lstrip(_BLANK).partition(b"\n")
    try:
        return bool(newline) and isinstance(msgspec.json.decode(head), dict)
    except BROKEN:
        return False
