"""Everything in this process, one task after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from detector.engines import Result, Task


class LocalEngine:
    """The default: no start-up cost, results as they are made."""

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Results in the order of the tasks."""
        return map(function, tasks)
