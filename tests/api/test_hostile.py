"""Bodies that are broken, poisoned or made to exhaust: never a server error, always a reason, memory bounded."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database
from detector.formats.base import UNEXPECTED
from tests.api.running import Api
from tests.api.ways_in import PROTOBUF, WAYS, Way
from tests.detector.formats.test_canonical import json_values

MIB = 1 << 20
ALL = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
JSON_WAYS = {name: way for name, way in WAYS.items() if way.content_type != PROTOBUF}
FUZZ = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LIMIT_MB = 4
zstd = zstandard.ZstdCompressor().compress


class Door:
    """The application, asked as a gateway asks it."""

    def __init__(self, http: TestClient, secret: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {secret}"}

    def knock(self, way: Way, body: bytes, **more: str) -> tuple[int, list[str]]:
        """Status and reasons of an answer, which is never a server error and never without a reason where it refuses."""
        headers = {"Content-Type": way.content_type, **self._headers, **more}
        answer = self._http.post(way.path, content=body, headers=headers)
        assert answer.status_code in (way.good, 400, 413), (answer.status_code, answer.content[:500])
        if answer.status_code == way.good:
            reasons = self._partial(way, answer)
        else:
            reasons = [way.reason(answer.content)]
            assert len(reasons[0]) > 10, answer.content
        for reason in reasons:
            assert reason.strip(), answer.content
            assert UNEXPECTED not in reason, reason
            assert "Traceback" not in reason
        return answer.status_code, reasons

    @staticmethod
    def _partial(way: Way, answer: Any) -> list[str]:
        try:
            return way.errors(answer.content)
        except AssertionError:  # more are refused than reasons are listed
            return [answer.text]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One application for all of these tests, as one process has to bear all of it."""
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'test.db'}"
    migrate.upgrade(url)
    database = Database(url)
    secret = keys.create(database, "gateway", "gateway", "test")[1]
    database.close()
    given = Settings(data_dir=folder, database_url=url, max_body_mb=LIMIT_MB, max_batch_events=1000)
    with TestClient(create_app(given)) as http:
        yield Door(http, secret)


def first_text(body: bytes) -> int:
    """A place inside the first longer text of a body in JSON."""
    return body.index(b'"', body.index(b":") + 1) + 1


POISONS: dict[str, bytes] = {
    "no utf-8": b"\xff\xfe\xc3\x28",
    "overlong utf-8": b"\xc0\xaf\xed\xa0\x80",
    "half a pair": b"\\ud83d",
    "halves the wrong way": b"\\udc00\\ud800",
    "nul": b"\\u0000",
    "raw control": b"\x00\x01\x1f",
    "broken escape": b"\\x\\u12",
    "quotes": b'"\\"',
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=list(POISONS))
@pytest.mark.parametrize("way", JSON_WAYS.values(), ids=list(JSON_WAYS))
def test_poisoned_text(poison: bytes, way: Way, door: Door) -> None:
    """Broken text anywhere in a body: the row is read, or refused in words."""
    body = way.wrap(way.rows(2))
    for place in (first_text(body), len(body) // 3, len(body) // 2, len(body) - 3):
        door.knock(way, body[:place] + poison + body[place:])


NUMBERS = [
    "NaN",
    "-Infinity",
    "1e999",
    "-1e999",
    "1" + "0" * 400,
    "9" * 5000,
    str(2**63),
    str(-(2**80)),
    "1e-400",
    "0x10",
    "1.",
    "00",
]


@pytest.mark.parametrize("number", NUMBERS, ids=[n[:12] for n in NUMBERS])
@pytest.mark.parametrize("way", JSON_WAYS.values(), ids=list(JSON_WAYS))
def test_strange_numbers(number: str, way: Way, door: Door) -> None:
    """Numbers that are none, or larger than any, in every field of a row one after another."""
    row = way.rows(1)[0]
    for path in paths(row):
        marked = way.wrap([replaced(row, path, "MARK")])
        door.knock(way, marked.replace(b'"MARK"', number.encode()))


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values, at most four levels deep."""
    found = [here] if here else []
    if len(here) < 4 and isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += paths(inner, (*here, name))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@ALL
def test_any_value_in_any_field(way: Way, door: Door) -> None:
    """Every field of a row holding a value of every other type: read, or refused in words."""
    row = way.rows(1)[0]
    strange: list[Any] = [None, True, -1, 1e308, "", "x" * 2000, [], [[]], [None], {}, {"": None}, [{"role": []}]]
    for path in paths(row):
        rows = [replaced(row, path, value) for value in strange]
        try:
            body = [way.wrap(rows)] if way.path != "/custom/v1/log" else [way.wrap([r]) for r in rows]
        except Exception:  # protobuf cannot hold it at all
            continue
        for one in body:
            door.knock(way, one)


@ALL
def test_cut_off(way: Way, door: Door) -> None:
    """A body that ends early, at many places, is read up to there or refused."""
    body = way.wrap(way.rows(2))
    for end in range(0, len(body), max(1, len(body) // 40)):
        door.knock(way, body[:end])


@ALL
@FUZZ
@given(data=st.data())
def test_damaged(data: st.DataObject, way: Way, door: Door) -> None:
    """Any bytes in any place, and nothing but any bytes."""
    body = way.wrap(way.rows(2))
    place = data.draw(st.integers(0, len(body)))
    junk = data.draw(st.binary(max_size=40))
    door.knock(way, body[:place] + junk + body[place + data.draw(st.integers(0, 8)) :])
    door.knock(way, junk)


@FUZZ
@given(value=json_values, way=st.sampled_from(list(JSON_WAYS.values())))
def test_any_json(value: Any, way: Way, door: Door) -> None:
    """Whatever JSON is sent, to whatever path."""
    door.knock(way, json.dumps(value).encode())
    door.knock(way, json.dumps([value, value]).encode())


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"messages":[', b'{"resourceSpans":[{"scopeSpans":['])
@pytest.mark.parametrize("way", JSON_WAYS.values(), ids=list(JSON_WAYS))
def test_deep(opening: bytes, way: Way, door: Door) -> None:
    """JSON nested beyond any stack, open and closed, alone and inside a good row."""
    closing = opening[::-1].translate(bytes.maketrans(b"[{", b"]}"))
    closing = bytes(c for c in closing if c in b"]}")
    for levels in (900, 50_000):
        door.knock(way, opening * levels)
        door.knock(way, opening * levels + b"1" + closing * levels)
    row = replaced(way.rows(1)[0], paths(way.rows(1)[0])[-1][:1], "DEEP")
    door.knock(way, way.wrap([row]).replace(b'"DEEP"', b"[" * 100_000 + b"]" * 100_000))


BOMBS = {
    "gzip": lambda size: gzip.compress(b"[" + b" " * size),
    "deflate": lambda size: zlib.compress(b" " * size),
    "zstd": lambda size: zstd(b" " * size),
    "gzip, gzip": lambda size: gzip.compress(gzip.compress(b" " * size)),
    "zstd, gzip": lambda size: gzip.compress(zstd(b" " * size)),
}


@pytest.mark.parametrize("encoding", list(BOMBS))
@ALL
def test_bombs(encoding: str, way: Way, door: Door) -> None:
    """A small body that unpacks beyond the limit is refused as too large."""
    status, reasons = door.knock(way, BOMBS[encoding](2 * LIMIT_MB * MIB), **{"Content-Encoding": encoding})
    assert status == (413 if way.unreadable == 400 else 200)
    assert "send smaller batches" in reasons[0]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@FUZZ
@given(junk=st.binary(min_size=1, max_size=200), place=st.integers(0, 10_000))
def test_damaged_compression(encoding: str, junk: bytes, place: int, door: Door) -> None:
    """Compressed bodies that are cut off, damaged, or no such thing."""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd}[encoding]
    way = WAYS["litellm"]
    body = pack(way.wrap(way.rows(2)))
    place %= len(body)
    for content in (junk, body[:place], body[:place] + junk, body[:place] + junk + body[place:], body + junk):
        door.knock(way, content, **{"Content-Encoding": encoding})


@pytest.mark.parametrize(
    ("encoding", "content", "word"),
    [
        ("gzip, gzip, gzip, gzip", b"", "layers"),
        ("gzip", gzip.compress(b"") * 20_000, "members"),
        ("zstd", zstd(b"") * 20_000, "members"),
        ("br", b"", "'br'"),
        ("gzip\u00ff".encode("latin-1").decode("latin-1"), b"", "not known"),
    ],
    ids=["layers", "gzip members", "zstd members", "brotli", "no ascii"],
)
def test_strange_encodings(encoding: str, content: bytes, word: str, door: Door) -> None:
    """Layers upon layers, and empty members by the thousand, are refused for what they are."""
    status, reasons = door.knock(WAYS["events"], content, **{"Content-Encoding": encoding.encode("latin-1")})  # type: ignore[arg-type]
    assert (status, word in reasons[0]) == (400, True)


@ALL
def test_it_still_works(way: Way, door: Door) -> None:
    """After all of this, and beside it, good bodies are taken."""
    assert door.knock(way, way.wrap(way.rows(2))) == (way.good, [])


EXPLOSIVES: dict[str, tuple[str, bytes]] = {
    "objects": ("events", b"[" + b"{}," * (20 * MIB // 3) + b"{}]"),
    "numbers": ("events", b"[" + b"1," * (10 * MIB) + b"1]"),
    "lines": ("events", b"{}\n" * (20 * MIB // 3)),
    "just below the limit": ("litellm", b'[{"litellm_call_id":"x","messages":[' + b"{}," * 1_900_000 + b"{}]}]"),
    "brackets": ("events", b"[" * (20 * MIB)),
    "quotes": ("events", b'["' * (10 * MIB)),
    "spans": ("traces", b"\x12\x00" * (10 * MIB)),
    "resources": ("traces", b"\x0a\x00" * (10 * MIB)),
    "one long text": ("events", b'[{"event_id":"' + b"x" * (40 * MIB) + b'"}]'),
}


@pytest.mark.slow
def test_memory_is_bounded(tmp_path: Path) -> None:
    """Twenty mebibytes that would be gigabytes as objects, and packed gigabytes, leave a real process small and answering."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    migrate.upgrade(url)
    database = Database(url)
    secret = keys.create(database, "gateway", "gateway", "test")[1]
    database.close()
    api = Api(tmp_path, url)
    api.start()
    try:
        with api.client(secret, timeout=300) as http:
            start = api.peak_bytes
            for name, body in EXPLOSIVES.values():
                way = WAYS[name]
                answer = http.post(way.path, content=body, headers={"Content-Type": way.content_type})
                assert answer.status_code in (200, 400, 413), answer.text[:300]
            packed = {"gzip": gzip.compress(b" " * (512 * MIB), 1), "zstd": zstd(b" " * (512 * MIB))}
            for encoding, body in packed.items():
                answer = http.post("/v1/events", content=body, headers={"Content-Encoding": encoding})
                assert answer.status_code == 413
            way = WAYS["events"]
            assert http.post(way.path, content=way.wrap(way.rows(3))).json()["accepted"] == 3
            grown = api.peak_bytes - start
            assert grown < 800 * MIB, f"{grown >> 20} MiB"
    finally:
        api.end()
