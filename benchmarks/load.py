"""A load generator: requests over kept connections, at a constant rate or one after another.

At a constant rate requests are timed from when each was due, not from the sending: this counts the waiting that a slow
answer causes to those behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import inf
from typing import NamedTuple

import numpy as np

CONNECTIONS = 8  # of the gateway's pool

Request = Callable[[int], bytes]  # the n-th, whole
Judge = Callable[[int, bytes], bool]  # whether the answer to the n-th is as expected


class Run(NamedTuple):
    """Outcome of a run: seconds until each answer, and how many answers were not as expected."""

    seconds: np.ndarray
    wrong: int
    rate: float  # answers a second


async def constant_rate(port: int, rate: float, duration: float, request: Request, good: Judge) -> Run:
    """Send ``rate`` requests a second for ``duration`` seconds; ``good`` judges the answer to the n-th."""
    total = int(rate * duration)
    due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
    seconds = np.zeros(total)
    wrong = 0

    async def connection() -> None:
        nonlocal wrong
        kept = Connection(port)
        await kept.open()
        while True:
            number, when = await due.get()
            if number < 0:
                break
            answer = await kept.ask(request(number))
            seconds[number] = time.perf_counter() - when
            wrong += not good(number, answer)
        kept.close()

    tasks = [asyncio.create_task(connection()) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.2)  # all are connected
    start = time.perf_counter()
    for number in range(total):
        when = start + number / rate
        if (wait := when - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((number, when))
    for _ in tasks:
        due.put_nowait((-1, 0.0))
    await asyncio.gather(*tasks)
    return Run(seconds, wrong, total / (time.perf_counter() - start))


async def closed_loop(port: int, duration: float, request: Request, good: Judge, most: float = inf) -> Run:
    """Each connection sends its next request as soon as the last one is answered, ``most`` of them in all."""
    seconds: list[float] = []
    wrong = count = 0
    start = time.perf_counter()

    async def connection() -> None:
        nonlocal wrong, count
        kept = Connection(port)
        await kept.open()
        while (sent := time.perf_counter()) < start + duration and count < most:
            number, count = count, count + 1
            answer = await kept.ask(request(number))
            seconds.append(time.perf_counter() - sent)
            wrong += not good(number, answer)
        kept.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return Run(np.array(seconds), wrong, len(seconds) / (time.perf_counter() - start))


class Connection:
    """A kept connection, opened again where the server has closed it, as servers do with idle ones."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, request: bytes) -> bytes:
        """Send a request and read the answer."""
        try:
            self._writer.write(request)
            return await self._answer()
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.open()
            self._writer.write(request)
            return await self._answer()

    def close(self) -> None:
        """Close."""
        self._writer.close()

    async def _answer(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return head + (await self._reader.readexactly(length) if length else b"")
