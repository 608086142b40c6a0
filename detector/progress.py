"""What long work tells of itself."""

from __future__ import annotations


class Progress:
    """A silent observer; override the methods to show them."""

    def stage(self, name: str) -> None:
        """A new stage begins; ``name`` says what is being done."""

    def advance(self, bytes_read: int, total_bytes: int, events: int) -> None:
        """So much of the input was read so far."""

    def step(self, done: int, total: int, what: str) -> None:
        """So many of the stage's steps are done; ``what`` they are, in the plural."""
