"""Verdicts applied by a real LiteLLM proxy with the hook of the examples; without the service the proxy works on."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from api.storage import cases, events, keys
from detector.event import Event
from tests.api.builders import account
from tests.api.client.service import Service
from tests.e2e.documented import block, environment, filled
from tests.e2e.processes import free_port, running, until
from tests.e2e.test_litellm_to_dashboard import LITELLM, LITELLM_CONFIG, ROOT

EXAMPLE = ROOT / "examples" / "litellm"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not LITELLM.exists(), reason="no LiteLLM proxy: run `make .venv-litellm/installed`"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The API over a fresh database."""
    found = Service(tmp_path_factory.mktemp("service"))
    found.start()
    yield found
    found.close()


@pytest.fixture(scope="module")
def proxy(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A LiteLLM proxy that logs to the service and applies its verdicts."""
    folder = tmp_path_factory.mktemp("proxy")
    shutil.copy(LITELLM_CONFIG / "several_accounts.py", folder)
    shutil.copy(EXAMPLE / "distillwatch_hook.py", folder)
    config = yaml.safe_load((LITELLM_CONFIG / "config.yaml").read_text())
    config["litellm_settings"]["callbacks"] = ["generic_api", "distillwatch_hook.hook"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    port = free_port()
    env = {
        "DISTILLWATCH_API_URL": service.url,
        "DISTILLWATCH_KEY": service.key,
        **environment(filled(block("LiteLLM", "bash"), service.url, service.key)),
        "LITELLM_MASTER_KEY": secrets.token_hex(20),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),  # in the place of pip install --no-deps
    }
    command = [LITELLM, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    with (
        running(command, env, folder / "litellm.log", folder),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):
        until("the proxy", lambda: client.get("/health/liveliness").is_success, 120, folder / "litellm.log")
        yield client


def decide(service: Service, account_id: str, decision: str, *actions: dict[str, Any]) -> None:
    """Decide as an analyst, over HTTP; a block is approved by a lead."""
    with service.database.write("findings") as connection:
        cases.store(connection, [account(account_id)], datetime.now(UTC))
    people = [keys.create(service.database, role, role, "test")[1] for role in ("analyst", "lead")]
    heads = [{"Authorization": f"Bearer {secret}"} for secret in people]
    with httpx.Client(base_url=service.url, trust_env=False, timeout=30) as http:
        body = {"decision": decision, "reason": "seen the evidence", "actions": list(actions)}
        made = http.post(f"/v1/cases/{account_id}/decisions", json=body, headers=heads[0]).raise_for_status().json()
        for action in made["actions"]:
            if action["state"] == "pending":
                approve = f"/v1/actions/{action['action_id']}/approve"
                http.post(approve, json={"reason": "agreed"}, headers=heads[1]).raise_for_status()


def act(action: str, **scope: Any) -> dict[str, Any]:
    """An action for a day."""
    return {"action": action, "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(), **scope}


def chat(proxy: httpx.Client, account_id: str, **more: Any) -> httpx.Response:
    """A chat request of an account."""
    body = {"model": "assistant", "messages": [{"role": "user", "content": "hello"}], **more}
    return proxy.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer sk-{account_id}"})


def eventually(probe: Any, seconds: float = 20.0) -> Any:
    """First true answer."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def events_of(service: Service, account_id: str) -> list[dict[str, Any]]:
    """Logged requests of an account."""
    with service.database.read() as connection:
        rows = events.payloads(connection, 0, 1000)
    found = [msgspec.json.decode(payload, type=Event) for _, payload in rows]
    return [msgspec.to_builtins(e) for e in found if e.account_id == account_id]


def test_verdicts_are_applied(service: Service, proxy: httpx.Client) -> None:
    """Accounts are blocked, asked to verify, slowed or served with less, others not; a lifted block is gone in seconds."""
    assert chat(proxy, "acct-good").status_code == 200
    decide(service, "acct-out", "confirm", act("block"))
    decide(service, "acct-step", "confirm", act("step_up"))
    decide(service, "acct-slow", "confirm", act("throttle"))
    decide(service, "acct-less", "confirm", act("reduce"))
    key_hash = hashlib.sha256(b"sk-acct-keys").hexdigest()
    decide(service, "acct-keys", "confirm", act("block", api_key_id=key_hash), act("step_up", model="reasoner"))

    blocked = eventually(lambda: (r := chat(proxy, "acct-out")).status_code == 403 and r)
    assert "access_denied" in blocked.text
    assert not any(word in blocked.text.lower() for word in ("harvest", "distill", "atlas"))
    stepped = eventually(lambda: (r := chat(proxy, "acct-step")).status_code == 403 and r)
    assert "verification_required" in stepped.text
    eventually(lambda: 429 in [chat(proxy, "acct-slow").status_code for _ in range(8)])
    eventually(lambda: chat(proxy, "acct-keys").status_code == 403)
    assert chat(proxy, "acct-less", max_tokens=4000, logprobs=True, top_logprobs=5).status_code == 200
    assert chat(proxy, "acct-good", max_tokens=4000).status_code == 200

    def logged(account_id: str) -> list[Any]:
        return [e["params"] for e in events_of(service, account_id) if e["params"].get("max_tokens")]

    less, good = (eventually(lambda a=a: logged(a)) for a in ("acct-less", "acct-good"))
    assert (less[0]["max_tokens"], less[0].get("logprobs")) == (512, None)
    assert good[0]["max_tokens"] == 4000

    decide(service, "acct-out", "dismiss")
    eventually(lambda: chat(proxy, "acct-out").status_code == 200)


def test_without_the_service_calls_go_through(service: Service, proxy: httpx.Client) -> None:
    """When the service is killed the proxy answers as before, at once; what was decided is kept for some minutes."""
    decide(service, "acct-gone", "confirm", act("block"))
    eventually(lambda: chat(proxy, "acct-gone").status_code == 403)
    service.stop(kill=True)
    start = time.monotonic()
    assert chat(proxy, "acct-good").status_code == 200
    assert time.monotonic() - start < 5
    assert chat(proxy, "acct-gone").status_code == 403
