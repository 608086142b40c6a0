"""OpenAI batch files: input lines ``{custom_id, method, url, body}`` and output lines ``{id, custom_id, response}``."""

from __future__ import annotations

from typing import Any

from detector.event import Event
from detector.formats.base import NOTHING_GIVEN, Given, alone
from detector.formats.batches import Pairs, openai_half

NAME = "openai_batch"
DESCRIPTION = "OpenAI batch requests and results; needs an account"


def matches(row: dict[str, Any]) -> bool:
    """True for a line of either file."""
    return "custom_id" in row and ("response" in row or ("url" in row and isinstance(row.get("body"), dict)))


def collector(given: Given) -> Pairs:
    """A joiner of requests and answers."""
    return Pairs(given, openai_half)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a line by itself. Raises RowError."""
    return alone(collector(given), row)
