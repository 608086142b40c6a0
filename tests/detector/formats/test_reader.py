"""Reading: every known container gives the same events, and bad rows are reported and stop nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.event import Event
from detector.formats import FormatError, parse_body, read
from detector.simulate import PRESETS, simulate
from tests.detector.builders import event

ROW = {
    "event_id": "e1",
    "timestamp": "2026-09-07T10:15:00.123Z",
    "account_id": "acct_1",
    "messages": [{"role": "user", "content": "hi"}],
}


def lines(events: list[Event]) -> bytes:
    """NDJSON of events."""
    return b"".join(msgspec.json.encode(e) + b"\n" for e in events)


def everything(path: Path, **options: object) -> tuple[list[Event], list[str]]:
    """All events and all reasons of rejection of a path."""
    batches = list(read([path], **options))  # type: ignore[arg-type]
    return [e for b in batches for e in b.events], [r.reason for b in batches for r in b.rejected]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """A small simulated log."""
    return simulate(PRESETS["smoke"], 2).events[:300]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".jsonl.gz", ".jsonl.zst", ".json"])
def test_containers_agree(tmp_path: Path, events: list[Event], suffix: str) -> None:
    """Plain, compressed and array files hold the same events, whatever the batch size."""
    data = lines(events) if suffix != ".json" else b"[" + b",".join(lines(events).splitlines()) + b"]"
    packed = {".jsonl.gz": gzip.compress, ".jsonl.zst": zstandard.ZstdCompressor().compress}.get(suffix, bytes)(data)
    (tmp_path / f"log{suffix}").write_bytes(packed)
    for size in (7, 8192):
        assert everything(tmp_path / f"log{suffix}", batch_events=size) == (events, [])


def test_parquet(tmp_path: Path, events: list[Event]) -> None:
    """A table with nested columns as JSON text is read as well."""
    table = [
        {
            "event_id": e.event_id,
            "timestamp": e.timestamp,
            "account_id": e.account_id,
            "messages": msgspec.json.encode(e.messages).decode(),
        }
        for e in events
    ]
    pl.DataFrame(table).write_parquet(tmp_path / "log.parquet")
    found, rejected = everything(tmp_path / "log.parquet")
    assert rejected == []
    assert [(e.event_id, e.timestamp, e.messages) for e in found] == [
        (e.event_id, e.timestamp, e.messages) for e in events
    ]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"event_id": None}, "event_id"),
        ({"event_id": ""}, "event_id"),
        ({"account_id": None}, "account_id"),
        ({"account_id": "x" * 300}, "account_id"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": None}, "timestamp"),
        ({"usage": {"input_tokens": "many"}}, "input_tokens"),
        ({"messages": 7}, "messages"),
        ({"timestamp": 1e300}, "timestamp"),
    ],
)
def test_a_bad_row_is_named_and_stops_nothing(tmp_path: Path, change: dict[str, object], word: str) -> None:
    """The reason names the field; the rows around are read; file and line are right."""
    (tmp_path / "log.jsonl").write_text(
        "\n".join(json.dumps(r) for r in ({**ROW, "event_id": "a"}, {**ROW, **change}, {**ROW, "event_id": "b"}))
    )
    (batch,) = read([tmp_path / "log.jsonl"])
    assert [e.event_id for e in batch.events] == ["a", "b"]
    assert [r.line for r in batch.rejected] == [2]
    assert word in batch.rejected[0].reason


@pytest.mark.parametrize(
    "when", ["2026-09-07T10:15:00Z", "2026-09-07T12:15:00+02:00", "2026-09-07 10:15:00", 1788776100, 1788776100000]
)
def test_times_in_every_usual_form(when: object) -> None:
    """Offsets, naive times (UTC) and epoch seconds or milliseconds mean the same moment."""
    parsed = parse_body(json.dumps({**ROW, "timestamp": when}).encode())
    assert parsed.events[0].timestamp.isoformat() == "2026-09-07T10:15:00+00:00"


def test_truncated_gzip_keeps_what_was_whole(tmp_path: Path, events: list[Event]) -> None:
    """Rows before the break are read and the break is reported."""
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(lines(events))[:-2000])
    found, rejected = everything(tmp_path / "log.jsonl.gz")
    assert 0 < len(found) < len(events)
    assert "cut off" in rejected[-1]


@pytest.mark.parametrize(
    ("name", "advice"),
    [("missing.jsonl", "does not exist"), ("log.docx", "unknown ending"), ("empty", "holds no log files")],
)
def test_unusable_paths_say_what_to_do(tmp_path: Path, name: str, advice: str) -> None:
    """A missing file, an unknown ending and an empty folder are told apart."""
    (tmp_path / "log.docx").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match=advice):
        list(read([tmp_path / name]))


@pytest.mark.parametrize(
    "body", [json.dumps([ROW, {"no": 1}]), json.dumps(ROW) + "\n" + json.dumps({"no": 1}), json.dumps(ROW, indent=1)]
)
def test_bodies_in_every_shape(body: str) -> None:
    """Arrays, NDJSON and one object over several lines are told apart by content; the bad item has its index."""
    parsed = parse_body(body.encode())
    assert [e.event_id for e in parsed.events] == ["e1"]
    assert [r.index for r in parsed.rejected] in ([], [1])


def test_unknown_fields_are_kept_and_secrets_are_not() -> None:
    """``extra`` holds what we do not know, without credentials at any depth."""
    row = {
        **ROW,
        "region": "eu",
        "headers": {
            "Authorization": "Bearer abc",
            "x-api-key": "k",
            "accept": "*/*",
            "note": "sk-abcdefghijklmnopqrstuv",
        },
    }
    extra = parse_body(json.dumps(row).encode()).events[0].extra
    assert extra == {"region": "eu", "headers": {"accept": "*/*", "note": "[redacted]"}}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
            lambda c: (
                st.lists(c, max_size=4)
                | st.dictionaries(st.sampled_from([*ROW, "x", "litellm_call_id", "metadata"]), c, max_size=6)
            ),
            max_leaves=20,
        ).map(lambda v: json.dumps(v).encode()),
    )
)
def test_any_body_is_read_or_refused_in_words(body: bytes) -> None:
    """Random bytes and random JSON give events, rejections or FormatError, never another error."""
    for format in ("auto", "canonical", "litellm"):
        try:
            parsed = parse_body(body, format)
        except FormatError as error:
            reason = str(error)
            assert reason
        else:
            assert all(r.error for r in parsed.rejected)


def test_deep_nesting_is_refused() -> None:
    """JSON nested a hundred thousand times is an error in words, not a crash."""
    parsed = parse_body(b"[" * 100_000)
    assert parsed.events == []
    assert "nested" in parsed.rejected[0].error


@given(st.integers(0, 10**6), st.text(min_size=1, max_size=50).filter(lambda t: t.isprintable()))
def test_events_round_trip(number: int, text: str) -> None:
    """What is written is read back."""
    made = event(number, text, number % 1440, (text, text), model=text)
    assert parse_body(msgspec.json.encode(made), "canonical").events == [made]
