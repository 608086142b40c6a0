"""Threads of this process: pays where the work lets go of the interpreter, as embedding does for more than half of it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from detector.engines import Result, Task

MAX_THREADS = 4  # more would wait for the interpreter


class LocalEngine:
    """The default: no start-up cost, results as they are made."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or min(os.cpu_count() or 1, MAX_THREADS)

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in the order of the tasks, which are taken one by one: at most one more than there are threads is held."""
        waiting: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) > self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
