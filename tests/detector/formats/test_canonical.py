"""The canonical format: what is accepted, what is refused in which words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.event import Event
from detector.formats import FormatError, parse_body
from tests.detector.formats.bodies import encode, events, row

WHEN = datetime(2026, 9, 7, 10, 15, 0, 250_000, UTC)


def one(found: Any) -> Event:
    """The only event of a body."""
    assert found.rejected == []
    assert len(found.events) == 1
    return found.events[0]


def reason(**fields: Any) -> str:
    """Why a row with these fields is refused."""
    found = parse_body(encode(row(**fields)), "canonical")
    assert found.events == []
    return found.rejected[0].error


@settings(max_examples=60, deadline=None)
@given(found=st.lists(events, min_size=1, max_size=5))
def test_round_trip(found: list[Event]) -> None:
    """Any event survives encoding and reading, as an array and as lines."""
    lines = [msgspec.json.encode(e) for e in found]
    assert parse_body(b"[" + b",".join(lines) + b"]").events == found
    assert parse_body(b"\n".join(lines)).events == found


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-07T10:15:00.250Z",
        "2026-09-07T12:15:00.250+02:00",
        "2026-09-07T10:15:00.250",
        "2026-09-07 10:15:00.250",
        "20260907T101500.250Z",
        1788776100.25,
        1788776100250,
        1788776100250000,
        1788776100250000000,
        "1788776100.25",
    ],
)
def test_times(value: Any) -> None:
    """RFC 3339 with any offset, without one, and numbers from seconds to nanoseconds are the same moment in UTC."""
    event = one(parse_body(encode(row(timestamp=value))))
    assert event.timestamp == WHEN
    assert event.timestamp.tzinfo is UTC


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"timestamp": None}, "timestamp: missing"),
        ({"timestamp": "soon"}, "timestamp: found 'soon', expected a time such as"),
        ({"timestamp": True}, "timestamp: found true or false"),
        ({"timestamp": 1e30}, "timestamp: found"),
        ({"timestamp": "0001-01-01T00:00:00+05:00"}, "between 1970 and 2100"),
        ({"timestamp": "9999-12-31T23:59:59-05:00"}, "between 1970 and 2100"),
        ({"event_id": ""}, "event_id: missing or empty"),
        ({"event_id": None}, "event_id: missing or empty"),
        ({"event_id": ["x"]}, "event_id: found an array, expected text"),
        ({"event_id": "x" * 257}, "event_id: found 257 characters, expected at most 256"),
        ({"account_id": {}}, "account_id: found an object, expected text"),
        ({"messages": "hello"}, "messages: expected an array, found text"),
        ({"messages": [3]}, "messages[0]: expected an object, found a whole number"),
        ({"messages": [{"content": 5}]}, "messages[0].content: expected"),
        ({"usage": {"output_tokens": 10**30}}, "usage.output_tokens: expected a whole number <= 9007199254740992"),
        ({"usage": {"output_tokens": -1}}, "usage.output_tokens: expected a whole number >= 0"),
        ({"params": {"temperature": "hot"}}, "params.temperature: expected"),
    ],
)
def test_reasons(fields: dict[str, Any], words: str) -> None:
    """A refusal names the field, what was found and what was expected."""
    assert words in reason(**fields)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_not_a_number(number: str) -> None:
    """NaN and infinities are refused in words, and the other rows of the array are kept."""
    bad = encode(row(1)).replace(b"34", number.encode())
    found = parse_body(b"[" + bad + b"," + encode(row(2)) + b"]")
    assert [e.event_id for e in found.events] == ["e2"]
    assert [(r.index, r.error) for r in found.rejected] == [
        (0, "no JSON: holds NaN or Infinity, expected a number or null")
    ]


def test_lenient() -> None:
    """Numbers as ids, numbers as text, nulls for what is absent: what others write is read."""
    event = one(
        parse_body(
            encode(
                row(
                    event_id=17,
                    account_id=4,
                    status="200",
                    usage=None,
                    params={"temperature": None, "max_tokens": "64"},
                    messages=[{"role": None, "content": "hi"}],
                    account={"created_at": 1700000000, "plan": None},
                )
            )
        )
    )
    assert (event.event_id, event.account_id, event.status, event.params.max_tokens) == ("17", "4", 200, 64)
    assert event.messages[0].role == "user"
    assert event.account.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_unknown_fields_are_kept_without_secrets() -> None:
    """Unknown fields go to ``extra``; credentials among them do not."""
    body = encode(row(region="eu", headers={"Authorization": "Bearer abcdef123456", "x-trace": "t1"}, extra={"a": 1}))
    assert one(parse_body(body)).extra == {"a": 1, "region": "eu", "headers": {"x-trace": "t1"}}
    assert one(parse_body(body, keep_extra=False)).extra == {}


def test_known_extra_is_redacted_on_the_fast_path() -> None:
    """A row of known fields only is decoded at once; its ``extra`` loses its secrets all the same."""
    event = one(parse_body(encode(row(extra={"api_key": "x", "note": "key sk-abcdefghijkl1234"}))))
    assert event.extra == {"note": "[redacted]"}


def test_account_argument() -> None:
    """The argument owns rows that name nobody, and no others."""
    unnamed = {k: v for k, v in row(1).items() if k != "account_id"}
    found = parse_body(encode([unnamed, row(2)]), "canonical", account="from-the-key")
    assert [e.account_id for e in found.events] == ["from-the-key", "acct_a"]


def test_index_counts_items() -> None:
    """An index counts the array's items, or the lines that are not blank."""
    rows = [encode(row(1)), b'{"event_id": "x"}', encode(row(3)), b'"text"', encode(row(5))]
    for body in (b"[" + b",".join(rows) + b"]", b"\r\n\r\n".join(rows)):
        found = parse_body(body)
        assert [e.event_id for e in found.events] == ["e1", "e3", "e5"]
        assert [r.index for r in found.rejected] == [1, 3]


@pytest.mark.parametrize("body", [b"", b" \n ", b"hello", b"[{]", b"\xff\xfe", b"{", b"[", b'{"a":1', b"NaN"])
def test_no_body(body: bytes) -> None:
    """A body of which nothing can be read is an error with advice."""
    with pytest.raises(FormatError, match="body"):
        parse_body(body)


def test_cut_off_array_keeps_what_came_before() -> None:
    """An array that ends in the middle of a row loses that row alone."""
    found = parse_body(b"[" + encode(row(1)) + b", " + encode(row(2))[:-10])
    assert [e.event_id for e in found.events] == ["e1"]
    assert [r.index for r in found.rejected] == [1]


def test_text_that_is_no_text_does_not_hide_a_row() -> None:
    """Bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD; the row is kept."""
    body = b"[" + encode(row(1, model="half \ud83d pair")) + b"," + encode(row(2)).replace(b"2?", b"\xff?") + b"]"
    found = parse_body(body)
    assert [e.event_id for e in found.events] == ["e1", "e2"]
    assert found.events[0].model == "half \ufffd pair"
    assert found.events[1].messages[0].content == "Question \ufffd?"


def test_deep_nesting_is_refused() -> None:
    """A row nested a hundred thousand levels deep is refused in words and hurts no other."""
    deep = encode(row(1)).replace(b'"An answer."', b"[" * 100_000 + b"]" * 100_000)
    found = parse_body(encode(row(2)) + b"\n" + deep)
    assert [e.event_id for e in found.events] == ["e2"]
    assert "nested too deeply" in found.rejected[0].error


def test_one_object_over_many_lines() -> None:
    """A pretty-printed object is one row."""
    assert one(parse_body(json.dumps(row(1), indent=2).encode())).event_id == "e1"


def test_byte_order_mark() -> None:
    """A byte order mark before a body is skipped."""
    assert one(parse_body(b"\xef\xbb\xbf" + encode(row(1)))).event_id == "e1"


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200) | st.text('[]{}",:\\ne1 ', max_size=60).map(str.encode))
def test_random_bytes(body: bytes) -> None:
    """Whatever comes, the answer is events, rejections or a FormatError."""
    try:
        found = parse_body(body)
    except FormatError:
        return
    assert all(r.error for r in found.rejected)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(sorted(f.name for f in msgspec.structs.fields(Event))), json_values))
def test_any_value_in_any_field(fields: dict[str, Any]) -> None:
    """A row with any JSON in any field is read or refused, and what is read can be written and read again."""
    found = parse_body(encode(row(**fields)), "canonical")
    assert len(found.events) + len(found.rejected) == 1
    for event in found.events:
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event
