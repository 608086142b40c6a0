"""Records of one call in separate requests: kept as parts, joined later, the same as if they had come together."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.event import Event
from detector.formats import ParsedBody, join, merge, parse_body
from detector.formats.base import Given, RowError
from tests.detector.formats import gateways
from tests.detector.formats.otlp.requests import CALL, CONTENT, START, log, logs, protobuf, span, traces

SERVER = {
    "user.id": "acme",
    "client.address": "198.51.100.9",
    "http.request.header.authorization": "Bearer made-up-token",
}
TURNS = [
    log(2, "gen_ai.user.message", body={"content": "Name a river."}),
    log(2, "gen_ai.choice", body={"message": {"role": "assistant", "content": "Elbe."}, "finish_reason": "stop"}),
]
OTLP = [traces(span(1, SERVER)), traces(span(2, CALL, parent=1)), *(logs(turn) for turn in TURNS)]
LANGFUSE = [{"batch": [item]} for item in gateways.langfuse()["batch"]]


def held(request: dict[str, Any], **options: Any) -> ParsedBody:
    """What of a request can be had at once, and what has to wait."""
    return parse_body(json.dumps(request).encode(), hold=True, **{"sender": "key:gateway", **options})


def joined(parsed: list[ParsedBody]) -> dict[str, Event]:
    """The events of all parts and of what needed no waiting, those told of twice merged."""
    groups: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for found in parsed:
        for part in found.parts:
            groups[part.family, part.group].add(part.data)
    events = [e for found in parsed for e in found.joined]
    for (family, _), parts in groups.items():
        for event in join(family, sorted(parts), Given(sender="key:gateway")):
            assert isinstance(event, Event)
            events.append(event)
    by_id: dict[str, Event] = {}
    for event in events:
        by_id[event.event_id] = merge(by_id[event.event_id], event) if event.event_id in by_id else event
    return by_id


def together(requests: list[dict[str, Any]]) -> dict[str, Event]:
    """The events of requests that come as one body."""
    found = parse_body(b"\n".join(json.dumps(r).encode() for r in requests), sender="key:gateway")
    assert found.rejected == []
    return {e.event_id: e for e in found.events}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), requests=st.sampled_from([OTLP, LANGFUSE]))
def test_apart_and_together_are_the_same(data: st.DataObject, requests: list[dict[str, Any]]) -> None:
    """However the records of a call are spread over requests, in any order and sent again, the event is the same."""
    order = data.draw(st.permutations(requests)) + data.draw(st.lists(st.sampled_from(requests), max_size=3))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order)), max_size=3)) | {0, len(order)})
    bodies = [order[a:b] for a, b in pairwise(cuts)]
    parsed = [
        parse_body(b"\n".join(json.dumps(r).encode() for r in body), hold=True, sender="key:gateway") for body in bodies
    ]
    assert joined(parsed) == together(requests)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), requests=st.sampled_from([OTLP, LANGFUSE]))
def test_late_records_are_merged(data: st.DataObject, requests: list[dict[str, Any]]) -> None:
    """A record that comes after its call was joined completes the event, whichever record it is."""
    late = data.draw(st.sampled_from(requests[-2:]))
    early = [r for r in requests if r is not late]
    events = {}
    for part in (early, [late]):
        for event_id, event in joined([held(r) for r in part]).items():
            events[event_id] = merge(events[event_id], event) if event_id in events else event
    whole = together(requests)
    assert set(events) == set(whole)
    for event_id, event in events.items():
        assert (event.messages, event.response) == (whole[event_id].messages, whole[event_id].response)
        assert event.account_id == whole[event_id].account_id


def test_a_whole_call_does_not_wait() -> None:
    """A call with its content under its outermost span is an event at once, and redelivery changes nothing of it."""
    request = traces(span(1, SERVER), span(2, {**CALL, **CONTENT}, parent=1))
    found = held(request)
    assert [(e.account_id, e.response) for e in found.joined] == [("acme", "Elbe.")]
    assert (found.events, found.parts, found.rejected) == ([], [], [])
    assert held(request) == found
    assert parse_body(protobuf(request), "otlp_traces", hold=True, protobuf=True).joined == found.joined


@pytest.mark.parametrize(
    ("own", "attributes", "waits"),
    [
        ({"user.id": "u"}, (), True),  # a span around may have a tenant.id, which counts for more
        ({"x.account": "u", "client.address": "198.51.100.9"}, ("x.account",), False),
        ({"x.account": "u"}, ("x.account",), True),  # the address may be on the span around
        ({"metadata.user_api_key_user_id": "u", "client.address": "198.51.100.9"}, (), False),
        ({"metadata.user_api_key_user_id": "u", "client.address": "198.51.100.9"}, ("x.account",), True),
    ],
)
def test_an_owner_that_may_be_overruled_waits(own: dict[str, str], attributes: tuple[str, ...], waits: bool) -> None:
    """A call under a span that has not come yet is handed out at once only where that span could add nothing."""
    found = held(traces(span(2, {**CALL, **CONTENT, **own}, parent=1)), account_attributes=attributes)
    assert bool(found.parts) == waits
    assert [e.account_id for e in found.joined] == ([] if waits else ["u"])


def test_who_names_nobody_belongs_to_the_sender() -> None:
    """A call that nobody is named for is the sender's, unless an account is given with the rows."""
    request = traces(span(2, {**CALL, **CONTENT, "gen_ai.user": "claimed"}))
    assert held(request).joined[0].account_id == "key:gateway"
    assert held(request, account="acme").joined[0].account_id == "acme"
    for body in (
        gateways.portkey(),
        gateways.langfuse(user=None),
        gateways.kong(consumer=None, authenticated_entity=None),
    ):
        found = held(body)
        (event,) = [*found.events, *joined([found]).values()]
        assert event.account_id == "key:gateway"


def test_canonical_rows_and_batches_still_need_an_account() -> None:
    """What has to name its account, or to be given one, is not taken for the sender's."""
    for body in ({"event_id": "e", "timestamp": "2026-09-07T10:15:00Z"}, gateways.sglang(), gateways.openai_output()):
        found = held(body)
        assert (found.events, found.joined, found.parts) == ([], [], [])
        assert "account" in found.rejected[0].error


@pytest.mark.parametrize("requests", [OTLP, LANGFUSE], ids=["otlp", "langfuse"])
def test_parts_hold_no_secret(requests: list[dict[str, Any]]) -> None:
    """Headers and settings with credentials are gone before anything is kept."""
    spoiled = json.loads(json.dumps(requests).replace('"gpt-4o"', '"gpt-4o"'))
    if requests is LANGFUSE:
        for request in spoiled:
            request["batch"][0]["body"]["metadata"] = {"headers": {"authorization": "Bearer made-up-token"}}
    parts = b"".join(p.data for r in spoiled for p in held(r).parts)
    assert parts
    assert b"made-up-token" not in parts
    key = held(traces(span(2, {**CALL, "litellm.api_key.hash": "sk-made-up-secret"}, parent=1)))
    assert b"sk-made-up-secret" not in key.parts[0].data


def test_parts_of_no_call_are_patient() -> None:
    """Spans around calls, and generations without an end, can wait longer than what makes an event."""
    assert [p.patient for r in OTLP for p in held(r).parts] == [True, False, False, False]
    assert [p.patient for r in LANGFUSE for p in held(r).parts] == [True, True, False]


def test_impossible_times_are_refused_at_once() -> None:
    """A call before 1970 or in the far future is refused with its place and the reason, and not kept."""
    latest = datetime(2027, 1, 1, tzinfo=UTC)
    for start, word in ((int(4e18), "2096-10-02"), (2**64 - 1, "1970 and 2100")):
        bad = {**span(3, {**CALL, **CONTENT}, parent=1), "startTimeUnixNano": str(start)}
        for body in (traces(span(2, CALL, parent=1), bad), traces(bad)):
            found = held(body, latest=latest)
            assert len(found.rejected) == 1
            assert found.rejected[0].index == len(body["resourceSpans"][0]["scopeSpans"][0]["spans"]) - 1
            assert word in found.rejected[0].error
            assert len(found.parts) == len(body["resourceSpans"][0]["scopeSpans"][0]["spans"]) - 1


@pytest.mark.parametrize("name", ["canonical", "litellm", "portkey", "langfuse"])
def test_the_far_future_is_refused(name: str) -> None:
    """In every way in, an event of the far future is refused in words, and its neighbours are taken."""
    from tests.detector.formats.test_gateways import SAMPLES

    body = json.dumps([SAMPLES[name]()]).encode()
    when = datetime.fromtimestamp(START / 1e9, UTC)
    options: dict[str, Any] = {"account": "a", "received": when, "hold": True}
    good = parse_body(body, latest=when + timedelta(days=1), **options)
    assert len(good.events) + len(good.joined) == 1
    bad = parse_body(body, latest=when - timedelta(days=1), **options)
    assert (bad.events, bad.joined, bad.parts) == ([], [], [])
    assert "is the sender's clock wrong" in bad.rejected[0].error


def test_a_group_that_cannot_be_read_says_why() -> None:
    """A call without any time is an error with a reason when it is joined, not an exception."""
    lacking = {**span(2, CALL, parent=1), "startTimeUnixNano": "0"}
    parts = held(traces(lacking), received=datetime(2026, 9, 7, tzinfo=UTC)).parts
    (error,) = join("otlp", [p.data for p in parts], Given(sender="s"))
    assert isinstance(error, RowError)
    assert "startTimeUnixNano" in str(error)
