"""One process a core: pays when the log lies in several files."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from detector.engines import Result, Task


class ProcessEngine:
    """Fresh processes (spawned, since forking a process with loaded threads is unsafe)."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Results as they are finished. A task's error ends the others and is raised."""
        with ProcessPoolExecutor(
            min(self.workers, max(len(tasks), 1)), mp_context=multiprocessing.get_context("spawn")
        ) as pool:
            futures = [pool.submit(function, task) for task in tasks]
            for future in as_completed(futures):
                yield future.result()
