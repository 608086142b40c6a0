"""One call from its span, its log records and the spans around it, in whatever order and request they come.

Fragments wait in their trace until they are taken. The event's id is trace and span: a call reported by its span and by
log records is one event, and so is one that two instrumentations report one inside the other under the same answer's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from detector.event import MAX_COUNT, Client, Event
from detector.formats.base import (
    Given,
    Part,
    RowError,
    fingerprint,
    integer,
    text,
    unexpected,
)
from detector.formats.otlp import identity, wire
from detector.formats.otlp.content import Attributes, Said, fill
from detector.formats.otlp.dialects import genai
from detector.formats.otlp.fragments import ANSWER, ERROR_TYPE, LEVEL, STATUS, Fragment, distil, time_of

FAMILY = "otlp"
MAX_ANCESTORS = 64  # spans around a call that are asked for its account

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Fragment)


class _Trace:
    """What is known of a trace so far."""

    def __init__(self) -> None:
        self.spans: dict[str, Fragment] = {}
        self.logs: dict[bytes, Fragment] = {}  # by what they say: one that is sent again is the same
        self.places: dict[str, tuple[Any, int]] = {}  # span id -> where it came from

    def __len__(self) -> int:
        return len(self.spans) + len(self.logs)


class Traces:
    """Spans and log records, until their calls are taken."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self._traces: dict[str, _Trace] = {}
        self._errors: list[tuple[Any, RowError]] = []
        self._held = 0

    def add(self, row: dict[str, Any], where: Any) -> None:
        """Take a request in JSON. Raises RowError where it is none."""
        if "resourceLogs" in row:
            self._take(wire.logs_of_json(row), where)
        else:
            self._take(wire.spans_of_json(row), where)

    def add_spans(self, body: bytes, where: Any) -> None:
        """Take a trace request in protobuf. Raises FormatError."""
        self._take(wire.spans_of_protobuf(body), where)

    def add_logs(self, body: bytes, where: Any) -> None:
        """Take a log request in protobuf. Raises FormatError."""
        self._take(wire.logs_of_protobuf(body), where)

    def restore(self, data: bytes) -> None:
        """Take a part's data back."""
        self._keep(_DECODER.decode(data), None, 0)

    def take(self, keep: int = 0) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the calls of the oldest traces until at most ``keep`` records remain."""
        yield from self._complaints()
        while self._traces and (self._held > keep or keep == 0):
            name, trace = self._pop(next(iter(self._traces)))
            for span_id, found in _calls(name, trace, self.given):
                yield _placed(trace, span_id, found)

    def whole(self) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the traces of which nothing can be missing, and the calls that cannot be read; the others stay."""
        yield from self._complaints()
        left: dict[str, _Trace] = {}
        for name, trace in self._traces.items():
            found = list(_calls(name, trace, self.given))
            is_whole = bool(found)
            for span_id, event in found:
                is_whole = is_whole and isinstance(event, Event) and _is_whole(event, span_id, trace, self.given)
            for span_id, event in found:
                if is_whole:
                    yield _placed(trace, span_id, event)
                elif isinstance(event, RowError):
                    _drop(trace, span_id)
                    yield _placed(trace, span_id, event)
            if not is_whole:
                left[name] = trace
        self._traces, self._held = left, sum(map(len, left.values()))

    def parts(self) -> Iterator[Part]:
        """Hand out the fragments of all traces that are left."""
        while self._traces:
            name, trace = self._pop(next(iter(self._traces)))
            for fragment in (*trace.spans.values(), *trace.logs.values()):
                data = _ENCODER.encode(fragment)
                yield Part(family=FAMILY, group=fragment.trace or name, patient=not fragment.is_call, data=data)

    def _take(self, records: Any, where: Any) -> None:
        for number, record in enumerate(records):
            try:
                if isinstance(record, RowError):
                    raise record
                fragment = distil(record, self.given)
                if fragment is not None:
                    self._keep(fragment, where, number)
            except RowError as error:
                self._errors.append((where, RowError(str(error), number)))
            except Exception as error:
                self._errors.append((where, RowError(str(unexpected(error)), number)))

    def _keep(self, fragment: Fragment, where: Any, number: int) -> None:
        name = fragment.trace
        if not name:  # a record outside of any trace, such as an access log's, is a trace of its own
            if not fragment.is_log:
                raise RowError("traceId: missing, expected 32 hexadecimal digits")
            name = f"alone-{fingerprint(fragment.start, msgspec.to_builtins(fragment))}"
            if name in self._traces:
                return
        trace = self._traces.get(name)
        if trace is None:
            trace = self._traces[name] = _Trace()
        if fragment.is_log:
            self._held -= len(trace.logs)
            trace.logs.setdefault(_ENCODER.encode(fragment), fragment)
            self._held += len(trace.logs)
        else:
            known = trace.spans.get(fragment.span)
            if known is None or known.weight < fragment.weight:
                trace.spans[fragment.span] = fragment
            self._held += known is None
        trace.places.setdefault(fragment.span if fragment.trace else "", (where, number))

    def _complaints(self) -> Iterator[tuple[Any, RowError]]:
        yield from self._errors
        self._errors = []

    def _pop(self, name: str) -> tuple[str, _Trace]:
        trace = self._traces.pop(name)
        self._held -= len(trace)
        return name, trace


def _drop(trace: _Trace, span_id: str) -> None:
    """Take a call that cannot be read out of its trace."""
    trace.spans.pop(span_id, None)
    trace.logs = {data: record for data, record in trace.logs.items() if record.span != span_id}


def _placed(trace: _Trace, span_id: str, found: Event | RowError) -> tuple[Any, Event | RowError]:
    where, number = trace.places.get(span_id, (None, 0))
    return where, RowError(str(found), number) if isinstance(found, RowError) else found


def _calls(name: str, trace: _Trace, given: Given) -> Iterator[tuple[str, Event | RowError]]:
    """The calls of a trace with their spans' ids, in the order of their times."""
    if len(trace) == 1 and trace.spans:  # by far the most frequent
        for span_id, only in trace.spans.items():
            if only.is_call:
                yield span_id, _read(f"{name}-{span_id}" if span_id else name, only, [], trace.spans, given)
        return
    logs: dict[str, list[Fragment]] = {}
    for record in trace.logs.values():
        logs.setdefault(record.span if record.trace else "", []).append(record)
    calls = {i: s for i, s in trace.spans.items() if s.is_call or i in logs}
    inner = _repeated(calls, trace.spans)
    found = []
    for span_id in (set(calls) | set(logs)) - set(inner):
        span = calls.get(span_id)
        records = logs.get(span_id, [])
        for repeat in (i for i, outer in inner.items() if outer == span_id):
            records = [*records, calls[repeat], *logs.get(repeat, [])]
        found.append((span.start if span else min(r.start for r in records), span_id, span, records))
    for _, span_id, span, records in sorted(found, key=lambda f: f[:2]):
        yield span_id, _read(f"{name}-{span_id}" if span_id else name, span, records, trace.spans, given)


def _is_whole(event: Event, span_id: str, trace: _Trace, given: Given) -> bool:
    """True where no other record could add to a call: its span, both sides of its content and its owner are there."""
    span = trace.spans.get(span_id)
    if span is None or not event.messages or event.response is None:
        return False
    if not span.parent or not [span, *_around(span, trace.spans)][-1].parent:
        return True
    return event.client.ip is not None and identity.is_final(span.names, given)


def _repeated(calls: dict[str, Fragment], spans: dict[str, Fragment]) -> dict[str, str]:
    """Calls that an instrumentation around them reports as well: inner span -> outermost span with the same answer."""
    found = {}
    for span_id, span in calls.items():
        answer = span.names.get(ANSWER)
        outermost = None
        for around in _around(span, spans):
            if answer and around.span in calls and around.names.get(ANSWER) == answer:
                outermost = around.span
        if outermost is not None:
            found[span_id] = outermost
    return found


def _around(span: Fragment, spans: dict[str, Fragment]) -> Iterator[Fragment]:
    """The spans around a span, inmost first."""
    seen = {span.span}
    for _ in range(MAX_ANCESTORS):
        parent = spans.get(span.parent)
        if parent is None or parent.span in seen:
            return
        seen.add(parent.span)
        yield parent
        span = parent


def _read(
    name: str, span: Fragment | None, records: list[Fragment], spans: dict[str, Fragment], given: Given
) -> Event | RowError:
    """The event of a call, or why there is none."""
    try:
        return _event(name, span, records, spans, given)
    except RowError as error:
        return error
    except Exception as error:
        return unexpected(error)


def _event(
    name: str, span: Fragment | None, records: list[Fragment], spans: dict[str, Fragment], given: Given
) -> Event:
    """The event of a call. Raises RowError."""
    own = [*([span] if span else []), *(sorted(records, key=_order) if records else ())]
    said = _said(own)
    first = own[0]
    chain = [s.names for s in own]
    if first.span in spans and spans[first.span].parent:
        chain += [s.names for s in _around(spans[first.span], spans)]
    account, named_by = identity.owner(chain, first.resource, given)
    told = identity.told(chain).get
    user = told("user")
    return Event(
        event_id=name,
        timestamp=time_of(first.start, given) if first.start or not given.received else given.received,
        account_id=account,
        organization_id=told("organization"),
        api_key_id=told("key"),
        end_user_id=told("claimed") or said.end_user_id or (user if user != account else None),
        session_id=said.session_id or told("session"),
        model=said.model,
        operation=said.operation,
        system=said.system,
        messages=said.messages,
        tools=said.tools,
        params=said.params,
        usage=said.usage,
        response=said.response,
        finish_reason=said.finish_reason,
        status=_status(span, chain),
        latency_ms=_latency(span),
        client=Client(ip=told("ip"), user_agent=told("agent")),
        extra={"identity": named_by},
    )


def _said(own: list[Fragment]) -> Said:
    """What all records of a call say; that of a single one as it is."""
    told = [source.said for source in own if source.said is not None]
    turns = [turn for source in own for turn in source.turns]
    if len(told) == 1 and not turns:
        return told[0]
    said = Said()
    for one in told:
        fill(said, one)
    return fill(said, genai.read_parts(turns)) if turns else said


def _order(fragment: Fragment) -> tuple[bool, int, bytes]:
    """Spans before log records, and both by their times: the same order however they came."""
    return fragment.is_log, fragment.start, _ENCODER.encode(fragment)


def _status(span: Fragment | None, chain: list[Attributes]) -> int | None:
    own = chain[0]
    code = next((c for name in STATUS if (c := integer(text(own.get(name))))), None) if own.keys() & STATUS else None
    if span is not None and span.failed:
        return code if code and code >= 400 else integer(own.get(ERROR_TYPE)) or 500
    if own.get(LEVEL) == "ERROR":
        return 500
    return code or (200 if span is not None else None)


def _latency(span: Fragment | None) -> float | None:
    if span is None or span.end < span.start or span.end - span.start > MAX_COUNT:
        return None
    return (span.end - span.start) / 1e6
