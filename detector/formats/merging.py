"""One call told of in separate requests.

A span and its log records are sent by different exporters at different times, often one with the content and the other
with the account. Within a body or a set of files they are joined; a store keeps parts of what comes in several requests and
joins them when they are there, and merges what comes later still.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from detector.event import Event
from detector.formats.base import GIVEN, Given, OpenCollector, RowError
from detector.formats.otlp.content import fill
from detector.formats.registry import FORMATS


def join(family: str, parts: Iterable[bytes], given: Given) -> Iterator[Event | RowError]:
    """The calls that the parts of one group tell of, in whatever order they come."""
    module: Any = next(f for f in FORMATS.values() if getattr(f, "JOINED", f.NAME) == family)
    collector: OpenCollector = module.collector(given)
    for data in parts:
        collector.restore(data)
    for _, found in collector.take():
        yield found


def merge(one: Event, other: Event) -> Event:
    """The event that both tell of: what one leaves out is the other's, whichever comes first.

    The account is that of the report that names one; where both have a value, the earlier report's counts.
    """
    first, second = sorted((one, other), key=_order)
    whole = fill(copy.deepcopy(first), copy.deepcopy(second))
    whole.timestamp = min(one.timestamp, other.timestamp)
    whole.extra = {**second.extra, **first.extra}
    return whole


def _order(event: Event) -> tuple[bool, object, bytes]:
    return event.extra.get("identity") == GIVEN, event.timestamp, msgspec.json.encode(event)
