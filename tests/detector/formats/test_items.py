"""Cutting arrays into items, however the bytes arrive."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from detector.formats.items import split
from tests.detector.formats.test_canonical import json_values

objects = st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=3), max_size=6)


def pieces(data: bytes, size: int) -> list[bytes]:
    """The bytes in pieces of one size."""
    return [data[i : i + size] for i in range(0, len(data), size)]


@given(rows=objects, size=st.integers(1, 40), indent=st.sampled_from([None, 1]))
def test_items_of_an_array(rows: list[Any], size: int, indent: int | None) -> None:
    """Any array, in any pieces, falls into its items."""
    data = json.dumps(rows, indent=indent).encode()
    assert [json.loads(i or b"") for i in split(pieces(data, size), 10_000)] == rows


@given(rows=objects, size=st.integers(1, 40), between=st.sampled_from(["", "\n", " \r\n"]))
def test_values_one_after_another(rows: list[Any], size: int, between: str) -> None:
    """Objects that follow one another are items, too."""
    data = between.join(map(json.dumps, rows)).encode()
    assert [json.loads(i or b"") for i in split(pieces(data, size), 10_000)] == rows


@given(data=st.binary(max_size=200) | st.text('[]{}",:\\\\ a', max_size=200).map(str.encode), size=st.integers(1, 40))
def test_any_bytes(data: bytes, size: int) -> None:
    """Any bytes are cut without an error, in the same way whatever the pieces."""
    assert list(split(pieces(data, size), 1000)) == list(split([data], 1000))


def test_too_long() -> None:
    """An item beyond the limit is given up, the next ones are not."""
    data = b'[{"a": 1}, {"b": "' + b"x" * 500 + b'"}, {"c": 3}]'
    for size in (7, 10_000):
        found = list(split(pieces(data, size), 100))
        assert [i and i.strip() for i in found] == [b'{"a": 1}', None, b'{"c": 3}']
