"""Spans, log records and the spans around them become one event each, with the verified account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.formats import merge, parse_body
from detector.formats import read as read_files
from tests.detector.formats.otlp.requests import CALL, CONTENT, log, logs, protobuf, read, span, traces

SERVER = {"user.id": "acme", "client.address": "198.51.100.9", "user_agent.original": "client/2"}
PARTS = [
    log(2, "gen_ai.system.message", body={"content": "Be brief."}),
    log(2, "gen_ai.user.message", body={"content": "Name a river."}, observedTimeUnixNano=str(1788776100_250_003_000)),
    log(
        2,
        "gen_ai.choice",
        body={"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Elbe."}},
        observedTimeUnixNano=str(1788776100_250_004_000),
    ),
]
SPANS = [span(1, SERVER), span(2, CALL, parent=1), span(3, {**CALL, "gen_ai.response.id": "b"}, parent=1)]


def lines(*requests: dict[str, Any]) -> bytes:
    """Requests as the collector's file exporter writes them."""
    return b"".join(json.dumps(r).encode() + b"\n" for r in requests)


def test_account_and_client_come_from_the_span_around() -> None:
    """The server's span names the account, the address and the user agent; the call's span the rest."""
    found = read(traces(*SPANS))
    assert [e.account_id for e in found.events] == ["acme", "acme"]
    assert {(e.client.ip, e.client.user_agent) for e in found.events} == {("198.51.100.9", "client/2")}
    assert {e.extra["identity"] for e in found.events} == {"user.id"}


def test_logs_and_spans_are_joined() -> None:
    """Content that comes as log records is that of the span they belong to."""
    found = parse_body(lines(traces(*SPANS), logs(*PARTS)))
    assert found.rejected == []
    first, second = found.events
    assert [(m.role, m.content) for m in first.messages] == [("system", "Be brief."), ("user", "Name a river.")]
    assert (first.response, first.finish_reason, first.latency_ms) == ("Elbe.", "stop", 750.0)
    assert second.messages == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_and_splitting_change_nothing(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever the order of spans and records, the requests and the files they are split over: the same events."""
    expected = {e.event_id: e for e in parse_body(lines(traces(*SPANS), logs(*PARTS)), keep_extra=False).events}
    pieces = [traces(s) for s in SPANS] + [logs(p) for p in PARTS]
    pieces = data.draw(st.permutations(pieces))
    cut = data.draw(st.integers(1, len(pieces) - 1))
    (tmp_path / "a.jsonl").write_bytes(lines(*pieces[:cut]))
    (tmp_path / "b.jsonl").write_bytes(lines(*pieces[cut:]))
    batches = list(read_files([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], batch_events=1))
    assert {e.event_id: e for b in batches for e in b.events} == expected
    assert [r for b in batches for r in b.rejected] == []


def test_separate_requests_are_merged() -> None:
    """A span and its log records in requests of their own lead to the same event, whichever comes first."""
    whole = parse_body(lines(traces(*SPANS[:2]), logs(*PARTS))).events[0]
    (by_span,) = read(traces(*SPANS[:2])).events
    (by_logs,) = read(logs(*PARTS), account="gateway").events
    assert by_logs.event_id == by_span.event_id
    assert by_logs.account_id == "gateway"
    assert merge(by_span, by_logs) == merge(by_logs, by_span) == whole
    assert merge(whole, whole) == whole


def test_a_call_reported_twice_is_one() -> None:
    """Two instrumentations, one inside the other, report one answer once; two answers side by side stay two."""
    outer, inner = {**CALL, **SERVER}, {**CALL, **CONTENT}
    (event,) = read(traces(span(1, outer), span(2, {}, parent=1), span(3, inner, parent=2))).events
    assert event.event_id.endswith(f"{1:016x}")
    assert event.response == "Elbe."
    side_by_side = read(traces(span(1, SERVER), span(2, CALL, parent=1), span(3, CALL, parent=1)))
    assert len(side_by_side.events) == 2


def test_a_span_sent_again_is_the_same_event() -> None:
    """Redelivery, within a request or in another one, changes nothing."""
    assert read(traces(*SPANS, *SPANS)) == read(traces(*SPANS))


LITELLM = {"metadata.user_api_key_user_id": "owner", "metadata.user_api_key_hash": "0f" * 32}


@pytest.mark.parametrize(
    ("own", "around", "resource", "account"),
    [
        ({"user.id": "u"}, {"tenant.id": "t"}, {}, "t"),
        ({"consumer.id": "c"}, {"tenant.id": "t"}, {}, "c"),
        ({"user.id": "u"}, {"enduser.id": "e"}, {"tenant.id": "r"}, "u"),
        ({}, {}, {"tenant.id": "r"}, "r"),
        ({"user.id": "u", **LITELLM}, {"tenant.id": "t"}, {}, "owner"),
        ({"user.id": "u"}, LITELLM, {}, "owner"),
        ({"litellm.api_key.hash": "0f" * 32}, {}, {}, "0f" * 32),
        ({"user.id": "u", "litellm.api_key.hash": "litellm_proxy_master_key"}, {}, {}, "litellm_proxy_master_key"),
        ({"gen_ai.user": "claimed", "llm.user": "claimed"}, {}, {}, "given"),
        ({"x.account": "configured", "tenant.id": "t"}, {}, {}, "configured"),
        ({"tenant.id": "t"}, {"x.account": "configured"}, {}, "configured"),
    ],
)
def test_lookup(own: dict[str, str], around: dict[str, str], resource: dict[str, str], account: str) -> None:
    """Configured, then verified, then set by the process; on the span, then around it, then on the resource."""
    request = traces(span(1, around), span(2, {**CALL, **own}, parent=1), resource=resource)
    (event,) = read(request, account="given", account_attributes=["x.account"]).events
    assert event.account_id == account


def test_claims_are_no_accounts() -> None:
    """A call that only the client's claim names is refused, and the advice says what to set."""
    found = read(traces(span(1, SERVER), span(7, {**CALL, "gen_ai.user": "claimed"})))
    assert found.events == []
    assert [r.index for r in found.rejected] == [1]
    assert "tenant.id" in found.rejected[0].error


def test_a_circle_of_parents_ends() -> None:
    """Spans that claim to be each other's parents do no harm."""
    found = read(traces(span(1, CALL, parent=2), span(2, {}, parent=1)), account="given")
    assert len(found.events) == 1


def test_one_bad_span_fails_no_other() -> None:
    """A span with a bad id is named by its place, the others are read."""
    bad = {**span(9, CALL), "traceId": "xyz"}
    found = parse_body(json.dumps(traces(*SPANS[:2], bad)).encode())
    assert len(found.events) == 1
    assert [(r.index, r.error.partition(":")[0]) for r in found.rejected] == [(2, "traceId")]


def test_empty_request() -> None:
    """An empty request is valid, in protobuf even without a byte."""
    assert read(traces()).events == []
    assert parse_body(b"", "otlp_traces").events == []
    assert parse_body(b"", "otlp_logs").events == []


def test_protobuf_files(tmp_path: Path) -> None:
    """Files that hold one request in protobuf are read, traces and logs told apart, and joined."""
    (tmp_path / "a.pb").write_bytes(protobuf(logs(*PARTS)))
    (tmp_path / "b.pb").write_bytes(protobuf(traces(*SPANS)))
    (tmp_path / "c.pb").write_bytes(b"\xff\xff\xff")
    (batch,) = read_files([tmp_path])
    assert [e.response for e in batch.events] == ["Elbe.", None]
    assert len(batch.rejected) == 1
    assert batch.rejected[0].file.endswith("c.pb")
