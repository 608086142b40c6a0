"""Send events from a program: in batches, retried, kept in a spool while the service does not answer."""

from __future__ import annotations

import atexit
import gzip
import json
import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from api.client.spool import DiskSpool, MemorySpool, Position, Spool

FIRST_PAUSE = 0.5  # seconds; doubled after each failure in a row, and taken by chance between nothing and that
LONGEST_PAUSE = 60.0
REJECTED_FILE = "rejected.jsonl"  # in the spool's folder: what the service will never take
MAX_REJECTED_BYTES = 16 << 20
COMPRESS_FROM = 1024  # bytes; below it gzip gains nothing

log = logging.getLogger("distillwatch.client")


class Full(RuntimeError):
    """The spool is full and did not empty in time: the service is down, or slower than the events come."""


@dataclass(frozen=True)
class Stats:
    """What became of the events so far."""

    queued: int = 0  # taken by ``send``
    accepted: int = 0  # new to the service
    duplicates: int = 0  # the service had them already
    rejected: int = 0  # the service will never take them
    refused: int = 0  # not taken by ``send``: the spool was full
    failures: int = 0  # attempts without success
    waiting_bytes: int = 0
    last_error: str | None = None


class EventClient:
    """Sends events from a thread of its own. Safe to use from many threads; make one in each process, after forking.

    ``send`` returns as soon as the event is in the spool. With ``spool``, a folder, events survive a crash of the process;
    without, they wait in memory. When ``max_spool_mb`` wait, ``send`` blocks for ``block_seconds`` at most and then raises
    Full. At the end of the program it tries for ``exit_seconds`` to send what waits; what remains in a folder is sent by the
    next client that is made over it. Raises SpoolInUse if another process sends from the folder.
    """

    def __init__(
        self, url: str, key: str, *, spool: str | Path | None = None, max_spool_mb: float = 256.0, fsync: bool = False,
        batch: int = 500, batch_bytes: int = 1 << 20, linger: float = 0.25, block_seconds: float = 5.0,
        exit_seconds: float = 5.0, timeout: float = 30.0, compress: bool = True, http: httpx.Client | None = None,
    ) -> None:  # fmt: skip
        self._url = url.rstrip("/") + "/v1/events"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        self._http = http or httpx.Client(timeout=timeout)
        self._folder = Path(spool) if spool is not None else None
        size = int(max_spool_mb * (1 << 20))
        self._spool: Spool = DiskSpool(self._folder, size, fsync=fsync) if self._folder else MemorySpool(size)
        self._batch, self._batch_bytes, self._linger = batch, batch_bytes, linger
        self._block_seconds, self._exit_seconds, self._compress = block_seconds, exit_seconds, compress
        self._stats = Stats()
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._closing = threading.Event()  # no more events come: hurry
        self._stopping = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="distillwatch-events", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def stats(self) -> Stats:
        """Figures so far."""
        with self._changed:
            return replace(self._stats, waiting_bytes=self._spool.size)

    def send(self, event: Mapping[str, Any]) -> str:
        """Queue an event and return its id; a missing id or time is filled in. Raises Full, and ValueError for no JSON."""
        if self._closed:
            raise RuntimeError("the client is closed")
        if os.getpid() != self._pid:
            raise RuntimeError("the client was made before this process was forked: make one in each process")
        if not event.get("account_id"):
            raise ValueError("account_id is missing: the verified owner of the request")
        event_id = str(event.get("event_id") or uuid.uuid4())
        filled = {"timestamp": datetime.now(UTC), **event, "event_id": event_id}
        line = json.dumps(filled, default=_plain, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        deadline = time.monotonic() + self._block_seconds
        with self._changed:
            while not self._spool.append(line):
                left = deadline - time.monotonic()
                if left <= 0:
                    self._count(refused=1)
                    raise Full(f"{self._spool.size >> 20} MiB of events wait: {self._stats.last_error or 'sending'}")
                self._changed.wait(left)
            self._count(queued=1)
            self._changed.notify_all()
        return event_id

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing waits; False if it took longer than ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._spool.size == 0, timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Try to send what waits, then stop; False if something is left. May be called twice."""
        if self._closed or os.getpid() != self._pid:
            return True
        self._closed = True
        self._closing.set()
        atexit.unregister(self.close)
        done = self.flush(self._exit_seconds if timeout is None else timeout)
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(self._exit_seconds)
        self._http.close()
        self._spool.close()
        if not done:
            log.warning("%d bytes of events were not sent: %s", self._spool.size, self._stats.last_error)
        return done

    def __enter__(self) -> EventClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._spool.size > 0 or self._stopping.is_set())
            if self._spool.size < self._batch_bytes:
                self._closing.wait(self._linger)  # more may come and travel along
            try:
                pause = self._send_batch(failures)
            except Exception as error:  # e.g. the folder was deleted; the program must not suffer from it
                log.exception("events not sent")
                pause = self._failed(failures, f"{type(error).__name__}: {error}")
            failures = failures + 1 if pause is not None else 0
            if pause is not None and not self._closing.is_set():
                self._closing.wait(pause)
            elif pause is not None:
                self._stopping.wait(min(pause, FIRST_PAUSE))

    def _send_batch(self, failures: int) -> float | None:
        """Send the first lines; returns the pause before the next attempt where they still wait."""
        lines, position = self._spool.peek(self._batch, self._batch_bytes)
        if not lines:
            return None
        pause = self._post(lines, failures)
        if pause is None:
            self._commit(position)
        return pause

    def _post(self, lines: Sequence[bytes], failures: int) -> float | None:
        """Send lines until the service took or refused each; returns a pause if it does not answer, or not well."""
        body, headers = b"".join(lines), dict(self._headers)
        if self._compress and len(body) >= COMPRESS_FROM:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        try:
            answer = self._http.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return self._failed(failures, f"{type(error).__name__}: {error}")
        if answer.is_success:
            self._took(lines, answer)
            return None
        if answer.status_code in (400, 413, 422):  # of this batch, and it will always be so
            if len(lines) == 1:
                self._reject(lines[0], answer.text[:500])
                return None
            half = len(lines) // 2
            for part in (lines[:half], lines[half:]):
                if (pause := self._post(part, failures)) is not None:
                    return pause  # the whole batch is sent again; the service counts each event once
            return None
        return self._failed(failures, f"{answer.status_code}: {answer.text[:200]}", answer.headers.get("Retry-After"))

    def _took(self, lines: Sequence[bytes], answer: httpx.Response) -> None:
        result = answer.json()
        for item in result.get("rejected", []):
            self._reject(lines[item["index"]], item["error"])
        with self._changed:
            self._count(accepted=result["accepted"], duplicates=result["duplicates"])

    def _commit(self, position: Position) -> None:
        with self._changed:
            self._spool.commit(position)
            self._changed.notify_all()

    def _failed(self, failures: int, error: str, retry_after: str | None = None) -> float:
        with self._changed:
            self._count(failures=1)
            self._stats = replace(self._stats, last_error=error)
        if failures == 0:
            log.warning("events wait: %s", error)
        asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 16)))
        return min(max(pause, asked), LONGEST_PAUSE)

    def _reject(self, line: bytes, error: str) -> None:
        with self._changed:
            self._count(rejected=1)
            self._stats = replace(self._stats, last_error=error)
        log.warning("an event is refused for good: %s", error)
        if self._folder is not None:
            path = self._folder / REJECTED_FILE
            if not path.exists() or path.stat().st_size < MAX_REJECTED_BYTES:
                with path.open("ab") as file:
                    file.write(json.dumps({"error": error, "event": line.decode(errors="replace")}).encode() + b"\n")

    def _count(self, **more: int) -> None:
        """Add to figures; to be called while holding the lock."""
        self._stats = replace(self._stats, **{name: getattr(self._stats, name) + n for name, n in more.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON: {value!r:.80}")
