"""The log on standard output, which cannot stop the service: where it lies on a full disk, lines are lost, and nothing else."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO, cast

import structlog


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


def configure_log(part: str) -> None:
    """One line of JSON an event on standard output, also of what libraries log; each names the part of the service."""

    def name_part(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        return {"part": part, **event}

    common: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,  # e.g. the request's id
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_part,
    ]
    rendering: list[structlog.types.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]
    output = Lossy(sys.stdout)
    structlog.configure(
        processors=[*common, *rendering],
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, output)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    foreign = [*common, structlog.stdlib.add_logger_name]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[remove, *rendering], foreign_pre_chain=foreign)
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
