"""The items of a JSON array, cut out one by one: of a file that is too large to hold, or around an item that is broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_IN_STRING = re.compile(rb'["\\]')
_OUTSIDE = re.compile(rb'["{}\[\],]')


def split(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    """Each item of an array, or each of several values that follow one another; None for one longer than ``limit``.

    Items are not checked: a broken one comes as it is, and usually leaves those after it whole.
    """
    buffer = bytearray()
    scan = depth = 0
    base: int | None = None  # depth at which items lie: 1 within an array, 0 without one
    in_string = too_long = False

    def cut(end: int, skip: int) -> bytes | None:
        nonlocal scan, too_long
        item = None if too_long or end > limit else bytes(buffer[:end])
        del buffer[: end + skip]
        scan, too_long = 0, False
        return item

    for chunk in chunks:
        buffer += chunk
        while True:
            found = (_IN_STRING if in_string else _OUTSIDE).search(buffer, scan)
            if found is None:
                scan = len(buffer)
                break
            mark, scan = found[0], found.end()
            if in_string:
                if mark == b'"':
                    in_string = False
                elif scan == len(buffer):  # the escaped character is still to come
                    scan -= 1
                    break
                else:
                    scan += 1
                continue
            if base is None:
                base = 1 if mark == b"[" else 0
                if base:
                    depth = 1
                    cut(scan, 0)
                    continue
            if mark == b'"':
                in_string = True
            elif mark in b"{[":
                depth += 1
            elif mark in b"}]":
                depth -= 1
                if depth < base:
                    depth, base = 0, None
                    if (item := cut(scan - 1, 1)) is None or item.strip():
                        yield item
                elif depth == base == 0:
                    yield cut(scan, 0)
                    base = None
            elif depth == base == 1:
                yield cut(scan - 1, 1)
        if scan == len(buffer) > limit:
            buffer.clear()
            scan, too_long = 0, True
    if too_long or len(buffer) > limit:
        yield None
    elif buffer.strip():
        yield bytes(buffer)
