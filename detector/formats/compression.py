"""Compressed files as pieces of bounded size, with an honest word where they end too early."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import zstandard

from detector.formats.base import FormatError

PIECE_BYTES = 1 << 16  # fits a core's cache: larger pieces are read a third slower
MAX_WINDOW_BYTES = 128 << 20  # what zstd itself asks for at most, short of --long=28 and more
_ZSTD_STEP = 4096  # input at a time: bounds what a bomb can make of it to 128 MiB

_MAGIC = {".gz": (b"\x1f\x8b", "gzip"), ".zst": (b"\x28\xb5\x2f\xfd", "Zstandard"), ".parquet": (b"PAR1", "Parquet")}


class Broken(ValueError):
    """The file ends or breaks here; what came before is good."""


def check(file: Path) -> None:
    """Raise FormatError for a file that cannot be opened, or is not what its ending says."""
    try:
        with file.open("rb") as raw:
            head = raw.read(4)
    except OSError as error:
        raise FormatError(f"{file} cannot be read: {error.strerror or error}") from error
    magic, name = _MAGIC.get(file.suffix.lower(), (b"", ""))
    if head and not head.startswith(magic):
        raise FormatError(f"{file} is no {name} file, though its ending says so: rename it, or pack it again")


def pieces(raw: IO[bytes], suffix: str) -> Iterator[bytes]:
    """The unpacked content of an open file. Raises Broken where it cannot go on."""
    if suffix == ".gz":
        yield from _gzip(raw)
    elif suffix == ".zst":
        yield from _zstd(raw)
    else:
        try:
            while piece := raw.read(PIECE_BYTES):
                yield piece
        except OSError as error:
            raise Broken(f"the file cannot be read on: {error.strerror or error}") from error


def _gzip(raw: IO[bytes]) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=raw) as stream:
            while piece := stream.read1(PIECE_BYTES):  # read() would lose what comes before a break
                yield piece
    except EOFError as error:
        raise Broken("the gzip file is cut off here: copy it again") from error
    except (OSError, zlib.error) as error:
        raise Broken(f"the gzip file is damaged here ({error}): copy it again") from error


def _zstd(raw: IO[bytes]) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    frame = unpacker.decompressobj()
    started = False
    try:
        out = io.BytesIO()
        while step := raw.read(_ZSTD_STEP):
            while step:
                out.write(frame.decompress(step))
                started = True
                step = frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame, started = unpacker.decompressobj(), False
            if out.tell() >= PIECE_BYTES:
                yield out.getvalue()
                out = io.BytesIO()
        if out.tell():
            yield out.getvalue()
    except zstandard.ZstdError as error:
        if out.tell():
            yield out.getvalue()
        raise Broken(f"the Zstandard file is damaged here ({error}): copy it again, packed without --long") from error
    if started:
        raise Broken("the Zstandard file is cut off here: copy it again")
