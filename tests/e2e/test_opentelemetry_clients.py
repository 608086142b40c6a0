"""OpenTelemetry's SDK with each instrumentation of OpenAI's library, configured as docs/gateways.md says."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.documented import block, environment, filled
from tests.e2e.receiving import Receiver, check
from tests.e2e.running_clients import CHAT, PYTHON, needed, run

pytestmark = needed

SDK = "OpenTelemetry SDK"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
LATEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
JSON = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"), "otlp_json_http")
OFFICIAL, FORMER = "opentelemetry.instrumentation.genai.openai", "opentelemetry.instrumentation.openai_v2"


class Case(NamedTuple):
    """An instrumentation, the part of the page that is about it, and what it does not log."""

    module: str
    title: str = SDK
    env: dict[str, str] = {}  # noqa: RUF012
    beside: str | None = None
    leaves_out: tuple[str, ...] = ("session",)


OLD = ("session", "details", "tools", "stream")
CASES = {
    "official": Case(OFFICIAL),
    "official json": Case(OFFICIAL, env={**JSON, "OTEL_METRICS_EXPORTER": "none"}),
    "predecessor, its own conventions": Case(FORMER, env={CAPTURE: "true"}, beside="openai-v2", leaves_out=OLD),
    "predecessor, content in logs alone": Case(
        FORMER, env={CAPTURE: "event_only", **LATEST}, beside="openai-v2", leaves_out=OLD
    ),
    "openinference": Case("openinference.instrumentation.openai", "OpenInference", leaves_out=()),
    "openllmetry": Case(
        "opentelemetry.instrumentation.openai", "OpenLLMetry", leaves_out=("session", "seed", "details")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_calls_arrive_complete(name: str, receiver: Receiver, model: str, tmp_path: Path) -> None:
    """Traces and logs of one program are joined to its calls, with the account of the span or the context around them."""
    case, account = CASES[name], f"otel {name}"
    snippet = tmp_path / "snippet.py"
    snippet.write_text(block(case.title, "python"))
    env = environment(filled(block(SDK, "bash"), receiver.url, receiver.key))
    env |= {
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai",
        **case.env,
    }  # all of them are installed here: none by itself
    command = ["opentelemetry-instrument", PYTHON, CHAT, snippet, account, case.module]
    told = run(command, model, env, case.beside)
    assert "Failed to export" not in told
    check(receiver.events(account, 3), leaves_out=case.leaves_out)
