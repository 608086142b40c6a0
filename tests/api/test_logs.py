"""Logs are JSON, one line an event, whoever logs; figures of verdicts and webhooks are in /metrics."""

from __future__ import annotations

import json
import subprocess
import sys

import structlog
from fastapi.testclient import TestClient

from api.schemas.base import Role
from api.storage.engine import Database
from tests.api.builders import account
from tests.api.test_verdicts import act, decide, store

Headers = dict[Role, dict[str, str]]

PROGRAM = """
import logging, structlog
from api.output import configure_log
configure_log("api")
structlog.contextvars.bind_contextvars(request_id="r1")
structlog.get_logger().info("ours", count=3)
logging.getLogger("uvicorn.error").warning("theirs %s", "x")
logging.getLogger("uvicorn.error").info("chatter")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("failed")
    logging.getLogger("lib").exception("failed too")
"""


def test_every_line_is_json() -> None:
    """Our events and those of libraries, tracebacks included, are single JSON lines with time, level, part and request."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("ours", "info"), ("theirs x", "warning"), ("failed", "error"), ("failed too", "error"),
    ]  # fmt: skip
    assert all({"timestamp", "part", "request_id"} <= line.keys() for line in lines)
    assert all("ZeroDivisionError" in line["exception"] for line in lines[2:])
    assert done.stderr == ""


def test_requests_have_an_id(http: TestClient) -> None:
    """A proxy's id is kept and answered; one that could forge a log line is replaced."""
    assert http.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    made = [http.get("/healthz", headers={"X-Request-ID": bad}).headers["X-Request-ID"] for bad in ("a b", "x" * 65)]
    assert all(len(one) == 16 for one in made)
    assert made[0] != made[1]


def test_failed_requests_are_logged(http: TestClient, headers: Headers, database: Database) -> None:
    """An answer of 500 or above leaves a line with its route, and no account in it."""
    http.app.state.board._read_at = float("-inf")  # type: ignore[attr-defined]
    with structlog.testing.capture_logs() as lines:
        assert http.get("/v1/verdicts/secret_name", headers=headers["gateway"]).status_code == 503
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["route"], line["status"]) == ("/v1/verdicts/{account_id:path}", 503)
    assert "secret_name" not in str(lines)


def test_figures_of_verdicts(http: TestClient, headers: Headers, database: Database) -> None:
    """Live and pending actions, the switch, verdicts asked for and webhook deliveries are counted."""
    body = {"name": "n", "url": "https://8.8.8.8/", "kinds": ["account.flagged"]}
    assert http.post("/v1/webhooks", json=body, headers=headers["admin"]).status_code == 201
    store(http, database, [account("a"), account("b")])
    decide(http, headers, "cases/a", "confirm", act("throttle"))
    decide(http, headers, "cases/b", "confirm", act("block"))
    http.put("/v1/enforcement", json={"mode": "decisions", "reason": "calm"}, headers=headers["lead"])
    http.get("/v1/verdicts/a", headers=headers["gateway"])
    lines = http.get("/metrics").text.splitlines()
    assert 'distillwatch_actions_live{action="throttle",source="decision"} 1.0' in lines
    assert "distillwatch_actions_pending 1.0" in lines
    assert "distillwatch_enforcement 1.0" in lines
    assert "distillwatch_verdicts_known 2.0" in lines
    assert "distillwatch_webhook_deliveries_pending 1.0" in lines
    assert any(line.startswith('distillwatch_verdicts_total{action="throttle"}') for line in lines)
