"""Where the records of an OTLP request lie in its bytes. Traces and logs are laid out alike: resources (field 1), in each of
them the resource itself (1) and scopes (2), in each of these the records (2)."""

from __future__ import annotations

from collections.abc import Iterator

FIELDS_A_RECORD = 10  # stepped over, at most, for each record that is allowed: bounds the work on hostile bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class Damaged(ValueError):
    """The bytes are no such message."""


def records(body: bytes, most: int) -> Iterator[tuple[bytes, bytes]]:
    """The encoded resource and the encoded span or log record, one after another. Raises Damaged, also beyond ``most``."""
    walk = _Walk(body, most * FIELDS_A_RECORD)
    count = 0
    for of_resource in walk.inside(slice(0, len(body)), 1):
        resource = b"".join(body[place] for place in walk.inside(of_resource, 1))
        for of_scope in walk.inside(of_resource, 2):
            for place in walk.inside(of_scope, 2):
                count += 1
                if count > most:
                    raise Damaged(f"more than {most:,} records: send smaller batches")
                yield resource, body[place]


class _Walk:
    """Steps over the fields of messages, so many and no more."""

    def __init__(self, data: bytes, steps: int) -> None:
        self._data = data
        self._left = steps

    def inside(self, message: slice, wanted: int) -> Iterator[slice]:
        """The places of a message's fields of one number that hold bytes."""
        data, key = self._data, wanted << 3 | _BYTES
        at, end = message.start, message.stop
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise Damaged("more fields than any sender of records has: send smaller batches")
            tag, at = (data[at], at + 1) if data[at] < 128 else self._varint(at, end)
            kind, place = tag & 7, at
            if kind == _BYTES:
                size, place = (data[at], at + 1) if at < end and data[at] < 128 else self._varint(at, end)
                at = place + size
            elif kind == _VARINT:
                _, at = self._varint(at, end)
            elif kind in (_FIXED64, _FIXED32):
                at += 8 if kind == _FIXED64 else 4
            else:
                raise Damaged(f"a field is of the unknown kind {kind}")
            if at > end:
                raise Damaged("it is cut off")
            if tag == key:
                yield slice(place, at)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """A number and the place after it."""
        value = shift = 0
        for place in range(at, min(end, at + _LONGEST_VARINT)):
            byte = self._data[place]
            value |= (byte & 127) << shift
            if byte < 128:
                return value, place + 1
            shift += 7
        raise Damaged("it is cut off" if end - at < _LONGEST_VARINT else "a number is too long")
