"""What a call says, gathered from the attributes of its span and its log records.

Each dialect reads its own names and leaves the rest empty; the first that has a value for a field is heard. Dialects mix
within one span, for instrumentations move from one to the next and gateways add their own.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from detector.event import Content, Message, Params, Usage
from detector.formats.base import mapping, parsed

Attributes = dict[str, Any]
AnyStruct = TypeVar("AnyStruct", bound=msgspec.Struct)


class Said(msgspec.Struct, kw_only=True):
    """The fields of an event that a dialect knows; empty ones are left to the next."""

    model: str | None = None
    operation: str | None = None
    system: Content = None
    messages: list[Message] = []
    tools: list[Any] | None = None
    params: Params = msgspec.field(default_factory=Params)
    usage: Usage = msgspec.field(default_factory=Usage)
    response: Any = None
    finish_reason: str | None = None
    session_id: str | None = None
    end_user_id: str | None = None  # as the client claims it


def fill(into: AnyStruct, more: AnyStruct) -> AnyStruct:
    """Take from ``more`` what ``into`` does not have, field by field."""
    for name in into.__struct_fields__:
        mine, other = getattr(into, name), getattr(more, name)
        if isinstance(mine, msgspec.Struct):
            fill(mine, other)
        elif mine is None or mine == []:
            setattr(into, name, other)
    return into


def nested(attributes: Attributes, prefix: str) -> list[Attributes]:
    """The items of a flattened list: ``llm.input_messages.0.message.role`` becomes ``message.role`` of the first."""
    items: dict[int, Attributes] = {}
    for name, value in attributes.items():
        if name.startswith(prefix):
            index, dot, rest = name[len(prefix) :].partition(".")
            if dot and index.isdigit() and len(index) <= 6:
                items.setdefault(int(index), {})[rest] = value
    return [items[index] for index in sorted(items)]


def json_object(value: Any) -> Attributes:
    """An object, also from JSON text."""
    return mapping(parsed(value))
