"""Gateways' own formats: each field in its place, the account verified, no secret through."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.event import Event
from detector.formats import FORMATS, FormatError, parse_body, read
from tests.detector.formats import gateways
from tests.detector.formats.bodies import encode, litellm, row
from tests.detector.formats.otlp.requests import CALL, log, logs, span, traces
from tests.detector.formats.test_canonical import json_values, one

START = datetime(2026, 9, 7, 10, 15, tzinfo=UTC)
RECEIVED = datetime(2026, 9, 8, tzinfo=UTC)
SAMPLES: dict[str, Callable[..., dict[str, Any]]] = {
    "canonical": row,
    "litellm": litellm,
    "otlp_traces": lambda **f: {**traces(span(1, CALL)), **f},
    "otlp_logs": lambda **f: {**logs(log(1, "gen_ai.user.message", body={"content": "x"})), **f},
    "kong": gateways.kong,
    "apisix": gateways.apisix,
    "portkey": gateways.portkey,
    "helicone": gateways.helicone,
    "langfuse": lambda **f: {**gateways.langfuse(), **f},
    "openai_batch": lambda **f: {**gateways.openai_output(), **f},
    "anthropic_batch": lambda **f: {**gateways.anthropic_output(), **f},
    "sglang": gateways.sglang,
    "envoy": gateways.envoy,
}
WITH_ALL = ("kong", "apisix", "portkey", "helicone", "langfuse")  # formats that carry both bodies


def converted(name: str, account: str | None = None, **fields: Any) -> Event:
    """The event of one made-up row."""
    return one(parse_body(encode(SAMPLES[name](**fields)), account=account, received=RECEIVED))


def test_every_format_has_a_sample() -> None:
    """The tests below cover all formats there are."""
    assert set(SAMPLES) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_shapes_are_told_apart(name: str) -> None:
    """A row is of its own format and of no other, and each format says what it is."""
    sample = SAMPLES[name]()
    assert [n for n, f in FORMATS.items() if f.matches(sample)] == [name]
    assert FORMATS[name].DESCRIPTION


@pytest.mark.parametrize("name", FORMATS)
def test_no_secret_comes_through(name: str) -> None:
    """Keys, tokens and cookies of the request are nowhere in the event."""
    found = parse_body(encode([SAMPLES[name]()]), account="acme", received=RECEIVED)
    assert len(found.events) == 1
    written = msgspec.json.encode(found.events).decode()
    assert [s for s in gateways.SECRETS if s in written] == []


@pytest.mark.parametrize("name", WITH_ALL)
def test_fields(name: str) -> None:
    """Prompt, answer, parameters, usage, times and account arrive, whatever the gateway."""
    event = converted(name, account="acme" if name == "portkey" else None)
    assert (event.timestamp, event.account_id, event.model) == (
        START,
        "acme" if name != "kong" else "consumer-1",
        "gpt-4o",
    )
    assert [(m.role, m.content) for m in event.messages] == [("system", "Be brief."), ("user", "Name a river.")]
    assert (event.operation, event.response, event.status) == ("chat", "Elbe.", 200)
    assert (event.params.temperature, event.params.max_tokens) == (0.5, 99)
    assert event.tools == ["lookup"]
    assert (event.usage.input_tokens, event.usage.output_tokens) == (10, 20)
    if name != "apisix":
        assert event.finish_reason == "stop"
    if name != "portkey":
        assert event.latency_ms == 750.0
    if name in ("kong", "apisix", "portkey"):
        assert (event.client.ip, event.client.user_agent) == ("198.51.100.9", "client/2")
    if name not in ("langfuse",):
        assert event.end_user_id == "claimed"
    assert event.session_id == ("s1" if name in ("helicone", "langfuse") else None)


@pytest.mark.parametrize("name", FORMATS)
def test_sent_again_it_is_the_same_event(name: str) -> None:
    """A row sent again, at another time, has the id it had."""
    first = parse_body(encode(SAMPLES[name]()), account="a", received=RECEIVED)
    again = parse_body(encode(SAMPLES[name]()), account="a", received=START)
    assert [e.event_id for e in first.events] == [e.event_id for e in again.events]


def test_kong_owner() -> None:
    """The consumer, else the authenticated entity's, else the given account; never the body's ``user``."""
    assert converted("kong", consumer=None).account_id == "consumer-1"
    assert converted("kong", consumer=None, authenticated_entity={"id": "cred-1"}).account_id == "cred-1"
    assert converted("kong", "given", consumer=None, authenticated_entity=None).account_id == "given"
    found = parse_body(encode(gateways.kong(consumer=None, authenticated_entity=None)))
    assert found.rejected[0].error.startswith("consumer.id: missing")


def test_kong_payloads_elsewhere() -> None:
    """Payloads one level up, or under the plugin's name, are found as well."""
    proxy = gateways.kong()["ai"]["proxy"]
    assert converted("kong", ai=proxy) == converted("kong", ai={"ai-proxy": proxy}) == converted("kong")


def test_switched_off_payloads_say_what_to_switch_on() -> None:
    """A log without the AI plugin's part is refused with the setting that adds it."""
    assert "log_payloads" in parse_body(encode(gateways.kong(ai=None))).rejected[0].error
    body = encode(gateways.apisix(llm_summary=None, llm_request=None))
    assert "logging.summaries" in parse_body(body).rejected[0].error


def test_apisix_details() -> None:
    """Numbers as text are numbers, and the stream flag is read."""
    event = converted("apisix")
    assert (event.usage.reasoning_tokens, event.usage.cached_input_tokens, event.params.stream) == (5, 3, True)


def test_portkey_needs_an_account() -> None:
    """Nothing in Portkey's body is verified: the account is given, or configured from its metadata."""
    body = encode(gateways.portkey())
    assert "names no verified owner" in parse_body(body).rejected[0].error
    assert one(parse_body(body, account_attributes=["customer"])).account_id == "acme"


def test_portkey_without_a_time() -> None:
    """An answer that carries no time has that of its arrival; an error is kept with its status."""
    response = {"json": {"error": {"message": "no"}}, "statusCode": 429}
    event = converted("portkey", "acme", response=response)
    assert (event.timestamp, event.status, event.response) == (RECEIVED, 429, None)


def test_portkey_streams_are_requests_of_their_own() -> None:
    """A hook has no answer of a streamed call: the same prompt asked twice are two events, and never one."""
    body = encode(gateways.portkey(response={"json": None, "text": "", "statusCode": 200}))
    times = (RECEIVED, RECEIVED.replace(microsecond=1))
    events = [one(parse_body(body, account="acme", received=time)) for time in times]
    assert len({e.event_id for e in events}) == 2
    assert events[0].response is None
    assert one(parse_body(body, account="acme", received=RECEIVED)) == events[0]


def test_portkey_rows_of_a_file_are_requests_of_their_own(tmp_path: Path) -> None:
    """In a file, too: rows without an answer count each, once however often the file is read; answered ones count by their answer."""
    streamed = encode(gateways.portkey(response={"json": None, "text": "", "statusCode": 200}))
    file = tmp_path / "portkey.jsonl"
    file.write_bytes(b"\n".join([streamed, encode(gateways.portkey()), streamed, encode(gateways.portkey())]))
    found, again = ([e.event_id for b in read([file], account="acme") for e in b.events] for _ in range(2))
    assert (len(found), len(set(found)), again) == (4, 3, found)
    assert found[1] == found[3]


def test_helicone_properties() -> None:
    """Properties are kept, and one can be configured as the account."""
    body = encode(gateways.helicone())
    assert one(parse_body(body)).extra == {"plan": "pro"}
    assert one(parse_body(body, account_attributes=["plan"])).account_id == "pro"


def test_langfuse_joins_across_batches() -> None:
    """Trace, generation and update in separate lines are one event; the configured attribute wins over the user."""
    batch = gateways.langfuse()["batch"]
    lines = b"\n".join(encode({"batch": [item]}) for item in reversed(batch))
    assert parse_body(lines).events == parse_body(encode(gateways.langfuse())).events
    event = one(parse_body(encode(gateways.langfuse()), account_attributes=["customer"]))
    assert (event.account_id, event.end_user_id) == ("corp", "acme")


def test_langfuse_names_bad_items() -> None:
    """Items that are none are named by their place in the batch; other kinds of items are passed over."""
    body = gateways.langfuse(user=None)
    body["batch"] += [{"type": "score-create", "timestamp": "x", "body": {}}, 7, {"type": "what", "body": {}}]
    found = parse_body(encode(body))
    assert [(r.index, r.error.partition(":")[0]) for r in found.rejected] == [
        (1, "body.userId of the trace"),
        (4, "batch"),
        (5, "type"),
    ]


def test_sglang() -> None:
    """The finished request is the event, its arrival none; the account must be given."""
    received = gateways.sglang(event="request.received", out=None)
    found = parse_body(b"\n".join(map(encode, (received, gateways.sglang()))), account="acme")
    event = one(found)
    assert (event.timestamp, event.account_id, event.operation) == (START, "acme", "text_completion")
    assert ([m.content for m in event.messages], event.response, event.finish_reason) == (
        ["Name a river."],
        "Elbe.",
        "stop",
    )
    assert (event.params.n, event.params.max_tokens, event.params.stream, event.params.logprobs) == (2, 99, True, True)
    assert (event.usage.input_tokens, event.usage.cached_input_tokens, event.latency_ms) == (10, 3, 750.0)
    assert "name the account" in parse_body(encode(gateways.sglang())).rejected[0].error


def test_envoy() -> None:
    """The access log's tokens, times and verified tenant; a dash is nothing, and the request's id is not the event's."""
    event = converted("envoy")
    assert (event.timestamp, event.account_id, event.end_user_id, event.session_id) == (START, "acme", "u1", "s1")
    assert (event.usage.input_tokens, event.usage.output_tokens, event.usage.reasoning_tokens) == (10, 20, None)
    assert (event.status, event.latency_ms, event.messages) == (200, 750.0, [])
    assert (event.client.ip, event.client.user_agent) == ("198.51.100.9", "client/2")
    other = converted("envoy", start_time="2026-09-07T10:16:00Z")
    assert other.event_id != event.event_id


def test_openai_batch() -> None:
    """Requests and answers are joined by ``custom_id``, in whatever order the files come."""
    lines = [gateways.openai_output("r1", 1), gateways.openai_output("r2", 2), gateways.openai_input("r2")]
    for order in (lines, lines[::-1]):
        found = parse_body(b"\n".join(map(encode, order)), account="acme")
        assert found.rejected == []
        events = {e.event_id: e for e in found.events}
        assert set(events) == {"batch_req_1", "batch_req_2"}
        assert events["batch_req_1"].messages == []
        whole = events["batch_req_2"]
        assert [m.content for m in whole.messages] == ["Be brief.", "Name a river."]
        assert (whole.response, whole.status, whole.timestamp, whole.end_user_id) == ("Elbe.", 200, START, "claimed")


def test_unanswered_batch() -> None:
    """A request alone is an event without an answer."""
    event = one(parse_body(encode(gateways.openai_input()), account="acme", received=RECEIVED))
    assert (event.timestamp, event.response, event.model) == (RECEIVED, None, "gpt-4o")


def test_anthropic_batch() -> None:
    """Requests and results are joined; thinking is kept beside the answer."""
    lines = [gateways.anthropic_input(), gateways.anthropic_output()]
    event = one(parse_body(b"\n".join(map(encode, lines)), account="acme", received=RECEIVED))
    assert (event.event_id, event.timestamp, event.model, event.system) == ("msg_1", RECEIVED, "claude", "Be brief.")
    assert [(m.role, m.content) for m in event.messages] == [("user", "Name a river.")]
    assert event.response == {"content": "Elbe.", "reasoning": "Rivers."}
    assert (event.finish_reason, event.end_user_id, event.tools) == ("end_turn", "claimed", ["lookup"])
    assert event.usage.cached_input_tokens == 3


@pytest.mark.parametrize("name", ["openai_batch", "anthropic_batch"])
def test_batches_need_an_account(name: str) -> None:
    """Batch files name no account; without one they are refused in words."""
    assert "name the one" in parse_body(encode(SAMPLES[name]())).rejected[0].error


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(SAMPLES)), data=st.data())
def test_any_value_in_any_field(name: str, data: st.DataObject) -> None:
    """Whatever stands in any field at any depth, a row is read or refused, and what is read can be stored."""
    sample = json.loads(json.dumps(SAMPLES[name]()))
    place = sample
    while isinstance(place, dict | list) and place:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = inner
    for format in ("auto", name):
        try:
            found = parse_body(encode(sample), format, account="a", received=RECEIVED)
        except FormatError as error:
            reason = str(error)
            assert reason
            continue
        assert all(r.error for r in found.rejected)
        for event in found.events:
            assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


@settings(max_examples=100, deadline=None)
@given(value=json_values, name=st.sampled_from(sorted(FORMATS)))
def test_any_json_in_any_format(value: Any, name: str) -> None:
    """Any JSON under any format's name is read or refused in words."""
    try:
        found = parse_body(encode(value), name, account="a")
    except FormatError as error:
        reason = str(error)
        assert reason
    else:
        assert all(r.error for r in found.rejected)
