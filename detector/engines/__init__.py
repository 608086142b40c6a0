"""Who runs the map: threads of this process, or the cores of this machine.

The reduce is :func:`detector.profiles.merge_all`. An engine only decides where tasks run, so every engine gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a picklable function over tasks."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in the order of the tasks."""
        ...


def load_engine(name: str) -> Engine:
    """The engine of a name. Raises ValueError for an unknown one."""
    if name == "local":
        from detector.engines.local import LocalEngine

        return LocalEngine()
    if name == "processes":
        from detector.engines.processes import ProcessEngine

        return ProcessEngine()
    raise ValueError(f"unknown engine {name!r}: choose local or processes")
