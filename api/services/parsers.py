"""Where bodies are read: small ones at once, others in threads, and those that take long in processes beside the API.

Reading OpenTelemetry or a gateway's own format is work for Python, of which one process does one thing at a time: a body read
there would hold up all answers, and more processors would not help. JSON of our own format is read by a library in less time than
it takes to hand it over.
"""

from __future__ import annotations

import asyncio
import os
import queue
import select
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from api.services import parsing
from api.services.parser_process import FAULTS, READY, Answer, receive, send
from api.services.parsing import Amend, BadBody, Hold, Parsed, Task
from api.services.writer import Busy
from detector.formats import canonical
from detector.formats.registry import AUTO

INLINE_BYTES = 32_768  # a smaller body is parsed at once; handing it to a thread would cost more
THREADS = 2  # larger bodies worked on at once: more would need more memory and, in one process, save no time
BUFFER_BYTES = 2 << 20  # asked of the kernel, which may give less
START_SECONDS = 30.0  # a process that has not begun by then never will
AGAIN_SECONDS = 60.0  # until the next try where one could not be started
STOP_SECONDS = 5.0
QUICK = (AUTO, canonical.NAME)  # formats not worth handing over

log = structlog.get_logger()

_ENCODER = msgspec.msgpack.Encoder()
_ANSWER = msgspec.msgpack.Decoder(Answer)


class Parsers:
    """Reads bodies; shared by all routes of one process."""

    def __init__(self, processes: int) -> None:
        """``processes``: how many read the bodies that take long. Each is started when it is first needed."""
        count = processes if (os.cpu_count() or 1) > 1 else 0  # a single processor would only change hands
        self._threads = ThreadPoolExecutor(max(THREADS, count), "parser")
        self._processes = [_Process() for _ in range(count)]
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)

    def close(self) -> None:
        """End them, after what they work on."""
        self._threads.shutdown()
        for process in self._processes:
            process.close()

    async def parse(self, raw: bytes, task: Task, amend: Amend | None, hold: Hold) -> Parsed:
        """The rows of a body. Raises BadBody, TooMany, bodies.TooLarge, Busy."""
        at_once = len(raw) <= INLINE_BYTES and not task.encoding and hold is parsing.as_they_came
        if at_once:
            return parsing.parse(raw, task, amend)
        try:
            doing = self._threads.submit(self._parse, raw, task, amend, hold)
        except RuntimeError as error:
            raise Busy("the service is stopping") from error
        return await asyncio.wrap_future(doing)

    def _parse(self, raw: bytes, task: Task, amend: Amend | None, hold: Hold) -> Parsed:
        if amend or hold is not parsing.as_they_came or task.format in QUICK or not self._processes:
            return parsing.parse(raw, task, amend, hold)
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            return parsing.parse(raw, task)
        try:
            return process.parse(raw, task)
        finally:
            self._idle.put(process)


class _Process:
    """One process, and the socket to it; used by one thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._end: socket.socket | None = None
        self._is_ready = False
        self._not_before = 0.0  # on the monotonic clock

    def parse(self, raw: bytes, task: Task) -> Parsed:
        """The rows of a body, read over there once the process has begun. Raises as ``parsing.parse`` does."""
        if not self._begun(0):
            return parsing.parse(raw, task)
        try:
            return self._ask(raw, task)
        except (OSError, EOFError):
            self.close()
            log.warning("a process that reads bodies died; the body is read again", format=task.format, bytes=len(raw))
        try:  # not here: a body that ends processes must not end the API
            if self._begun(START_SECONDS):
                return self._ask(raw, task)
        except (OSError, EOFError):
            self.close()
        log.error("a body cannot be read: the processes that read it died", format=task.format, bytes=len(raw))
        raise BadBody("the process that read the body died, twice")

    def close(self) -> None:
        """End it; the next body starts another."""
        process, self._process = self._process, None
        if self._end is not None:
            self._end.close()
        self._end, self._is_ready = None, False
        if process is None:
            return
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _begun(self, seconds: float) -> bool:
        """True once it can be asked; starts it, and waits for so long."""
        try:
            if self._end is None:
                if time.monotonic() < self._not_before:
                    return False
                self._end = self._start()
            if not self._is_ready and _has_bytes(self._end, seconds):
                self._is_ready = receive(self._end) == READY
        except (OSError, EOFError) as error:
            log.warning("a process that reads bodies cannot be started", error=str(error))
            self._not_before = time.monotonic() + AGAIN_SECONDS
            self.close()
        return self._is_ready

    def _start(self) -> socket.socket:
        mine, theirs = socket.socketpair()
        for end in (mine, theirs):  # a body goes over in a step or two, for each of which Python's lock is waited for
            for side in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, side, BUFFER_BYTES)
        with theirs:
            command = [sys.executable, "-m", "api.services.parser_process"]
            self._process = subprocess.Popen(command, stdin=theirs.fileno())
        return mine

    def _ask(self, raw: bytes, task: Task) -> Parsed:
        assert self._end is not None
        send(self._end, _ENCODER.encode(task), raw)
        answer = _ANSWER.decode(receive(self._end))
        if answer.parsed is None:
            raise FAULTS[answer.fault](answer.reason)
        return answer.parsed


def _has_bytes(end: socket.socket, seconds: float) -> bool:
    """Whether something can be read within so long; ``select`` cannot tell of the thousandth socket."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
