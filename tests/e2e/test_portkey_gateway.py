"""Portkey's gateway, run by node, with the hook of docs/gateways.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.clients.calls import CALLS
from tests.e2e.documented import block, filled
from tests.e2e.processes import free_port, running, until
from tests.e2e.receiving import Receiver, check
from tests.e2e.running_clients import ENVIRONMENT

# package.json pins @hono/node-server to 1.3.3: with 1.19 the gateway fails on every streamed call ("TypeError: immutable").
GATEWAY = ENVIRONMENT / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
LOOPBACK = Path(__file__).parent / "clients" / "portkey" / "loopback.cjs"
SECRETS = ("sk-callers-own", "sk-of-the-provider")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("node") is None, reason="no node: install it, e.g. `apt-get install nodejs npm`"),
    pytest.mark.skipif(
        not GATEWAY.exists(), reason="no Portkey gateway: with npm installed, run `make .venv-clients/installed`"
    ),
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A running gateway."""
    folder, port = tmp_path_factory.mktemp("portkey"), free_port()
    command = ["node", "--require", LOOPBACK, GATEWAY, f"--port={port}", "--headless"]
    with (
        running(command, {"NODE_ENV": "production"}, folder / "portkey.log", folder),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):
        until("Portkey's gateway", lambda: client.get("/").is_success, 120, folder / "portkey.log")
        yield client


def test_calls_arrive_complete(receiver: Receiver, model: str, gateway: httpx.Client) -> None:
    """Each call is an event of the key's account; a streamed one has no answer; nobody's key is kept."""
    key = receiver.new_key("portkey", account="acct-portkey")
    config = {
        "provider": "openai",
        "api_key": SECRETS[1],
        "custom_host": model,
        **json.loads(filled(block("Portkey", "json"), receiver.url, key)),
    }
    headers = {
        "Authorization": f"Bearer {SECRETS[0]}",
        "x-portkey-config": json.dumps(config),
        "x-portkey-metadata": json.dumps({"_user": "whoever"}),
    }
    for call in CALLS:
        answer = gateway.post("/v1/chat/completions", json=call, headers=headers)
        assert answer.is_success, answer.text

    found = receiver.events("acct-portkey", 3)
    by_question = {e.messages[-1].content: e for e in found}
    in_order = [by_question[call["messages"][-1]["content"]] for call in CALLS]
    unsaid = ("session", "latency", "tokens", "details", "response", "finish_reason")
    check(in_order, leaves_out=unsaid)
    whole = [in_order[0], in_order[2]]
    assert [(e.usage.input_tokens, e.usage.reasoning_tokens, e.finish_reason) for e in whole] == [
        (8, 2, "stop"),
        (5, 2, "tool_calls"),
    ]
    assert whole[0].response == "You asked: Name a river in Saxony. I do not know."
    assert (in_order[1].response, in_order[1].usage.output_tokens) == (None, None)
    assert {e.end_user_id for e in found} == {"whoever"}
    assert not any(secret in receiver.stored() for secret in (*SECRETS, key))
