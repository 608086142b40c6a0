"""POST /v1/events and /v1/ingest/{format}: what is accepted, what is refused, and how."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.services import bodies
from api.storage import events
from api.storage.engine import Database
from tests.api.builders import body, row

Headers = dict[str, dict[str, str]]


def stored(database: Database) -> list[str]:
    """Ids in the log, in order."""
    with database.read() as connection:
        return [s.event.event_id for s in events.after(connection, 0, 10_000) if s.event]


def post(http: TestClient, headers: Headers, content: bytes, path: str = "/v1/events", encoding: str = "") -> Any:
    """Send a body as the gateway."""
    extra = {"Content-Encoding": encoding} if encoding else {}
    return http.post(path, content=content, headers={**headers["gateway"], **extra})


def test_array_object_and_lines(http: TestClient, headers: Headers, database: Database) -> None:
    """An array, one object and NDJSON are told apart by content."""
    lines = b"\n".join(json.dumps(row(n)).encode() for n in (4, 5)) + b"\n"
    for content, count in ((body(row(1), row(2)), 2), (json.dumps(row(3)).encode(), 1), (lines, 2)):
        answer = post(http, headers, content)
        assert (answer.status_code, answer.json()) == (200, {"accepted": count, "duplicates": 0, "rejected": []})
    assert stored(database) == ["e1", "e2", "e3", "e4", "e5"]


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("gzip", lambda b: gzip.compress(b[:9]) + gzip.compress(b[9:])),
        ("deflate", zlib.compress),
        ("deflate", lambda b: zlib.compress(b, wbits=-15)),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("zstd", lambda b: zstandard.ZstdCompressor().compress(b[:9]) + zstandard.ZstdCompressor().compress(b[9:])),
        ("gzip, zstd", lambda b: zstandard.ZstdCompressor().compress(gzip.compress(b))),
        ("identity", bytes),
    ],
)
def test_encodings(encoding: str, encode: Any, http: TestClient, headers: Headers) -> None:
    """Bodies are decompressed, in parts and in layers too."""
    answer = post(http, headers, encode(body(row(1))), encoding=encoding)
    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_bomb_is_refused(encoding: str, http: TestClient, headers: Headers) -> None:
    """A small body that grows beyond the limit is refused, without being unpacked to its end."""
    big = b" " * (50 << 20)
    compress = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.ZstdCompressor().compress}[encoding]
    answer = post(http, headers, compress(big), encoding=encoding)
    assert answer.status_code == 413
    assert "decompressed body is larger than 1 MiB" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br"])
def test_broken_compression_is_refused(encoding: str, http: TestClient, headers: Headers) -> None:
    """A body that is not what Content-Encoding says is answered with 400 and words."""
    answer = post(http, headers, b"plain text, no such thing", encoding=encoding)
    assert answer.status_code == 400
    assert encoding in answer.json()["detail"]


def test_cut_off_gzip_is_refused(http: TestClient, headers: Headers, database: Database) -> None:
    """Half a gzip body is not half accepted."""
    assert post(http, headers, gzip.compress(body(row(1)))[:-9], encoding="gzip").status_code == 400
    assert stored(database) == []


def test_limits_are_named(http: TestClient, headers: Headers, database: Database) -> None:
    """Too large a body or batch is answered with 413, the limit and what to do; nothing of it is stored."""
    large = post(http, headers, b" " * (1 << 20) + body(row(1)))
    many = post(http, headers, body(*(row(n) for n in range(101))))
    assert (large.status_code, many.status_code) == (413, 413)
    assert "1 MiB: send smaller batches" in large.json()["detail"]
    assert "101 events in one body, at most 100" in many.json()["detail"]
    assert stored(database) == []


@pytest.mark.parametrize("content", [b"", b"  ", b"[{]", b"hello", b"\xff\xfe"])
def test_unreadable_bodies(content: bytes, http: TestClient, headers: Headers) -> None:
    """What is no JSON at all is answered with 400 and words."""
    answer = post(http, headers, content)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_key_as_password(http: TestClient, headers: Headers, secrets: dict[str, str]) -> None:
    """A sender that only knows user names and passwords gives its key as password, to send logs and for nothing else."""
    for role, status in (("gateway", 200), ("admin", 200), ("analyst", 403)):
        assert http.post("/v1/events", content=body(row(1)), auth=("anyone", secrets[role])).status_code == status
    assert http.post("/v1/events", content=body(row(1)), auth=(secrets["gateway"], "")).status_code == 401
    assert http.post("/v1/events", content=body(row(1)), headers={"Authorization": "Basic !"}).status_code == 401
    assert http.get("/v1/keys", auth=("anyone", secrets["admin"])).status_code == 401


def test_bad_rows_fail_nothing_else(http: TestClient, headers: Headers, database: Database) -> None:
    """Bad rows are named by index and reason, and the good ones are stored."""
    answer = post(http, headers, body(row(1), {"event_id": "x"}, "text", row(2, timestamp="soon"), row(3)))
    assert answer.status_code == 200
    found = answer.json()
    assert (found["accepted"], [r["index"] for r in found["rejected"]]) == (2, [1, 2, 3])
    assert "timestamp" in found["rejected"][2]["error"]
    assert stored(database) == ["e1", "e3"]


def test_one_unreadable_text_does_not_hide_a_batch(http: TestClient, headers: Headers, database: Database) -> None:
    """Half a surrogate pair or a byte that is no UTF-8 in one prompt loses no row of its array."""
    content = body(row(1, model="half \ud83d pair"), row(2)).replace(b"question 2", b"bytes \xff\xfe")
    assert post(http, headers, content).json() == {"accepted": 2, "duplicates": 0, "rejected": []}
    assert stored(database) == ["e1", "e2"]


@given(text=st.text(st.characters(exclude_categories=[])))
def test_readable_keeps_good_text(text: str) -> None:
    r"""Good text stays as it is, escaped backslashes before \ud too; only halves of pairs are replaced."""
    found = json.loads(bodies.readable(json.dumps(text).encode()))
    pairs_joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert found == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in pairs_joined)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=20), min_size=1, max_size=6))
def test_idempotent(batches: list[list[int]], http: TestClient, headers: Headers, database: Database) -> None:
    """Whatever is sent again, in whatever batches: each event is stored once and every answer adds up."""
    before = set(stored(database))
    accepted = 0
    for numbers in batches:
        answer = post(http, headers, body(*(row(n) for n in numbers))).json()
        assert answer["accepted"] + answer["duplicates"] == len(numbers)
        accepted += answer["accepted"]
    after = stored(database)
    assert len(after) == len(set(after))
    assert set(after) == before | {f"e{n}" for numbers in batches for n in numbers}
    assert accepted == len(after) - len(before)


LITELLM = {
    "id": "chatcmpl-1", "litellm_call_id": "c0ffee", "call_type": "acompletion", "status": "success", "startTime": 1788775200.5,
    "endTime": 1788775201.5, "model": "gpt", "prompt_tokens": 5, "completion_tokens": 7, "end_user": "claimed",
    "messages": [{"role": "user", "content": "hi"}], "response": {"choices": [{"message": {"role": "assistant", "content": "hello"}}]},
    "model_parameters": {"temperature": 0.5}, "metadata": {"user_api_key_hash": "h", "user_api_key_user_id": "owner"},
}  # fmt: skip


@pytest.mark.parametrize("shape", ["array", "lines", "single"])
def test_litellm_bodies(shape: str, http: TestClient, headers: Headers, database: Database) -> None:
    """LiteLLM's three body shapes are read; the verified owner is the account; redelivery counts once."""
    rows = [LITELLM] if shape == "single" else [LITELLM, {**LITELLM, "litellm_call_id": "c0ffed"}]
    lines = b"\n".join(json.dumps(r).encode() for r in rows)
    content = json.dumps(rows).encode() if shape == "array" else lines
    for expected in ({"accepted": len(rows), "duplicates": 0}, {"accepted": 0, "duplicates": len(rows)}):
        answer = post(http, headers, content, "/v1/ingest/litellm")
        assert answer.json() == {**expected, "rejected": []}
    (event_id,) = (i for i in stored(database) if i.startswith("c0ffee."))
    event = events.by_id(database, [event_id])[event_id]
    assert (event.account_id, event.end_user_id) == ("owner", "claimed")
    assert post(http, headers, content, "/v1/ingest/auto").json()["duplicates"] == len(rows)


def test_unknown_format_is_named(http: TestClient, headers: Headers) -> None:
    """An unknown format is answered with 404 and the known ones."""
    answer = post(http, headers, body(row(1)), "/v1/ingest/nonsense")
    assert answer.status_code == 404
    assert "litellm" in answer.json()["detail"]


def test_what_cannot_be_stored_is_503(http: TestClient, headers: Headers, database: Database) -> None:
    """What cannot be stored is answered with 503 and Retry-After, and was not acknowledged."""
    http.app.state.ingestion.close()  # type: ignore[attr-defined]
    answer = post(http, headers, body(row(1)), "/v1/ingest/auto")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert stored(database) == []
