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
from tests.detector.formats.bodies import encode, litellm, row

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


@pytest.mark.parametrize("spoilt", [b"", b"{broken\n", b'\n{"event_id": 7, "account_id": "a"}\n'])
def test_some_events_are_read_alone(tmp_path: Path, events: list[Event], spoilt: bytes) -> None:
    """Events that are asked for by their ids are those of the whole log, bad and blank lines among them or not."""
    (tmp_path / "log.jsonl").write_bytes(lines(events[:90]) + spoilt + lines(events[90:]))
    for wanted in ({e.event_id for e in events[80:120:3]}, {events[-1].event_id}, {"of another log"}):
        found, _ = everything(tmp_path / "log.jsonl", only=wanted)
        assert [e for e in found if e.event_id in wanted] == [e for e in events if e.event_id in wanted]
        assert spoilt or len(found) == len(wanted & {e.event_id for e in events})


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


def ids(path: Path | str, **options: object) -> list[str]:
    """Ids of the events of a path that has no bad row."""
    found, rejected = everything(path, **options)  # type: ignore[arg-type]
    assert rejected == []
    return [e.event_id for e in found]


def test_windows_files(tmp_path: Path) -> None:
    """A byte order mark, CRLF and blank lines are no errors, and lines are counted as an editor counts them."""
    content = b"\xef\xbb\xbf" + encode(row(1)) + b"\r\n\r\n" + encode(row(2)) + b"\r\nbad\r\n" + encode(row(3))
    (tmp_path / "log.jsonl").write_bytes(content)
    (batch,) = read([tmp_path / "log.jsonl"])
    assert [e.event_id for e in batch.events] == ["e1", "e2", "e3"]
    assert [(r.line, r.reason.partition(":")[0]) for r in batch.rejected] == [(4, "no JSON")]
    assert batch.bytes_read == batch.total_bytes == len(content)


def test_patterns_folders_and_doubles(tmp_path: Path) -> None:
    """Folders are searched, hidden files passed over, patterns resolved, and no file is read twice."""
    (tmp_path / "sub").mkdir()
    for number, name in enumerate(["a.jsonl", "b.ndjson", "sub/c.json", ".hidden.jsonl", "notes.txt"]):
        (tmp_path / name).write_bytes(encode(row(number)))
    assert ids(tmp_path) == ["e0", "e1", "e2"]
    assert ids(tmp_path / "*.jsonl") == ["e0"]
    assert ids(tmp_path / "**" / "*.json") == ["e2"]
    found = [e.event_id for b in read([tmp_path / "a.jsonl", tmp_path]) for e in b.events]
    assert found == ["e0", "e1", "e2"]


@pytest.mark.parametrize("name", ["x.jsonl.gz", "x.jsonl.zst", "x.parquet"])
def test_endings_that_lie(tmp_path: Path, name: str) -> None:
    """A file that is not what its ending says is an error before anything is read."""
    (tmp_path / name).write_bytes(encode(row(1)))
    with pytest.raises(FormatError, match="though its ending says so"):
        list(read([tmp_path]))


def test_nothing_in_it(tmp_path: Path) -> None:
    """Empty files are an error where there is nothing else, and no error beside others."""
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(FormatError, match="is empty"):
        list(read([tmp_path / "a.jsonl"]))
    (tmp_path / "b.jsonl").write_bytes(encode(row(1)))
    assert ids(tmp_path) == ["e1"]
    with pytest.raises(FormatError, match="nothing to read"):
        list(read([]))


def test_unknown_format(tmp_path: Path) -> None:
    """A format that does not exist is named with those that do."""
    with pytest.raises(FormatError, match="litellm"):
        list(read([tmp_path], format="csv"))


def test_cut_off_zstd(tmp_path: Path, events: list[Event]) -> None:
    """A Zstandard file that ends too early is read up to there and reported; several frames are one file."""
    packed = zstandard.ZstdCompressor().compress(lines(events[:150])) + zstandard.ZstdCompressor().compress(
        lines(events[150:])
    )
    (tmp_path / "log.jsonl.zst").write_bytes(packed)
    assert everything(tmp_path / "log.jsonl.zst") == (events, [])
    (tmp_path / "log.jsonl.zst").write_bytes(packed[:-20])
    found, rejected = everything(tmp_path / "log.jsonl.zst")
    assert found == events[: len(found)]
    assert 150 <= len(found) < 300
    assert "cut off here" in rejected[-1]


def test_cut_off_json_array(tmp_path: Path) -> None:
    """Of an array in a cut-off gzip file the whole items are kept."""
    data = b"[" + b",\n".join(encode(row(n, model=f"m{n * n * 7919}")) for n in range(500)) + b"]"
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(data)[:-1500])
    found, rejected = everything(tmp_path / "log.json.gz")
    assert [e.event_id for e in found] == [f"e{n}" for n in range(len(found))]
    assert len(found) > 10
    assert "cut off here" in rejected[-1]


def test_damaged_parquet(tmp_path: Path, events: list[Event]) -> None:
    """A damaged table is reported and hides no other file."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(100))
    (tmp_path / "b.jsonl").write_bytes(lines(events))
    found, rejected = everything(tmp_path)
    assert found == events
    assert ["Parquet file breaks here" in r for r in rejected] == [True]


def test_parquet_with_nested_columns(tmp_path: Path) -> None:
    """Structs, lists of structs and real times are read like JSON, and absent cells are absent."""
    rows = [row(1, params={"temperature": 0.5, "seed": None}), row(2, params=None, usage=None)]
    table = pl.DataFrame(rows).with_columns(pl.col("timestamp").str.to_datetime(time_zone="UTC"))
    table.write_parquet(tmp_path / "log.parquet")
    found, rejected = everything(tmp_path / "log.parquet")
    assert rejected == []
    assert found == [e for r in rows for e in parse_body(encode(r)).events]


def test_parquet_fast_and_thorough_agree(tmp_path: Path, events: list[Event]) -> None:
    """A table of good rows is read in one go, one with a bad row among them row by row: the same events."""
    rows = [msgspec.to_builtins(e) for e in events]
    for r in rows:
        r.pop("extra", None)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame.write_parquet(tmp_path / "good.parquet")
    bad = pl.concat([frame[:100], frame[:1].with_columns(event_id=pl.lit("")), frame[100:]])
    bad.write_parquet(tmp_path / "bad.parquet")
    good_events, rejected = everything(tmp_path / "good.parquet")
    assert rejected == []
    assert [(e.event_id, e.timestamp, e.usage, e.client) for e in good_events] == [
        (e.event_id, e.timestamp, e.usage, e.client) for e in events
    ]
    batches = list(read([tmp_path / "bad.parquet"]))
    assert [e for b in batches for e in b.events] == good_events
    assert [r.line for b in batches for r in b.rejected] == [101]


@pytest.mark.parametrize("name", ["log.jsonl", "log.json"])
def test_huge_rows_are_rejected_unread(tmp_path: Path, name: str) -> None:
    """A row beyond the limit is reported, and the rows around it are read, whatever pieces the file comes in."""
    rows = [encode(row(n)) for n in range(4)]
    rows[1] = encode(row(1, response="x" * 3_000_000))
    data = b"\n".join(rows) if name.endswith("l") else b"[" + b",".join(rows) + b"]"
    (tmp_path / name).write_bytes(data)
    batches = list(read([tmp_path / name], max_line_bytes=1_000_000))
    assert [e.event_id for b in batches for e in b.events] == ["e0", "e2", "e3"]
    assert [(r.line, "longer than 1,000,000 bytes" in r.reason) for b in batches for r in b.rejected] == [(2, True)]
    assert everything(tmp_path / name)[1] == []


def test_array_larger_than_what_is_held(tmp_path: Path) -> None:
    """An array too large to hold is read item by item, with the same result."""
    rows = [row(n, response='quote " brace } comma , backslash \\') for n in range(9000)]
    (tmp_path / "log.json").write_bytes(json.dumps(rows, indent=1).encode())
    assert ids(tmp_path / "log.json", max_line_bytes=100_000) == [f"e{n}" for n in range(9000)]


def test_lines_in_a_json_file(tmp_path: Path) -> None:
    """Lines under the ending .json are lines; objects over several lines are objects."""
    (tmp_path / "a.json").write_bytes(encode(row(1)) + b"\n{broken\n" + encode(row(2)))
    (tmp_path / "b.json").write_bytes(json.dumps(row(3), indent=2).encode() + json.dumps(row(4), indent=2).encode())
    (batch,) = read([tmp_path])
    assert [e.event_id for e in batch.events] == ["e1", "e2", "e3", "e4"]
    assert [(Path(r.file).name, r.line) for r in batch.rejected] == [("a.json", 2)]


def test_unknown_fields_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    """An audit has no use for unknown fields; who wants them gets them without secrets."""
    (tmp_path / "log.jsonl").write_bytes(encode(row(1, region="eu", extra={"a": 1, "password": "x"})))
    (plain,) = read([tmp_path])
    (kept,) = read([tmp_path], keep_extra=True)
    assert plain.events[0].extra == {}
    assert kept.events[0].extra == {"a": 1, "region": "eu"}


_KINDS = st.sampled_from(["canonical", "litellm", "loose", "unknown", "bad", "blank"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(_KINDS, min_size=1, max_size=12), size=st.integers(1, 5), cut=st.integers(0, 12))
def test_order_and_batching_change_nothing(tmp_path: Path, kinds: list[str], size: int, cut: int) -> None:
    """Mixed formats, bad rows, any batch size, one file or two: each row leads to what it leads to alone."""
    made = {
        "canonical": lambda n: encode(row(n)),
        "litellm": lambda n: encode(litellm(n)),
        "loose": lambda n: encode(row(n, timestamp=1788776100 + n, account_id=n)),
        "unknown": lambda n: encode({"foo": n}),
        "bad": lambda n: b'{"event_id": "%d", ' % n,
        "blank": lambda n: b"  ",
    }
    rows = [made[kind](n) for n, kind in enumerate(kinds)]
    expected_events, expected_rejected = [], []
    for number, line in enumerate(rows, 1):
        (tmp_path / "one.jsonl").write_bytes(line + b"\n")
        for batch in read([tmp_path / "one.jsonl"]):
            expected_events += batch.events
            expected_rejected += [(number, r.reason) for r in batch.rejected]
    (tmp_path / "all.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    batches = list(read([tmp_path / "all.jsonl"], batch_events=size))
    assert [e for b in batches for e in b.events] == expected_events
    assert [(r.line, r.reason) for b in batches for r in b.rejected] == expected_rejected
    assert all(len(b.events) <= size and len(b.rejected) <= size for b in batches)
    (tmp_path / "p1.jsonl").write_bytes(b"\n".join([*rows[:cut], b""]))
    (tmp_path / "p2.jsonl").write_bytes(b"\n".join([*rows[cut:], b" "]))
    assert [e for b in read([tmp_path / "p1.jsonl", tmp_path / "p2.jsonl"]) for e in b.events] == expected_events


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A gzip bomb of one endless line is given up at the limit instead of being held."""
    import tracemalloc

    with gzip.open(tmp_path / "log.jsonl.gz", "wb") as out:
        for _ in range(200):
            out.write(b"x" * (1 << 20))
        out.write(b"\n" + encode(row(1)))
    tracemalloc.start()
    (batch,) = read([tmp_path / "log.jsonl.gz"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [e.event_id for e in batch.events] == ["e1"]
    assert [r.line for r in batch.rejected] == [1]
    assert peak < 64 << 20
