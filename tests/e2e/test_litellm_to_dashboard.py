"""The whole way with real parts: a LiteLLM proxy posts, the worker flags, an analyst confirms in a browser."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.documented import block, environment, filled
from tests.e2e.processes import START_SECONDS, free_port, running, until
from tests.e2e.traffic import HARVESTER, ORDINARY, conversation, harvest

ROOT = Path(__file__).parent.parent.parent
WAIT_MS = 30_000  # for what a page shows
LITELLM = ROOT / ".venv-litellm" / "bin" / "litellm"
LITELLM_CONFIG = Path(__file__).parent / "litellm"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
DISTILLWATCH = Path(sys.executable).parent / "distillwatch"

REQUESTS = 300  # of the harvester; LiteLLM answers about a hundred a second from its mock
CLIENTS = 8

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(420),
    pytest.mark.skipif(not LITELLM.exists(), reason="no LiteLLM proxy: run `make .venv-litellm/installed`"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install it, e.g. `apt-get install chromium`"),
]


@dataclass(frozen=True)
class Product:
    """A running service: its addresses, and a key for each role that the test plays."""

    url: str
    api: httpx.Client
    dashboard: str
    gateway_key: str
    analyst_key: str
    logs: Path


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """API, worker and dashboard as three processes over a fresh SQLite database, as on three machines."""
    logs = tmp_path_factory.mktemp("product")
    ports = {"api": free_port(), "dashboard": free_port()}
    url = f"http://127.0.0.1:{ports['api']}"
    env = {
        "DISTILLWATCH_DATA_DIR": str(logs / "data"),
        "DISTILLWATCH_PORT": str(ports["api"]),
        "DISTILLWATCH_DASHBOARD_PORT": str(ports["dashboard"]),
        "DISTILLWATCH_API_URL": url,
        "DISTILLWATCH_ASSESS_SECONDS": "2",
    }
    run(env, "db", "upgrade")
    gateway_key, analyst_key = (run(env, "keys", "create", role, "--role", role) for role in ("gateway", "analyst"))
    with ExitStack() as stack:
        for part in ("api", "worker", "dashboard"):
            stack.enter_context(running([DISTILLWATCH, part], env, logs / f"{part}.log", ROOT))
        api = stack.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))
        dashboard = f"http://127.0.0.1:{ports['dashboard']}"
        until("the API", lambda: api.get("/readyz").is_success, START_SECONDS, logs / "api.log")
        until(
            "the dashboard",
            lambda: httpx.get(dashboard, trust_env=False).is_success,
            START_SECONDS,
            logs / "dashboard.log",
        )
        yield Product(url, api, dashboard, gateway_key, analyst_key, logs)


@pytest.fixture(scope="module")
def proxy(product: Product) -> Iterator[httpx.Client]:
    """A LiteLLM proxy that logs every request to the API, by the five lines of the documentation."""
    port = free_port()
    env = {
        **environment(filled(block("LiteLLM", "bash"), product.url, product.gateway_key)),
        "LITELLM_MASTER_KEY": secrets.token_hex(20),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [LITELLM, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    log = product.logs / "litellm.log"
    with (
        running(command, env, log, LITELLM_CONFIG),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):
        until("the LiteLLM proxy", lambda: client.get("/health/liveliness").is_success, START_SECONDS, log)
        yield client


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page of a real Chromium with a fresh profile; a picture of its end is kept beside the logs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=CHROMIUM_FLAGS.split(),
            viewport={"width": 1600, "height": 1000},
        )
        page = browser.new_page()
        page.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        yield page
        page.screenshot(path=tmp_path / "end.png")
        browser.close()


def test_a_harvester_behind_litellm_is_flagged_and_confirmed(product: Product, proxy: httpx.Client, page: Page) -> None:
    """What an account sends through the proxy ends as a confirmed case; ordinary accounts beside it are not flagged."""
    sent = send_traffic(proxy)

    def overview() -> dict[str, Any] | None:
        found = ask(product, "/v1/overview")
        return found if found["events"] >= sent else None

    figures = until("all requests in the log", overview, 60, product.logs / "api.log")
    assert figures["events"] == sent, "LiteLLM sends rows several times; each must count once"

    def flagged() -> dict[str, Any] | None:
        cases = ask(product, "/v1/cases?verdict=flag")["items"]
        whole = [case for case in cases if case["account_id"] == HARVESTER and case["requests"] == REQUESTS]
        return whole[0] if whole else None

    case = until("the case", flagged, 120, product.logs / "worker.log")
    assert case["risk"] > 0.5
    assert not {c["account_id"] for c in ask(product, "/v1/cases?verdict=flag")["items"]} & set(ORDINARY)

    confirm_in_browser(page, product)

    decided = ask(product, f"/v1/cases/{HARVESTER}")
    assert decided["state"] == "confirmed"
    assert [(d["decision"], d["reason"]) for d in decided["decisions"]] == [("confirm", REASON)]
    assert decided["decisions"][0]["actor"].startswith("analyst"), "a decision carries its author"


REASON = "One frame that asks for the whole chain of thought, over a work list of unrelated problems."


def send_traffic(proxy: httpx.Client) -> int:
    """All accounts' requests through the proxy, mixed; returns how many."""
    bodies = [(HARVESTER, body) for body in harvest(REQUESTS)]
    talks = [[(account, body) for body in conversation(account, 6)] for account in ORDINARY]
    random.Random(3).shuffle(bodies)

    def send(job: tuple[str, dict[str, Any]]) -> None:
        account, body = job
        answer = proxy.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer sk-{account}"})
        answer.raise_for_status()

    def talk(turns: list[tuple[str, dict[str, Any]]]) -> None:
        for turn in turns:  # in their order: a person waits for an answer
            send(turn)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [*(pool.submit(talk, turns) for turns in talks), *(pool.submit(send, body) for body in bodies)]:
            done.result()
    return len(bodies) + sum(map(len, talks))


def confirm_in_browser(page: Page, product: Product) -> None:
    """Sign in, find the account in the queue, read why, and confirm it with a reason."""
    page.goto(product.dashboard)
    page.get_by_label("Key", exact=True).fill(product.analyst_key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()

    page.get_by_label("Search").fill(HARVESTER)
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_text("1 to 1 of 1 cases")).to_be_visible()
    page.get_by_test_id("stDataFrame").click(position={"x": 420, "y": 52})  # the first row below the header

    expect(page.get_by_test_id("stDataFrame").get_by_text(HARVESTER)).to_have_count(0)  # the queue is left
    expect(page.get_by_text(HARVESTER).first).to_be_visible()
    expect(page.get_by_text("Reasoning elicitation").first).to_be_attached()  # among the reasons, shown or folded
    page.get_by_role("radiogroup", name="Verdict").get_by_text("True positive: it harvests").click()
    page.get_by_label("Reason (required)").fill(REASON)
    page.get_by_role("button", name="Record decision").click()
    expect(page.get_by_text("The decision and its reason are in the audit trail.")).to_be_visible()


def ask(product: Product, path: str) -> Any:
    """The API's answer to the analyst."""
    answer = product.api.get(path, headers={"Authorization": f"Bearer {product.analyst_key}"})
    answer.raise_for_status()
    return answer.json()


def run(env: dict[str, str], *words: str) -> str:
    """Output of a distillwatch command that must succeed."""
    done = subprocess.run([DISTILLWATCH, *words], env={**os.environ, **env}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
