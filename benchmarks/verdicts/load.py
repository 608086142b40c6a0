"""A load generator: requests at a constant rate over kept connections, timed from when each was due.

Timing from the due time, not from the sending, counts the waiting that a slow answer causes to those behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

CONNECTIONS = 8  # of the gateway's pool


class Run(NamedTuple):
    """Outcome of a run: seconds until each answer, and how many answers were not as expected."""

    seconds: np.ndarray
    wrong: int
    rate: float  # answers a second


async def constant_rate(
    port: int, rate: float, duration: float, request: Callable[[int], bytes], good: Callable[[int, bytes], bool]
) -> Run:
    """Send ``rate`` requests a second for ``duration`` seconds; ``good`` judges the answer to the n-th."""
    total = int(rate * duration)
    due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
    seconds = np.zeros(total)
    wrong = 0

    async def connection() -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            number, when = await due.get()
            if number < 0:
                break
            writer.write(request(number))
            answer = await _answer(reader)
            seconds[number] = time.perf_counter() - when
            wrong += not good(number, answer)
        writer.close()

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


async def closed_loop(port: int, duration: float, requests: Sequence[bytes]) -> float:
    """Answers a second when each connection asks again at once."""
    done = 0
    end = time.perf_counter() + duration

    async def connection(first: int) -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = first
        while time.perf_counter() < end:
            writer.write(requests[number % len(requests)])
            await _answer(reader)
            number += CONNECTIONS
            done += 1
        writer.close()

    await asyncio.gather(*(connection(n) for n in range(CONNECTIONS)))
    return done / duration


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + (await reader.readexactly(length) if length else b"")
