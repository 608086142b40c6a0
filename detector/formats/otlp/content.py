"""What a call says, gathered from the attributes of its span and its log records.

Each dialect reads its own names and leaves the rest empty; the first that has a value for a field is heard. Dialects mix
within one span, for instrumentations move from one to the next and gateways add their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from detector.event import Content, Message, Params, Usage
from detector.formats.base import mapping, parsed

Attributes = dict[str, Any]
Rules = dict[str, tuple[Callable[[Any], Any], *tuple[str, ...]]]
AnyStruct = TypeVar("AnyStruct", bound=msgspec.Struct)


class Said(msgspec.Struct, kw_only=True, gc=False):
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
        mine = getattr(into, name)
        if mine is None or mine == []:
            setattr(into, name, getattr(more, name))
        elif isinstance(mine, msgspec.Struct) and (other := getattr(more, name)) != _empty(type(mine)):
            fill(mine, other)
    return into


@cache
def _empty(kind: type[msgspec.Struct]) -> msgspec.Struct:
    return kind()


class Plain:
    """Fields that one attribute holds, under any of several names: the first that is neither missing nor empty counts.

    The names that are there are looked up, rather than all that might be: of a call's forty possible ones it has ten.
    """

    def __init__(self, said: Rules, params: Rules, usage: Rules) -> None:
        """For each field what makes an attribute's value one of it, and the names of attributes that hold it."""
        self._rules = {
            name: (place, field, rank, make)
            for place, rules in enumerate((said, params, usage))
            for field, (make, *names) in rules.items()
            for rank, name in enumerate(names)
        }

    def read(self, attributes: Attributes) -> Said | None:
        """What these names say; None where there are none of them."""
        there = self._rules.keys() & attributes.keys()
        if not there:
            return None
        found: tuple[Attributes, Attributes, Attributes] = ({}, {}, {})
        second: list[tuple[int, int, str, Any]] = []  # under a name that others come before
        for name in there:
            value = attributes[name]
            if value is None or value == "":
                continue
            place, field, rank, make = self._rules[name]
            if rank:
                second.append((rank, place, field, make(value)))
            else:
                found[place][field] = make(value)
        for _, place, field, made in sorted(second, key=_rank) if second else ():
            found[place].setdefault(field, made)
        said, params, usage = found
        return Said(params=Params(**params), usage=Usage(**usage), **said)


def _rank(found: tuple[int, int, str, Any]) -> int:
    return found[0]


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
