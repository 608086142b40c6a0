"""Time of every page of the dashboard, with 100,000 cases and 1,000,000 events in the database.

    python -m benchmarks.dashboard.pages [--accounts 100000] [--events 1000000] [--keep FOLDER] [--no-browser]

Fills a database (SQLite), starts a real API process, and runs each page's script as its administrator with Streamlit's own
runner: the time covers the script and all its calls of the API. Then a real Chromium opens some pages, and turns a page of
the queue. Writes results.json beside this file. Goals: a page under 2 s, a turn of the queue under 0.5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database
from benchmarks.dashboard.fill import fill, name
from tests.e2e.processes import free_port, running, until

RESULTS = Path(__file__).parent / "results.json"
ROOT = Path(__file__).parents[2]
REPEATS = 7
START_SECONDS = 300.0  # on a busy machine
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "queue": ("", {}),
    "account": ("account", {"id": name(17)}),
    "campaigns": ("campaigns", {}),
    "campaign": ("campaign", {"id": "campaign_0003"}),
    "search: like an account, and top": ("search", {"like": name(17)}),
    "audits": ("audits", {}),
    "backtests": ("audits", {"kind": "backtest"}),
    "performance": ("performance", {}),
    "audit trail": ("audit", {}),
    **{
        f"settings: {s}": ("settings", {"section": s})
        for s in ("keys", "people", "retention", "texts", "alerts", "enforcement")
    },
}


def main() -> None:
    """Fill, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="folder of the database; one that is filled already is used as it is")
    parser.add_argument("--no-browser", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(data_dir=folder, port=free_port(), dashboard_port=free_port())
        secret = _prepare(settings, folder, given.accounts, given.events)
        url = f"http://127.0.0.1:{settings.port}"
        environment = {**os.environ, "DISTILLWATCH_DATA_DIR": str(folder), "DISTILLWATCH_PORT": str(settings.port)}
        api = [sys.executable, "-m", "api", "api"]
        with running(api, environment, folder / "api.log", ROOT):
            until("the API", lambda: _answers(f"{url}/readyz"), START_SECONDS)
            found: dict[str, Any] = {"scripts": scripts(url, secret)}
            if not given.no_browser:
                found["browser"] = browser(settings, url, secret)
    found["load"] = {"accounts": given.accounts, "events": given.events, "repeats": REPEATS}
    found["machine"] = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load average": os.getloadavg()[0],
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def _prepare(settings: Settings, folder: Path, accounts: int, events: int) -> str:
    migrate.upgrade(settings.url)
    database = Database(settings.url)
    if not keys.count(database):
        start = time.perf_counter()
        fill(database, folder, accounts, events)
        print(f"filled in {time.perf_counter() - start:.0f} s")
    secret = keys.create(database, "benchmark", "admin", "benchmark")[1]
    database.close()
    return secret


def scripts(url: str, secret: str) -> dict[str, dict[str, float]]:
    """Seconds of each page's script: the first visit, then the median and the slowest of the others; and those in the API."""
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    from dashboard import session
    from dashboard.client import URL_VARIABLE, Client

    os.environ[URL_VARIABLE] = url
    spent = _watch(Client)
    told: dict[str, dict[str, float]] = {}
    for title, (page, query) in PAGES.items():
        times, asked = [], []
        for _ in range(REPEATS):
            app = AppTest.from_file(str(ROOT / "dashboard" / "console.py"), default_timeout=60)
            app.session_state[session.KEY], app.session_state[session.ME] = secret, Client(secret, url).me()
            for key, value in query.items():
                app.query_params[key] = value
            app._page_hash = calc_hash(page)
            spent.clear()
            start = time.perf_counter()
            app.run()
            times.append(time.perf_counter() - start)
            asked.append(sum(seconds for _, seconds in spent))
            assert not app.exception, (title, app.exception)
        calls = {path: round(seconds, 3) for path, seconds in spent}
        told[title] = {
            "first": round(times[0], 3), "median": round(median(times[1:]), 3), "slowest": round(max(times[1:]), 3),
            "api_median": round(median(asked[1:]), 3), **{f"GET {path}": s for path, s in calls.items()},
        }  # fmt: skip
        print(f"{title:36} first {times[0]:6.2f}  median {median(times[1:]):6.2f}  API {median(asked[1:]):6.2f} s")
    turns = _turns(url, secret)
    told["a turn of the queue, API"] = {"median": round(median(turns), 4), "slowest": round(max(turns), 4)}
    print(f"a turn of the queue, API: {median(turns):.3f} s, slowest {max(turns):.3f} s")
    return told


def _watch(client: Any) -> list[tuple[str, float]]:
    """Note each call of the API with its seconds."""
    spent: list[tuple[str, float]] = []
    true: Callable[..., Any] = client._ask

    def ask(self: Any, method: str, path: str, *rest: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            return true(self, method, path, *rest, **more)
        finally:
            spent.append((path, time.perf_counter() - start))

    client._ask = ask
    return spent


def _turns(url: str, secret: str) -> list[float]:
    """Seconds of thirty pages of a hundred cases in a row."""
    times, cursor = [], None
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False, timeout=60) as http:
        for _ in range(30):
            start = time.perf_counter()
            page = (
                http.get("/v1/cases", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
                .raise_for_status()
                .json()
            )
            times.append(time.perf_counter() - start)
            cursor = page["next_cursor"]
    return times


def browser(settings: Settings, url: str, secret: str) -> dict[str, float]:
    """Seconds until some pages stand in a real Chromium, after sign-in."""
    from playwright.sync_api import expect, sync_playwright

    from tests.dashboard.test_browser import CHROMIUM, FLAGS

    told: dict[str, float] = {}
    with _dashboard(settings, url) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        expect.set_options(timeout=120_000)
        page.goto(address)
        page.locator("input[type=password]").fill(secret)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
        for link, there in (
            ("Campaigns", "stDataFrame"), ("Performance", "stDataFrame"), ("Audits", "stDataFrame"), ("Audit trail", "stDataFrame"),
            ("Queue", "stDataFrame"),
        ):  # fmt: skip
            start = time.perf_counter()
            page.get_by_role("link", name=link, exact=True).click()
            expect(page.get_by_role("heading", name=link, level=1)).to_be_visible()
            expect(page.get_by_test_id(there).first).to_be_visible()
            told[link] = round(time.perf_counter() - start, 3)
        turns = []
        for number in range(1, 6):
            start = time.perf_counter()
            page.get_by_role("button", name="Next").click()
            expect(page.get_by_text(f"{number * 50 + 1:,d} to")).to_be_visible()
            turns.append(time.perf_counter() - start)
        told["a turn of the queue, median of 5"] = round(median(turns), 3)
        chromium.close()
    for title, seconds in told.items():
        print(f"Chromium: {title:36} {seconds:6.2f} s")
    return told


@contextmanager
def _dashboard(settings: Settings, url: str) -> Iterator[str]:
    address = f"http://127.0.0.1:{settings.dashboard_port}"
    command = [
        sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py"), "--server.address", "127.0.0.1",
        "--server.port", str(settings.dashboard_port), "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    process = subprocess.Popen(command, env={**os.environ, "DISTILLWATCH_API_URL": url}, stdout=subprocess.DEVNULL)
    try:
        until("the dashboard", lambda: _answers(f"{address}/_stcore/health"), START_SECONDS)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
