"""Clients that send as gateways do: until the answer is a success, and some of it again after that.

Each sends a sequence of requests that depends on its number alone, so that a second service can be given exactly the same.
The OpenTelemetry ones are the official SDK's own exporters.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import requests
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.api.builders import row
from tests.detector.formats import gateways
from tests.detector.formats.bodies import litellm
from tests.detector.formats.otlp.requests import CALL

AGAIN = 0.2  # of what was acknowledged is sent once more
PAUSE_SECONDS = 0.05  # after a failure
PACE_SECONDS = 0.02  # between requests, where there is no limit to them

logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # that attempts fail is the test's purpose

Stop = Callable[[], bool]


class Sender(Protocol):
    """Sends one request after another; each must be acknowledged before the next."""

    sent: int  # events acknowledged so far

    def run(self, url: str, secret: str, stop: Stop, limit: int | None = None) -> int:
        """Send until ``stop``, or so many requests; returns how many were acknowledged."""


class HttpSender:
    """Posts bodies: canonical rows, LiteLLM's, or Langfuse's items in requests of their own."""

    def __init__(self, kind: str, number: int, start: datetime) -> None:
        self.kind = kind
        self.number = number
        self.sent = 0
        self._start = start

    def requests(self) -> Iterator[tuple[str, bytes, int]]:
        """Path, body and number of events of one request after another, always the same."""
        chance = random.Random(f"{self.kind} {self.number}")
        count = 0
        while True:
            size = chance.choice((1, 1, 5, 50))
            name = f"{self.kind}{self.number}-"
            if self.kind == "langfuse":
                for item in self._langfuse(f"{name}{count}"):
                    yield (
                        "/api/public/ingestion",
                        json.dumps({"batch": [item]}).encode(),
                        item["type"].endswith("update"),
                    )
                count += 1
                continue
            numbers = range(count, count + size)
            rows = [self._litellm(n) if self.kind == "litellm" else self._canonical(n) for n in numbers]
            path = "/v1/ingest/litellm" if self.kind == "litellm" else "/v1/events"
            yield path, json.dumps(rows).encode(), size
            count += size

    def run(self, url: str, secret: str, stop: Stop, limit: int | None = None) -> int:
        """Post until ``stop``, or so many requests; returns how many were acknowledged."""
        chance = random.Random(self.number)
        done = 0
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False, timeout=30
        ) as http:
            for path, body, events in self.requests():
                if stop() or done == limit:
                    return done
                self._post(http, path, body)
                if chance.random() < AGAIN:
                    self._post(http, path, body)
                self.sent += events
                done += 1
                time.sleep(PACE_SECONDS if limit is None else 0)
        return done

    def _post(self, http: httpx.Client, path: str, body: bytes) -> None:
        """Until it is acknowledged, also when the test is over: then nothing is left in doubt."""
        while True:
            try:
                answer = http.post(path, content=body)
            except httpx.TransportError:
                time.sleep(PAUSE_SECONDS)
                continue
            if answer.is_success:
                told = answer.json()
                assert told.get("rejected", told.get("errors")) == [], answer.text
                return
            assert answer.status_code == 503, answer.text
            time.sleep(PAUSE_SECONDS)

    def _canonical(self, number: int) -> dict[str, Any]:
        when = self._start + timedelta(seconds=number)
        name = f"canonical{self.number}-{number}"
        return row(number, f"account-{number % 7}", event_id=name, timestamp=when.isoformat())

    def _litellm(self, number: int) -> dict[str, Any]:
        when = self._start.timestamp() + number
        return litellm(number, litellm_call_id=f"call-{self.number}-{number}", startTime=when, endTime=when + 1)

    def _langfuse(self, name: str) -> list[dict[str, Any]]:
        batch = json.dumps(gateways.langfuse()["batch"]).replace('"t1"', f'"trace-{name}"').replace('"g1"', f'"{name}"')
        day = self._start.strftime("%Y-%m-%d")
        found: list[dict[str, Any]] = json.loads(batch.replace("2026-09-07", day))
        return found


class OtlpSender:
    """Exports a call's log records, its span, and the span around it, each with an exporter and a request of its own."""

    def __init__(self, number: int, start: datetime) -> None:
        self.number = number
        self.sent = 0
        self._start = int(start.timestamp() * 1e9)
        self._made: list[Sequence[Any]] = []  # spans and records have random ids, so they are kept to be sent again

    def run(self, url: str, secret: str, stop: Stop, limit: int | None = None) -> int:
        """Export until ``stop``, or so many requests; returns how many were acknowledged."""
        headers = {"Authorization": f"Bearer {secret}"}
        direct = requests.Session()
        direct.trust_env = False  # no proxy of the environment
        spans = OTLPSpanExporter(
            f"{url}/v1/traces", headers=headers, compression=Compression.Gzip, session=direct, timeout=10
        )
        logs = OTLPLogExporter(f"{url}/v1/logs", headers=headers, session=direct, timeout=10)
        chance = random.Random(self.number)
        done = 0
        try:
            while not (stop() and done % 3 == 0) and done != limit:
                if done == len(self._made):
                    self._made += self._calls(done // 3, chance.choice((1, 1, 20)))
                records = self._made[done]
                for _ in range(2 if chance.random() < AGAIN else 1):
                    self._export(spans if hasattr(records[0], "parent") else logs, records)
                self.sent += len(records) if done % 3 == 1 else 0
                done += 1
                time.sleep(PACE_SECONDS if limit is None else 0)
        finally:
            spans.shutdown()
            logs.shutdown()
        return done

    def _export(self, exporter: Any, records: Sequence[Any]) -> None:
        """As a collector with a queue on disk does: what the exporter gives up on is handed to it again."""
        while exporter.export(records) not in (SpanExportResult.SUCCESS, LogRecordExportResult.SUCCESS):
            time.sleep(PAUSE_SECONDS)

    def _calls(self, number: int, count: int) -> list[Sequence[Any]]:
        """The three requests of some calls."""
        spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        tracing, logging_ = TracerProvider(), LoggerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(spans))
        logging_.add_log_record_processor(SimpleLogRecordProcessor(logs))
        tracer, logger = tracing.get_tracer("test"), logging_.get_logger("test")
        for call in range(count):
            at = self._start + (number * 100 + call) * 1_000_000_000
            around = tracer.start_span("POST /chat", start_time=at, attributes={"tenant.id": f"tenant-{call % 3}"})
            inner = tracer.start_span("chat gpt-4o", trace.set_span_in_context(around), start_time=at, attributes=CALL)
            said = {"gen_ai.user.message": {"content": f"question {number}.{call}"}}
            said["gen_ai.choice"] = {"index": 0, "message": {"role": "assistant", "content": "Elbe."}}
            for offset, (name, body) in enumerate(said.items()):
                context = trace.set_span_in_context(inner)
                logger.emit(LogRecord(timestamp=at + offset, context=context, body=body, event_name=name))
            inner.end(at + 1000)
            around.end(at + 2000)
        finished = spans.get_finished_spans()
        return [
            logs.get_finished_logs(),
            [s for s in finished if s.parent is not None],
            [s for s in finished if s.parent is None],
        ]


def all_senders() -> list[HttpSender | OtlpSender]:
    """One or two of each kind, beginning an hour ago."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    kinds = ("canonical", "canonical", "litellm", "langfuse")
    return [*(HttpSender(kind, n, start) for n, kind in enumerate(kinds)), OtlpSender(8, start), OtlpSender(9, start)]
