"""Files that keep what requests bring while the database takes nothing, so that it can be acknowledged.

Most gateways send a log once and never again, so an outage of the database must not cost them. A record is on disk before
its request is answered, and goes into the database later; should it be there already, its id says so and it counts once.
A file belongs to one process, which holds a lock on it; whoever finds one without its owner takes it over.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import msgspec
import structlog
from xxhash import xxh3_64_digest

from api.services import metrics
from api.services.storing import Bundle, Stored, Unavailable, store
from api.storage.engine import Database

SUFFIX = ".spool"
RETRY_SECONDS = 1.0  # between two attempts to put the files into the database
LOOK_SECONDS = 30.0  # between two looks for files whose process has ended
UNREADABLE = ".unreadable"  # kept for people to look at
GROUP_BYTES = 8 << 20  # taken into the database at once
_HEAD = 16  # a record is its length, a checksum, and the bundle
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Bundle)

log = structlog.get_logger()


class NoRoom(RuntimeError):
    """The files may not, or cannot, take more."""


class Spool:
    """Bundles in files of a folder, put into the database by a thread as soon as that takes them."""

    def __init__(self, folder: Path, database: Database, max_bytes: int, min_free_bytes: int) -> None:
        self._folder = folder
        self._database = database
        self._max_bytes = max_bytes
        self._min_free = min_free_bytes
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._bytes = 0
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool")
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """What lies in the files, those of other processes included."""
        return self._bytes

    @property
    def has_room(self) -> bool:
        """Whether more would be taken."""
        return self._bytes < self._max_bytes

    def append(self, bundle: Bundle) -> None:
        """Put a bundle on disk. Raises NoRoom, with nothing kept."""
        data = _ENCODER.encode(bundle)
        record = len(data).to_bytes(8, "little") + xxh3_64_digest(data) + data
        with self._lock:
            if self._closing.is_set():
                raise NoRoom("the service is stopping")
            if self._bytes + len(record) > self._max_bytes:
                raise NoRoom(f"{self._bytes >> 20} MiB wait in files already")
            try:
                self._write(record)
            except OSError as error:
                raise NoRoom(f"{self._folder}: {error.strerror or error}") from error
            self._bytes += len(record)
        metrics.SPOOLED.inc(len(record))
        self._wake.set()

    def close(self) -> None:
        """Stop; what is not in the database stays in its file for the next start."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write(self, record: bytes) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = _create(self._folder)
        if shutil.disk_usage(self._folder).free - len(record) < self._min_free:
            raise NoRoom(f"less than {self._min_free >> 20} MiB are free in {self._folder}")
        end = self._file.tell()
        try:
            self._file.write(record)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            self._cut(end)
            raise

    def _cut(self, end: int) -> None:
        """Take half a record off the end, so that the next one can be found."""
        assert self._file is not None
        file, self._file = self._file, None
        try:
            os.ftruncate(file.fileno(), end)
            file.seek(end)
            self._file = file
        except OSError:  # then this file ends here, and the next record begins another
            log.exception("a spool file cannot be cut", file=file.name)

    def _run(self) -> None:
        while not self._closing.is_set():
            if self._drain():
                self._wake.wait(LOOK_SECONDS)
                self._wake.clear()
            else:
                self._closing.wait(RETRY_SECONDS)

    def _drain(self) -> bool:
        """Put all files into the database; False where it did not take them all."""
        with self._lock:  # what comes from here on goes to a new file
            own, self._file = self._file, None
        if own is not None:
            own.close()
        for path in sorted(self._folder.glob(f"*{SUFFIX}")) if self._folder.is_dir() else ():
            try:
                with path.open("rb") as file:
                    if not _locked(file):
                        continue  # another process's
                    self._into_database(file)
                    path.unlink()
            except FileNotFoundError:
                continue  # taken over by another process
            except (Unavailable, OSError) as error:
                log.warning("spool waits for the database", file=path.name, error=str(error))
                return False
            except Exception:  # it must not keep the files after it from the database
                log.exception("a spool file cannot be read", file=path.name)
                path.rename(path.with_suffix(UNREADABLE))
            finally:
                self._measure()
        return True

    def _into_database(self, file: BinaryIO) -> None:
        group: list[Bundle] = []
        size = 0
        for bundle in _records(file):
            group.append(bundle)
            size += bundle.size
            if size >= GROUP_BYTES:
                _log(store(self._database, group))
                group, size = [], 0
            if self._closing.is_set():
                raise Unavailable("the service is stopping")
        if group:
            _log(store(self._database, group))

    def _measure(self) -> None:
        with self._lock:
            total = 0
            for path in self._folder.glob(f"*{SUFFIX}"):
                try:
                    total += path.stat().st_size
                except FileNotFoundError:
                    continue
            self._bytes = total


def _create(folder: Path) -> BinaryIO:
    """A new file under this process's lock, its name on disk."""
    while True:
        file = (folder / f"{uuid4().hex}{SUFFIX}").open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if _has_name(file):
            break
        file.close()  # one that looks for files left behind found it before it was locked
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return file


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return _has_name(file)


def _has_name(file: BinaryIO) -> bool:
    """Whether a file is still in its folder: else it was taken over, and removed, before it could be locked."""
    return os.fstat(file.fileno()).st_nlink > 0


def _records(file: BinaryIO) -> Iterator[Bundle]:
    """The bundles of a file, up to one that was never written to its end: that was not acknowledged."""
    end = os.fstat(file.fileno()).st_size
    while len(head := file.read(_HEAD)) == _HEAD:
        data = file.read(min(int.from_bytes(head[:8], "little"), end))
        if xxh3_64_digest(data) != head[8:]:
            log.warning("a spool file ends in the middle of a record", file=file.name)
            return
        yield _DECODER.decode(data)


def _log(stored: list[Stored]) -> None:
    for why in (w for s in stored for w in s.refused):
        log.error("an acknowledged row cannot be stored", reason=why)
    metrics.UNSPOOLED.inc(sum(s.accepted for s in stored))
