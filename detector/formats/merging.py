"""Two reports of one call as one event, for those that come in separate requests.

A span and its log records are sent by different exporters at different times, often one with the content and the other
with the account. Within a body or a set of files they are joined; a store joins what comes later by this.
"""

from __future__ import annotations

import copy

import msgspec

from detector.event import Event
from detector.formats.otlp.content import fill

GIVEN = "given"  # the value of ``extra["identity"]`` where a report named no account itself


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
