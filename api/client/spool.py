"""What waits to be sent: lines in files of a folder, so that they survive a crash, or in memory. Bounded either way.

A line is in the file before ``append`` returns: a killed process loses nothing, a cut of power what the disk had not yet
taken (all of it is safe with ``fsync``). The position up to which lines were sent is kept beside them; after a crash the
last batch may be sent twice, which the service counts once.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

SEGMENT_BYTES = 8 << 20  # of one file; a file is deleted when all of it was sent
_LOCK, _POSITION, _SUFFIX = "lock", "position", ".jsonl"


class SpoolInUse(RuntimeError):
    """Another process sends from this folder."""


class Position(NamedTuple):
    """A place between two lines."""

    segment: int
    offset: int


class Spool(Protocol):
    """A queue of lines, each ending with a newline, for one writer and one reader at a time."""

    size: int

    def append(self, line: bytes) -> bool:
        """Add a line; False where there is no room."""

    def peek(self, lines: int, size: int) -> tuple[Sequence[bytes], Position]:
        """The first lines, at most so many and (but for a single one) so many bytes, and the place after them."""

    def commit(self, position: Position) -> None:
        """Forget the lines before a place."""

    def close(self) -> None:
        """Release what is held."""


class MemorySpool:
    """Lines in memory; gone with the process."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._lines: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._gone = 0
        self.size = 0

    def append(self, line: bytes) -> bool:
        """Add a line; False where there is no room."""
        with self._lock:
            if self.size + len(line) > self._max:
                return False
            self._lines.append(line)
            self.size += len(line)
            return True

    def peek(self, lines: int, size: int) -> tuple[Sequence[bytes], Position]:
        """The first lines, and the place after them."""
        found: list[bytes] = []
        with self._lock:
            for line in self._lines:
                if len(found) == lines or (found and len(line) > size):
                    break
                found.append(line)
                size -= len(line)
            return found, Position(0, self._gone + len(found))

    def commit(self, position: Position) -> None:
        """Forget the lines before a place."""
        with self._lock:
            while self._gone < position.offset:
                self.size -= len(self._lines.popleft())
                self._gone += 1

    def close(self) -> None:
        """Nothing is held."""


class DiskSpool:
    """Lines in files of a folder, which belongs to one process at a time. Raises SpoolInUse, OSError."""

    def __init__(
        self, folder: Path, max_bytes: int, *, fsync: bool = False, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self._folder = folder
        self._max = max_bytes
        self._fsync = fsync
        self._segment_bytes = segment_bytes
        self._mutex = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._held = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._held)
            raise SpoolInUse(f"{folder} is used by another process: give each its own folder") from error
        self._position = self._read_position()
        segments = self._segments()
        for number in [n for n in segments if n < self._position.segment]:
            self._path(number).unlink(missing_ok=True)  # sent, but the process ended before it was deleted
        self._last = max([*segments, self._position.segment])
        self._file = self._open(self._last)
        self._written = self._mend(self._last)
        kept = [n for n in segments if n >= self._position.segment]
        self.size = sum(self._path(n).stat().st_size for n in kept) - self._sent_of_first()

    def append(self, line: bytes) -> bool:
        """Add a line, in the file when this returns; False where there is no room."""
        with self._mutex:
            if self.size + len(line) > self._max:
                return False
            if self._written and self._written + len(line) > self._segment_bytes:
                os.close(self._file)
                self._last += 1
                self._file, self._written = self._open(self._last), 0
            try:
                self._write(line)
            except OSError:
                os.ftruncate(self._file, self._written)  # a full disk may have taken half of it
                return False
            self._written += len(line)
            self.size += len(line)
            return True

    def peek(self, lines: int, size: int) -> tuple[Sequence[bytes], Position]:
        """The first lines, and the place after them. They come from one file, so it may be fewer than there are."""
        with self._mutex:
            position = self._position
            if position.segment < self._last and position.offset >= self._path(position.segment).stat().st_size:
                position = Position(position.segment + 1, 0)
        found: list[bytes] = []
        with self._path(position.segment).open("rb") as file:
            file.seek(position.offset)
            for line in file:
                if len(found) == lines or (found and len(line) > size) or not line.endswith(b"\n"):
                    break
                found.append(line)
                size -= len(line)
        return found, Position(position.segment, position.offset + sum(map(len, found)))

    def commit(self, position: Position) -> None:
        """Forget the lines before a place."""
        with self._mutex:
            before = self._position
            sizes = {n: self._path(n).stat().st_size for n in range(before.segment, position.segment)}
            temporary = self._folder / f"{_POSITION}.new"
            temporary.write_text(f"{position.segment} {position.offset}")
            temporary.replace(self._folder / _POSITION)
            self._position = position
            self.size -= sum(sizes.values()) + position.offset - before.offset
            for number in sizes:
                self._path(number).unlink(missing_ok=True)

    def close(self) -> None:
        """Let another process have the folder."""
        os.close(self._file)
        os.close(self._held)

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        if self._fsync:
            os.fsync(self._file)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}{_SUFFIX}"

    def _segments(self) -> list[int]:
        return sorted(int(p.stem) for p in self._folder.glob(f"*{_SUFFIX}") if p.stem.isdigit())

    def _open(self, number: int) -> int:
        return os.open(self._path(number), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def _mend(self, number: int) -> int:
        """Cut off a line that a crash left half written; returns the file's size."""
        content = self._path(number).read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._file, whole)
        return whole

    def _read_position(self) -> Position:
        first = min(self._segments(), default=0)
        try:
            segment, offset = map(int, (self._folder / _POSITION).read_text().split())
        except (OSError, ValueError):
            return Position(first, 0)
        return Position(segment, offset) if segment >= first else Position(first, 0)

    def _sent_of_first(self) -> int:
        path = self._path(self._position.segment)
        size = path.stat().st_size if path.exists() else 0
        if self._position.offset > size:  # the file is not the one that the position is of
            self._position = Position(self._position.segment, 0)
        return self._position.offset
