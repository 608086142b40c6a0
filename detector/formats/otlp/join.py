"""One call from its span, its log records and the spans around it, in whatever order and request they come.

Records wait in their trace until they are taken. The event's id is trace and span: a call reported by its span and by
log records is one event, and so is one that two instrumentations report one inside the other under the same answer's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detector.event import MAX_COUNT, Event
from detector.formats.base import Given, RowError, fingerprint, integer, text, timestamp
from detector.formats.otlp import identity, wire
from detector.formats.otlp.content import Attributes, Said, fill
from detector.formats.otlp.dialects import DIALECTS, genai
from detector.formats.otlp.wire import Record

MAX_ANCESTORS = 64  # spans around a call that are asked for its account


_NOTHING = Said()


class _Trace:
    """What is known of a trace so far."""

    def __init__(self) -> None:
        self.spans: dict[str, Record] = {}
        self.logs: list[Record] = []
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

    def _take(self, records: Any, where: Any) -> None:
        for number, record in enumerate(records):
            if isinstance(record, RowError):
                self._errors.append((where, RowError(str(record), number)))
                continue
            if not record.trace:
                self._alone(record, where, number)
                continue
            trace = self._traces.setdefault(record.trace, _Trace())
            before = len(trace)
            if record.is_log:
                if genai.is_part(record) or _is_call(record.attributes):
                    trace.logs.append(record)
            else:
                known = trace.spans.get(record.span)
                if known is None or len(known.attributes) < len(record.attributes):
                    trace.spans[record.span] = record
            trace.places.setdefault(record.span, (where, number))
            self._held += len(trace) - before

    def _alone(self, record: Record, where: Any, number: int) -> None:
        """A record outside of any trace, such as an access log's, is a trace of its own."""
        if not record.is_log:
            self._errors.append((where, RowError("traceId: missing, expected 32 hexadecimal digits", number)))
        elif _is_call(record.attributes):
            trace = _Trace()
            trace.logs.append(record)
            trace.places[""] = (where, number)
            self._traces[f"alone-{fingerprint(record.start, record.attributes, record.body)}"] = trace
            self._held += 1

    def take(self, keep: int = 0) -> Iterator[tuple[Any, Event | RowError]]:
        """Hand out the calls of the oldest traces until at most ``keep`` records remain."""
        yield from self._errors
        self._errors = []
        while self._traces and (self._held > keep or keep == 0):
            name = next(iter(self._traces))
            trace = self._traces.pop(name)
            self._held -= len(trace)
            yield from _calls(name, trace, self.given)


def _is_call(attributes: Attributes) -> bool:
    return any(dialect.is_call(attributes) for dialect in DIALECTS)


def _calls(name: str, trace: _Trace, given: Given) -> Iterator[tuple[Any, Event | RowError]]:
    """The calls of a trace, in the order of their times."""
    logs: dict[str, list[Record]] = {}
    for record in trace.logs:
        logs.setdefault(record.span, []).append(record)
    calls = {i: s for i, s in trace.spans.items() if _is_call(s.attributes) or _has_parts(s)}
    calls |= {i: trace.spans[i] for i in logs if i in trace.spans}
    inner = _repeated(calls, trace.spans)
    found = []
    for span_id in (set(calls) | set(logs)) - set(inner):
        span = calls.get(span_id)
        records = logs.get(span_id, [])
        for repeat in (i for i, outer in inner.items() if outer == span_id):
            records = [*records, calls[repeat], *logs.get(repeat, [])]
        found.append((span.start if span else min(r.start for r in records), span_id, span, records))
    for _, span_id, span, records in sorted(found, key=lambda f: f[:2]):
        where, number = trace.places.get(span_id, (None, 0))
        try:
            yield where, _event(f"{name}-{span_id}" if span_id else name, span, records, trace.spans, given)
        except RowError as error:
            yield where, RowError(str(error), number)


def _has_parts(span: Record) -> bool:
    return any(genai.is_part(e) for e in span.events)


def _repeated(calls: dict[str, Record], spans: dict[str, Record]) -> dict[str, str]:
    """Calls that an instrumentation around them reports as well: inner span -> outermost span with the same answer."""
    found = {}
    for span_id, span in calls.items():
        answer = span.attributes.get("gen_ai.response.id")
        outermost = None
        for around in _around(span, spans):
            if answer and around.span in calls and around.attributes.get("gen_ai.response.id") == answer:
                outermost = around.span
        if outermost is not None:
            found[span_id] = outermost
    return found


def _around(span: Record, spans: dict[str, Record]) -> Iterator[Record]:
    """The spans around a span, inmost first."""
    seen = {span.span}
    for _ in range(MAX_ANCESTORS):
        parent = spans.get(span.parent)
        if parent is None or parent.span in seen:
            return
        seen.add(parent.span)
        yield parent
        span = parent


def _event(name: str, span: Record | None, records: list[Record], spans: dict[str, Record], given: Given) -> Event:
    """The event of a call. Raises RowError."""
    own = [span.attributes] if span else []
    chain = [*own, *(r.attributes for r in records)]
    parts = [r for r in (*records, *(e for s in (span, *records) if s for e in s.events)) if genai.is_part(r)]
    said = Said()
    for source in chain:
        for dialect in DIALECTS:
            heard = dialect.read(source)
            if heard != _NOTHING:
                fill(said, heard)
    fill(said, genai.read_parts(parts))
    first = span or min(records, key=lambda r: (r.is_log, r.start))
    if span:
        chain += [s.attributes for s in _around(span, spans)]
    elif first.span in spans:
        chain += [s.attributes for s in _around(spans[first.span], spans)]
    account, named_by = identity.owner(chain, first.resource, given)
    user = identity.nearest(chain, identity.USERS)
    claimed = identity.nearest(chain, tuple(f"{p}user_api_key_end_user_id" for p in ("metadata.", "litellm.metadata.")))
    return Event(
        event_id=name,
        timestamp=timestamp(first.start or None, "startTimeUnixNano")
        if first.start or not given.received
        else given.received,
        account_id=account,
        organization_id=identity.nearest(chain, identity.ORGANIZATIONS),
        api_key_id=identity.credential(chain),
        end_user_id=claimed or said.end_user_id or (user if user != account else None),
        session_id=said.session_id or identity.nearest(chain, ("session.id",)),
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
        client=identity.client(chain),
        extra={"identity": named_by},
    )


def _status(span: Record | None, chain: list[Attributes]) -> int | None:
    own = chain[0]
    code = integer(own.get("http.response.status_code")) or integer(text(own.get("response_code")))
    if span is not None and span.failed:
        return code if code and code >= 400 else integer(own.get("error.type")) or 500
    if own.get("langfuse.observation.level") == "ERROR":
        return 500
    return code or (200 if span is not None else None)


def _latency(span: Record | None) -> float | None:
    if span is None or span.end < span.start or span.end - span.start > MAX_COUNT:
        return None
    return (span.end - span.start) / 1e6
