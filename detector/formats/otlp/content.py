"""What a call says, gathered from the attributes of its span and its log records.

Each dialect reads its own names and leaves the rest empty; the first that has a value for a field is heard. Dialects mix
within one span, for instrumentations move from one to the next and gateways add their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from detector.event import Content, Message, Params, Usage
from detector.formats.base import mapping, parsed

Attributes = dict[str, Any]
Rules = dict[str, tuple[Callable[[Any], Any], *tuple[str, ...]]]
AnyStruct = TypeVar("AnyStruct", bound=msgspec.Struct)
Found = TypeVar("Found")

MAX_REMEMBERED = 4_000_000  # bytes of names and what they decide, about; the records of an exporter need a few thousand
_ENTRY_BYTES, _NAME_BYTES = 500, 80  # what one takes beside its characters


class OfNames(Generic[Found]):
    """What the names of a record's attributes decide, whatever their values: found once for records of the same names."""

    def __init__(self, find: Callable[[tuple[str, ...]], Found]) -> None:
        self._find = find
        self._found: dict[tuple[str, ...], Found] = {}
        self._size = 0

    def __call__(self, attributes: Attributes) -> Found:
        """What their names decide."""
        names = tuple(attributes)
        try:
            return self._found[names]
        except KeyError:
            return self._learn(names)

    def _learn(self, names: tuple[str, ...]) -> Found:
        found = self._find(names)
        size = _ENTRY_BYTES + sum(_NAME_BYTES + len(name) for name in names)
        if self._size + size > MAX_REMEMBERED:  # names that never come again: begin anew
            self._found, self._size = {}, 0
        if size <= MAX_REMEMBERED:
            self._found[names] = found
            self._size += size
        return found


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
    """Fields that one attribute holds, under any of several names: the first that is neither missing nor empty counts."""

    def __init__(self, said: Rules, params: Rules, usage: Rules) -> None:
        """For each field what makes an attribute's value one of it, and the names of attributes that hold it."""
        rules = {
            name: (rank, place, field, make)
            for place, fields in enumerate((said, params, usage))
            for field, (make, *names) in fields.items()
            for rank, name in enumerate(names)
        }
        self.names = frozenset(rules)

        def those(names: tuple[str, ...]) -> list[tuple[str, int, str, Callable[[Any], Any]]]:
            there = sorted((rules[name][0], name) for name in names if name in rules)
            return [(name, *rules[name][1:]) for _, name in there]

        self._rules = OfNames(those)  # those of the names that are there, in the order in which they are heard

    def read(self, attributes: Attributes) -> Said | None:
        """What these names say; None where there are none of them."""
        rules = self._rules(attributes)
        if not rules:
            return None
        found: tuple[Attributes, Attributes, Attributes] = ({}, {}, {})
        for name, place, field, make in rules:
            value = attributes[name]
            if value is not None and value != "" and field not in found[place]:
                found[place][field] = make(value)
        said, params, usage = found
        if params:
            said["params"] = Params(**params)
        if usage:
            said["usage"] = Usage(**usage)
        return Said(**said)


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
