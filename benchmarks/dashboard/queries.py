"""Time of what the pages ask the API for, one question after another over a kept connection."""

from __future__ import annotations

import time
from statistics import median

import httpx

from benchmarks.dashboard.fill import name

REPEATS = 7  # of each question; the first of them is left out
TURNS = 30  # pages of the queue in a row
ACCOUNT = f"/v1/cases/{name(17)}"
CAMPAIGN = "/v1/campaigns/campaign_0003"
QUESTIONS: dict[str, str] = {
    "figures at the top": "/v1/overview",
    "queue, by risk and spend": "/v1/cases?sort=priority&limit=100",
    "queue, 200 rows of open flags": "/v1/cases?sort=risk&state=open&verdict=flag&limit=200",
    "queue, overdue": "/v1/cases?sort=due_at&order=asc&due=true&limit=100",
    "queue, part of an id": "/v1/cases?q=0017&limit=100",
    "account": ACCOUNT,
    "account's topics": f"/v1/clusters?account={name(17)}",
    "account's twins": f"/v1/twins?account={name(17)}",
    "campaigns": "/v1/campaigns?limit=50",
    "campaign": CAMPAIGN,
    "campaign's graph": f"{CAMPAIGN}/graph",
    "approvals": "/v1/approvals",
    "accounts at the top": "/v1/top?by=output_tokens&days=7&limit=50",
    "jobs": "/v1/jobs?kind=backtest&limit=10",
    "precision": "/v1/performance",
    "precision by size, agreement, drift": "/v1/quality",
    "samples": "/v1/samples",
    "audit trail": "/v1/audit?limit=100",
    "keys": "/v1/keys",
    "retention": "/v1/retention",
}


def measure(url: str, secret: str) -> dict[str, dict[str, float]]:
    """Seconds of each question: median and slowest."""
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=120) as http:
        found = {title: _told([_ask(http, path)[0] for _ in range(REPEATS)][1:]) for title, path in QUESTIONS.items()}
        similar = {"account_id": name(17), "limit": 50}
        found["accounts that ask alike"] = _told([_ask(http, "/v1/similar", similar)[0] for _ in range(REPEATS)][1:])
        found["a turn of the queue"] = _told(_turns(http))
    return found


def _turns(http: httpx.Client) -> list[float]:
    times, path = [], "/v1/cases?sort=priority&limit=100"
    after = ""
    for _ in range(TURNS):
        seconds, answer = _ask(http, path + after)
        times.append(seconds)
        after = f"&cursor={answer['next_cursor']}"
    return times


def _ask(http: httpx.Client, path: str, body: dict[str, object] | None = None) -> tuple[float, dict[str, str]]:
    start = time.perf_counter()
    answer = http.get(path) if body is None else http.post(path, json=body)
    answer.raise_for_status()
    return time.perf_counter() - start, answer.json()


def _told(times: list[float]) -> dict[str, float]:
    return {"median": round(median(times), 4), "slowest": round(max(times), 4)}
