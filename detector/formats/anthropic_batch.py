"""Anthropic message batches: requests ``{custom_id, params}`` and results ``{custom_id, result}``. Results carry no time: the file's counts."""

from __future__ import annotations

from typing import Any

from detector.event import Event
from detector.formats.base import NOTHING_GIVEN, Given, alone
from detector.formats.batches import Pairs, anthropic_half

NAME = "anthropic_batch"
DESCRIPTION = "Anthropic batch requests and results; needs an account"


def matches(row: dict[str, Any]) -> bool:
    """True for a line of either file."""
    return "custom_id" in row and (isinstance(row.get("params"), dict) or isinstance(row.get("result"), dict))


def collector(given: Given) -> Pairs:
    """A joiner of requests and answers."""
    return Pairs(given, anthropic_half)


def convert(row: dict[str, Any], given: Given = NOTHING_GIVEN) -> list[Event]:
    """The event of a line by itself. Raises RowError."""
    return alone(collector(given), row)
