"""docs/gateways.md: what it says to set leads rows of the clients that cannot run here to the service, and its commands work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api.client import EventClient
from detector.formats import FORMATS
from tests.detector.formats import gateways
from tests.detector.formats.otlp.requests import CALL, log, logs, protobuf, span, traces
from tests.e2e.clients.calls import CALLS
from tests.e2e.documented import PAGE, block, blocks, environment, filled, sections
from tests.e2e.receiving import ACCOUNT_ATTRIBUTE, Receiver

ROOT = Path(__file__).parent.parent.parent
PROTOBUF = "application/x-protobuf"
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Name a river.",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Elbe.",
}
CLOUDFLARE = {
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.model.provider": "openai",
    "gen_ai.prompt_json": json.dumps(gateways.REQUEST),
    "gen_ai.completion_json": json.dumps(gateways.RESPONSE),
}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")


def post(url: str, authorization: str, body: bytes, content_type: str = "application/json") -> httpx.Response:
    """Send a body as a client with these settings does."""
    headers = {"Authorization": authorization, "Content-Type": content_type}
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60).raise_for_status()


def as_json(row: Any) -> bytes:
    """A row as a body."""
    return json.dumps(row).encode()


def in_trace(number: int, *spans: dict[str, Any]) -> bytes:
    """A trace of its own, in protobuf."""
    return protobuf(traces(*({**s, "traceId": f"{number:032x}"} for s in spans)))


def check(receiver: Receiver, account: str) -> None:
    """One event of the account, with both sides."""
    (event,) = receiver.events(account)
    assert event.messages[-1].content == "Name a river."
    response = event.response["content"] if isinstance(event.response, dict) else event.response
    assert response == "Elbe."


def test_kong(receiver: Receiver) -> None:
    """http-log posts one bare row to the address, which must not need a query, for Kong drops it."""
    plugins = {
        p["name"]: p["config"]
        for p in yaml.safe_load(filled(block("Kong", "yaml"), receiver.url, receiver.key))["plugins"]
    }
    assert plugins["ai-proxy"]["logging"] == {"log_statistics": True, "log_payloads": True}
    http_log = plugins["http-log"]
    assert "?" not in http_log["http_endpoint"]
    row = gateways.kong(consumer={"id": "kong-consumer"})
    post(http_log["http_endpoint"], http_log["headers"]["Authorization"], as_json(row))
    check(receiver, "kong-consumer")


def test_apisix(receiver: Receiver) -> None:
    """http-logger posts an array of rows."""
    plugins = yaml.safe_load(filled(block("APISIX", "yaml"), receiver.url, receiver.key))["plugins"]
    assert plugins["ai-proxy"]["logging"] == {"summaries": True, "payloads": True}
    row = gateways.apisix(consumer={"username": "apisix-consumer"})
    post(plugins["http-logger"]["uri"], plugins["http-logger"]["auth_header"], as_json([row]))
    check(receiver, "apisix-consumer")


def test_collector(receiver: Receiver) -> None:
    """The exporter posts spans and records to its endpoint's two paths; they are joined."""
    code = block("OpenTelemetry Collector", "yaml").replace("${env:DISTILLWATCH_KEY}", receiver.key)
    config = yaml.safe_load(filled(code, receiver.url, receiver.key))
    (name,) = config["exporters"]
    assert {tuple(p["exporters"]) for p in config["service"]["pipelines"].values()} == {(name,)}
    assert set(config["service"]["pipelines"]) == {"traces", "logs"}
    endpoint, authorization = (
        config["exporters"][name]["endpoint"],
        config["exporters"][name]["headers"]["Authorization"],
    )
    names = {"tenant.id": "through the collector"}
    number = 0xC0
    post(f"{endpoint}/v1/traces", authorization, in_trace(number, span(1, {**CALL, **names})), PROTOBUF)
    turns = [
        log(1, "gen_ai.user.message", body={"content": "Name a river."}),
        log(1, "gen_ai.choice", body={"message": {"role": "assistant", "content": "Elbe."}}),
    ]
    records = protobuf(logs(*({**turn, "traceId": f"{number:032x}"} for turn in turns)))
    post(f"{endpoint}/v1/logs", authorization, records, PROTOBUF)
    check(receiver, "through the collector")


def test_envoy(receiver: Receiver) -> None:
    """Spans go to the endpoint's path for traces, with the account in the attribute that the header is mapped to."""
    env = environment(filled(block("Envoy AI Gateway", "bash"), receiver.url, receiver.key))
    _, _, attribute = env["OTEL_AIGW_SPAN_REQUEST_HEADER_ATTRIBUTES"].partition(":")
    name, _, authorization = env["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
    assert (name, env["OTEL_EXPORTER_OTLP_PROTOCOL"]) == ("Authorization", "http/protobuf")
    body = in_trace(0xE0, span(1, {**OPENINFERENCE, attribute: "behind envoy"}))
    post(f"{env['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces", authorization.replace("%20", " "), body, PROTOBUF)
    check(receiver, "behind envoy")


def test_cloudflare(receiver: Receiver) -> None:
    """Spans in JSON go to the address as it is, with the configured field of the metadata as a bare attribute."""
    shown = filled(block("Cloudflare AI Gateway", "text"), receiver.url, receiver.key)
    url, authorization = (re.search(rf"^{name} +(.+)$", shown, re.M)[1] for name in ("URL", "Authorization"))  # type: ignore[index]
    (attribute,) = environment(block("Cloudflare AI Gateway", "bash")).values()
    assert attribute == ACCOUNT_ATTRIBUTE
    call = {**span(1, {**CLOUDFLARE, attribute: "behind cloudflare"}), "traceId": f"{0xCF:032x}"}
    post(url.replace("https://distillwatch.example.com", receiver.url), authorization, as_json(traces(call)))
    check(receiver, "behind cloudflare")


def run(code: str, receiver: Receiver, folder: Path) -> dict[str, Any]:
    """The answer that a block of shell gets."""
    env = {**os.environ, "DISTILLWATCH_KEY": receiver.key, "NO_PROXY": "127.0.0.1"}
    script = code.replace("http://127.0.0.1:8400", receiver.url)
    done = subprocess.run(["bash", "-c", script], env=env, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@needs_curl
def test_curl(receiver: Receiver, tmp_path: Path) -> None:
    """The command stores an event, once."""
    code = block("curl", "bash").replace("acct_1", "with curl")
    assert run(code, receiver, tmp_path) == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert run(code, receiver, tmp_path)["duplicates"] == 1
    (event,) = receiver.events("with curl")
    assert event.response == "Because of Rayleigh scattering."


@needs_curl
def test_sglang(receiver: Receiver, tmp_path: Path) -> None:
    """The command sends the server's files; what was sent before counts once."""
    server, _, command = block("SGLang", "bash").partition("\n")
    folder = server.rpartition(" ")[2]
    assert folder in command
    arrival = {**gateways.sglang(), "event": "request.received", "out": None}
    (tmp_path / "host_0.log").write_text(f"{json.dumps(arrival)}\n{json.dumps(gateways.sglang())}\n")
    code = command.replace(folder, str(tmp_path)).replace("acct_1", "with-sglang")
    assert [run(code, receiver, tmp_path)["accepted"] for _ in range(2)] == [1, 0]
    check(receiver, "with-sglang")


BATCHES = {
    "openai_batch": (gateways.openai_input, gateways.openai_output),
    "anthropic_batch": (gateways.anthropic_input, gateways.anthropic_output),
}


@needs_curl
@pytest.mark.parametrize("name", BATCHES)
def test_batch_files(name: str, receiver: Receiver, tmp_path: Path) -> None:
    """The command joins each request of the first file to its result in the second."""
    for path, make in zip(("batch_input.jsonl", "batch_output.jsonl"), BATCHES[name], strict=True):
        (tmp_path / path).write_text(json.dumps(make("r1")) + "\n")
    code = block("Batch files", "bash").replace("openai_batch", name).replace("acct_1", name)
    assert run(code, receiver, tmp_path)["accepted"] == 1
    check(receiver, name)


def test_python_client(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block's client delivers the block's event."""
    monkeypatch.setenv("DISTILLWATCH_KEY", receiver.key)
    code = filled(block("Python client", "python"), receiver.url, receiver.key).replace(
        "/var/spool/my-gateway", str(tmp_path)
    )
    names: dict[str, Any] = {"account": "with our client", "call": CALLS[0]}
    exec(compile(code, str(PAGE), "exec"), names)
    client: EventClient = names["client"]
    client.close()
    (event,) = receiver.events("with our client")
    assert (event.model, event.response) == ("large", "Because of Rayleigh scattering.")


def test_every_part_is_complete() -> None:
    """Each client's part has something to set and says whose account it is; each way in has a part."""
    for title, text in sections().items():
        assert "* **Account**: " in text, title
        assert re.search(r"^```", text, re.M), title
    page = PAGE.read_text()
    for name in set(FORMATS) - {"canonical", "otlp_traces", "otlp_logs", "helicone", "langfuse"}:
        assert f"/v1/ingest/{name}" in page


def test_litellm_is_told_the_same_everywhere() -> None:
    """The lines of the README and of the example are those of the page, which the tests with the proxy use."""
    lines = [line for code in (*blocks("LiteLLM", "yaml"), *blocks("LiteLLM", "bash")) for line in code.splitlines()]
    for path in ("README.md", "examples/litellm/README.md"):
        text = (ROOT / path).read_text().replace("<key>", "$DISTILLWATCH_KEY")
        missing = [line for line in lines if line.removeprefix("export ") not in text]
        assert missing == [], path
