"""Time of every page of the dashboard, with 100,000 cases and 1,000,000 events in the database.

    python -m benchmarks.dashboard [--accounts 100000] [--events 1000000] [--keep FOLDER] [--postgres] [--no-browser]

Fills a database (SQLite, or a PostgreSQL server of its own), starts a real API process and a real dashboard, walks through
all pages in a real Chromium, and then asks the API what the pages ask. Writes results.json beside this file, one part for
each database. Goals: every page under 2 s, a turn of the queue under 0.5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from api.settings import Settings
from api.storage import keys, migrate
from api.storage.engine import Database
from benchmarks.dashboard import pages, queries
from benchmarks.dashboard.fill import fill
from tests.api import postgres
from tests.e2e.processes import free_port, running, until

RESULTS = Path(__file__).parent / "results.json"
ROOT = Path(__file__).parents[2]
START_SECONDS = 300.0  # on a busy machine


def main() -> None:
    """Fill, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="folder of the database; one that is filled already is used as it is")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL in the place of SQLite")
    parser.add_argument("--no-browser", action="store_true", help="the API alone")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        database_url = stack.enter_context(postgres.server()).format("postgres") if given.postgres else ""
        settings = Settings(data_dir=folder, port=free_port(), dashboard_port=free_port(), database_url=database_url)
        filled = _fill(settings, folder, given.accounts, given.events)
        found = {
            "command": "python -m benchmarks.dashboard" + (" --postgres" if given.postgres else ""),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "load_before": os.getloadavg()[0],
            },
            "accounts": given.accounts,
            "events": given.events,
            "fill_seconds": filled,
            **_measure(settings, folder, with_browser=not given.no_browser),
        }
    _print(found)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["postgresql" if given.postgres else "sqlite"] = found
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


@contextmanager
def _key(settings: Settings) -> Iterator[str]:
    """An administrator's key for this run."""
    database = Database(settings.url)
    record, secret = keys.create(database, "benchmark", "admin", "benchmark")
    try:
        yield secret
    finally:
        keys.revoke(database, record.key_id, "benchmark")
        database.close()


def _fill(settings: Settings, folder: Path, accounts: int, events: int) -> float | None:
    """Seconds of filling; None where the folder holds a filled database."""
    done = folder / "filled"
    migrate.upgrade(settings.url)
    if done.exists():
        return None
    start = time.perf_counter()
    database = Database(settings.url)
    fill(database, folder, accounts, events)
    database.close()
    seconds = round(time.perf_counter() - start, 1)
    if not settings.database_url:
        done.touch()
    print(f"filled in {seconds:.0f} s")
    return seconds


def _measure(settings: Settings, folder: Path, with_browser: bool) -> dict[str, dict[str, dict[str, float]]]:
    url, address = (f"http://127.0.0.1:{port}" for port in (settings.port, settings.dashboard_port))
    environment = {
        "DISTILLWATCH_DATA_DIR": str(folder),
        "DISTILLWATCH_PORT": str(settings.port),
        "DISTILLWATCH_DATABASE_URL": settings.url,
        "DISTILLWATCH_API_URL": url,
    }
    found = {}
    streamlit = [
        sys.executable, "-m", "streamlit", "run", ROOT / "dashboard" / "app.py", "--server.address", "127.0.0.1",
        "--server.port", str(settings.dashboard_port), "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    with _key(settings) as secret, running([sys.executable, "-m", "api", "api"], environment, folder / "api.log", ROOT):
        until("the API", lambda: httpx.get(f"{url}/readyz", trust_env=False).is_success, START_SECONDS)
        if with_browser:
            with running(streamlit, environment, folder / "dashboard.log", ROOT):
                health = f"{address}/_stcore/health"
                until("the dashboard", lambda: httpx.get(health, trust_env=False).is_success, START_SECONDS)
                found["pages"] = pages.measure(address, secret)
        found["queries"] = queries.measure(url, secret)
    return found


def _print(found: dict) -> None:
    for part in ("pages", "queries"):
        for title, seconds in found.get(part, {}).items():
            print(f"{part:8} {title:38}", "  ".join(f"{name} {s:6.3f} s" for name, s in seconds.items()))


if __name__ == "__main__":
    main()
