"""Verdicts of a real service applied in front of a real application; without the service everything goes through."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.client import EnforcementMiddleware, Enforcer, Verdicts
from api.client import verdicts as following
from api.client.enforcing import REDUCED_MAX_TOKENS, Throttle, capabilities, reduced
from api.services.board import Board
from api.services.publishing import Publisher
from api.settings import Settings
from api.storage import actions, cases, decisions, keys
from tests.api.builders import account
from tests.api.client.service import ROOT, Service, direct

pytestmark = pytest.mark.slow
WAIT_SECONDS = 20.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service."""
    found = Service(tmp_path_factory.mktemp("service"))
    found.start()
    yield found
    found.close()


def decide(service: Service, account_id: str, *issue: actions.New, decision: Any = "confirm") -> None:
    """Store a finding on an account and a decision, and publish as the worker does."""
    with service.database.write("findings") as connection:
        cases.store(connection, [account(account_id)], datetime.now(UTC))
    decisions.decide(service.database, "account", account_id, decision, "seen it", "me", issue)
    Publisher(service.database, Settings(), Board(service.database)).publish()


def new(action: Any, **scope: Any) -> actions.New:
    """An action for a day."""
    return actions.New(action, datetime.now(UTC) + timedelta(days=1), **scope)


@pytest.fixture
def verdicts(service: Service) -> Iterator[Verdicts]:
    """A follower of the service's feed."""
    with Verdicts(service.url, service.key, every=0.1, http=direct()) as found:
        until(lambda: found.fresh)
        yield found


def until(what: Any) -> None:
    """Return when it is true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def echo(request: Request) -> JSONResponse:
    """What a model's service would see."""
    body = await request.body()
    seen = json.loads(body) if body.startswith(b"{") else None
    return JSONResponse({"seen": seen, "length": request.headers.get("content-length"), "size": len(body)})


def gateway(verdicts: Verdicts, **options: Any) -> TestClient:
    """A gateway whose callers are who the header says."""
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["POST", "GET"])])

    def header(name: bytes) -> Any:
        return lambda scope: dict(scope["headers"]).get(name, b"").decode() or None

    enforcer = Enforcer(verdicts, **options)
    return TestClient(EnforcementMiddleware(app, enforcer, header(b"x-account"), header(b"x-key")))


def ask(client: TestClient, account_id: str, key: str = "k", **body: Any) -> httpx.Response:
    """A chat request of an account."""
    content = {"model": "m", "messages": [{"role": "user", "content": "hello"}], **body}
    return client.post("/v1/chat/completions", json=content, headers={"x-account": account_id, "x-key": key})


def test_each_action_does_what_it_says(service: Service, verdicts: Verdicts) -> None:
    """Allow and observe let through, throttle slows, step_up and block refuse, reduce changes the request; reasons stay inside."""
    decide(service, "observed")
    decide(service, "slow", new("throttle"))
    decide(service, "step", new("step_up"))
    decide(service, "less", new("reduce"))
    decide(service, "out", new("block"))
    until(lambda: verdicts.of("out").action == "block")
    client = gateway(verdicts, throttled_per_minute=2)
    assert ask(client, "good").status_code == 200
    assert ask(client, "observed", n=3).json()["seen"]["n"] == 3
    found = [ask(client, "slow") for _ in range(3)]
    assert [r.status_code for r in found] == [200, 200, 429]
    assert 1 <= int(found[-1].headers["Retry-After"]) <= 31
    step, out = ask(client, "step"), ask(client, "out")
    assert (step.status_code, step.json()["error"]["code"]) == (403, "verification_required")
    assert (out.status_code, out.json()["error"]["code"]) == (403, "access_denied")
    assert not any(word in out.text.lower() for word in ("atlas", "harvest", "distil", "confirmed"))
    less = ask(client, "less", n=4, logprobs=True, top_logprobs=20, max_tokens=9000).json()
    assert less["seen"] == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "n": 1,
        "max_tokens": REDUCED_MAX_TOKENS,
    }
    assert int(less["length"]) == less["size"]
    assert client.get("/v1/models", headers={"x-account": "out"}).status_code == 200, "reading costs nothing"
    assert client.post("/health", headers={"x-account": "out"}).status_code == 200


def test_scopes_hold_for_their_part_only(service: Service, verdicts: Verdicts) -> None:
    """An action on a key, a model or a capability leaves the account's other requests alone, and their bodies as they were."""
    decide(
        service,
        "part",
        new("step_up", api_key_id="k1"),
        new("reduce", capability="logprobs"),
        new("throttle", model="big-*"),
    )
    until(lambda: verdicts.of("part", api_key_id="k1").action == "step_up")
    client = gateway(verdicts, throttled_per_minute=1)
    assert ask(client, "part", key="k2", n=2).json()["seen"]["n"] == 2
    assert ask(client, "part", key="k1").status_code == 403
    assert "logprobs" not in ask(client, "part", key="k2", logprobs=True).json()["seen"]
    assert [ask(client, "part", key="k2", model="big-1").status_code for _ in range(2)] == [200, 429]
    assert ask(client, "part", key="k2", model="small").status_code == 200
    odd = client.post("/v1/x", content=b"\xff not json", headers={"x-account": "part", "Content-Type": "text/plain"})
    assert odd.json()["size"] == 10, "what cannot be read reaches the application as it was"


def test_decisions_reach_the_gateway_and_go_again(service: Service, verdicts: Verdicts) -> None:
    """A block is applied within seconds of the decision, and gone as soon after it is lifted."""
    client = gateway(verdicts)
    assert ask(client, "turn").status_code == 200
    decide(service, "turn", new("block"))
    until(lambda: ask(client, "turn").status_code == 403)
    decide(service, "turn", decision="dismiss")
    until(lambda: ask(client, "turn").status_code == 200)


def test_a_dry_run_only_tells(service: Service, verdicts: Verdicts) -> None:
    """In a dry run everything goes through, and the application sees the verdict."""
    decide(service, "dry", new("block"))
    until(lambda: verdicts.of("dry").action == "block")
    assert ask(gateway(verdicts, dry_run=True), "dry").status_code == 200


def test_it_fails_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never reached, wrong key, gone: all is allowed; a short outage is bridged by what is known, a long one not."""
    with Verdicts("http://127.0.0.1:9", "k", every=0.1, http=direct()) as nowhere:
        assert ask(gateway(nowhere), "out").status_code == 200
        assert not nowhere.fresh
    service = Service(tmp_path)
    service.start()
    decide(service, "out", new("block"))
    with (
        Verdicts(service.url, "wrong", every=0.1, http=direct()) as wrong,
        Verdicts(service.url, service.key, every=0.1, http=direct()) as found,
    ):
        until(lambda: found.of("out").action == "block")
        assert ask(gateway(wrong), "out").status_code == 200
        service.stop(kill=True)
        time.sleep(0.5)
        assert ask(gateway(found), "out").status_code == 403, "a restart of the service opens no gap"
        monkeypatch.setattr(following, "LIFETIME_SECONDS", 0.2)
        assert ask(gateway(found), "out").status_code == 200
        service.start()
        until(lambda: ask(gateway(found), "out").status_code == 403)
    service.close()


def test_a_revoked_key_opens(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the gateway's own key is revoked requests go through once the copy is too old."""
    key, secret = keys.create(service.database, "second", "gateway", "test")
    decide(service, "out2", new("block"))
    with Verdicts(service.url, secret, every=0.1, http=direct()) as found:
        until(lambda: found.of("out2").action == "block")
        keys.revoke(service.database, key.key_id, "test")
        monkeypatch.setattr(following, "LIFETIME_SECONDS", 0.3)
        until(lambda: found.of("out2").action == "allow")


FORKING = """
import os, sys, time
from api.client import Verdicts
verdicts = Verdicts(sys.argv[1], sys.argv[2], every=0.1).start()
while verdicts.of("forked").action != "throttle":
    time.sleep(0.02)
print("followed", flush=True)
if os.fork() == 0:
    while verdicts.of("forked").action != "block":
        time.sleep(0.02)
    print("followed by the child", flush=True)
    os._exit(0)
os.wait()
"""


def test_forked_processes_follow_too(service: Service) -> None:
    """A server that forks its workers after the start has a following copy in each of them."""
    decide(service, "forked", new("throttle"))
    arguments = [sys.executable, "-c", FORKING, service.url, service.key]
    env = {**os.environ, "NO_PROXY": "127.0.0.1"}
    with subprocess.Popen(arguments, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "followed\n"
        decide(service, "forked", new("block"))
        assert program.stdout.readline() == "followed by the child\n"


def test_errors_in_enforcement_let_through(service: Service, verdicts: Verdicts) -> None:
    """A fault of the account's lookup, of the own ``reduce``, or a client that leaves, never fails a request of ours."""
    decide(service, "broken", new("reduce"))
    until(lambda: verdicts.of("broken").action == "reduce")

    def fails(*_: Any) -> Any:
        raise RuntimeError("a fault")

    whole = ask(gateway(verdicts, reduce=fails), "broken", n=2)
    assert (whole.status_code, whole.json()["seen"]["n"]) == (200, 2), "the body that was read still arrives"
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["POST"])])
    client = TestClient(EnforcementMiddleware(app, Enforcer(verdicts), fails))
    assert ask(client, "broken").status_code == 200

    async def leaves() -> list[Any]:
        given: list[Any] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
        got: list[Any] = []

        async def receive() -> Any:
            return given.pop(0)

        async def application(scope: Any, receive: Any, send: Any) -> None:
            got.extend([await receive(), await receive()])

        async def account_of(scope: Any) -> str:
            return "broken"

        middleware = EnforcementMiddleware(application, Enforcer(verdicts), account_of)
        scope = {"type": "http", "method": "POST", "path": "/v1/x", "headers": []}
        await middleware(scope, receive, fails)
        return got

    assert [m["type"] for m in asyncio.run(leaves())] == ["http.request", "http.disconnect"]


def test_following_costs_little(service: Service, verdicts: Verdicts) -> None:
    """Asking takes microseconds: no request waits for the network."""
    decide(service, "fast", new("throttle"))
    until(lambda: verdicts.of("fast").action == "throttle")
    start = time.perf_counter()
    for _ in range(10_000):
        verdicts.of("fast", "k", "m", ())
        verdicts.of("unknown")
    assert time.perf_counter() - start < 2.0


@given(st.lists(st.floats(0, 30), max_size=60), st.sampled_from([1.0, 6.0, 60.0]))
def test_throttle_keeps_the_rate(pauses: list[float], per_minute: float) -> None:
    """Over any pattern of requests no more go than the burst and the rate allow, and the wait told is enough."""
    now = [0.0]
    throttle = Throttle(per_minute, lambda: now[0])
    passed = 0
    for pause in pauses:
        now[0] += pause
        wait = throttle.wait("a")
        passed += wait == 0
        if wait > 0:
            now[0] += wait + 1e-6
            passed += throttle.wait("a") == 0
            assert throttle.wait("b") == 0 or per_minute < len(pauses)
        assert passed <= max(1.0, per_minute) + now[0] * per_minute / 60 + 1e-6


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda v: st.lists(v, max_size=3)
)
bodies = st.dictionaries(
    st.sampled_from(
        ["model", "messages", "input", "n", "best_of", "max_tokens", "max_output_tokens", "logprobs", "tools", "x"]
    ),
    values,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(bodies)
def test_any_body_can_be_reduced(body: dict[str, Any]) -> None:
    """Whatever a client sends, reducing it does not fail, asks for no extras, bounds the answer, and touches nothing else."""
    left = reduced(body)
    assert not set(capabilities(left)) - {"tools"}
    limits = [left[name] for name in ("max_tokens", "max_output_tokens") if name in left]
    assert limits
    assert all(0 < n <= REDUCED_MAX_TOKENS for n in limits)
    assert all(left[name] == body[name] for name in body if name in ("model", "messages", "input", "tools", "x"))
