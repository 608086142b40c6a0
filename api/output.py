"""Standard output that cannot stop the service: where its log lies on a full disk, lines are lost, and nothing else."""

from __future__ import annotations

from typing import TextIO


class Lossy:
    """A text stream whose failures to write go unnoticed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush what can be flushed. What cannot stays in the stream's buffer and is tried again with the next line."""
        try:
            self._stream.flush()
        except OSError:
            return
