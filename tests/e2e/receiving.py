"""The service as real clients meet it: API and worker as processes, and what arrives in their log."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from api.storage import events, keys, migrate
from api.storage.engine import Database
from detector.event import Event, text_of
from tests.e2e.clients.calls import CALLS, SESSION, TOOL, answer, tokens
from tests.e2e.processes import START_SECONDS, free_port, running, until

ROOT = Path(__file__).parent.parent.parent
JOIN_SECONDS = 2  # waits for the records of a call; the clients flush all of theirs within a second
ARRIVAL_SECONDS = 120
ACCOUNT_ATTRIBUTE = "customer_id"
SETTINGS = ("temperature", "top_p", "max_tokens")


class Receiver:
    """API and worker over a database in a folder, with a key of role gateway."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database = Database(f"sqlite:///{folder / 'distillwatch.db'}")

    def __enter__(self) -> Receiver:
        migrate.upgrade(self._database)
        self.key = self.new_key("gateway")
        env = {"DISTILLWATCH_JOIN_SECONDS": str(JOIN_SECONDS), "DISTILLWATCH_ACCOUNT_ATTRIBUTES": ACCOUNT_ATTRIBUTE}
        options = ["--data-dir", self._folder]
        for part, more in (("api", ["--port", str(self.port)]), ("worker", [])):
            command = [sys.executable, "-m", "api", part, *options, *more]
            self._stack.enter_context(running(command, env, self._folder / f"{part}.log", ROOT))
        ready = f"{self.url}/readyz"
        until("the API", lambda: httpx.get(ready, trust_env=False).is_success, START_SECONDS, self._folder / "api.log")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._database.close()

    def new_key(self, name: str, account: str | None = None) -> str:
        """A new key of role gateway, for what names nobody with an account."""
        return keys.create(self._database, name, "gateway", "test", account)[1]

    def events(self, account: str, count: int = 1) -> list[Event]:
        """The events of an account in the order of their times, as soon as there are so many of them."""

        def arrived() -> list[Event] | None:
            found = self._of(account)
            return found if len(found) >= count else None

        found = until(f"{count} events of {account}", arrived, ARRIVAL_SECONDS, self._folder / "api.log")
        assert len(found) == count
        return sorted(found, key=lambda e: e.timestamp)

    def stored(self) -> str:
        """All that the files of the service hold."""
        files = [path for path in self._folder.rglob("*") if path.is_file()]
        return "".join(path.read_bytes().decode(errors="replace") for path in files)

    def _of(self, account: str) -> list[Event]:
        with self._database.read() as connection:
            stored = [s.event for s in events.after(connection, 0, 100_000)]
        return [e for e in stored if e is not None and e.account_id == account]


def check(found: list[Event], *, leaves_out: Collection[str] = ()) -> None:
    """The events of the three calls are complete, but for what a client does not log."""
    assert len(found) == len(CALLS)
    pairs = [(_seen(event, call), _expected(call)) for event, call in zip(found, CALLS, strict=True)]
    for name in leaves_out:
        assert any(seen[name] != expected[name] for seen, expected in pairs), f"{name} is logged after all"
    for seen, expected in pairs:
        assert {k: v for k, v in seen.items() if k not in leaves_out} == {
            k: v for k, v in expected.items() if k not in leaves_out
        }


def _seen(event: Event, call: dict[str, Any]) -> dict[str, object]:
    in_turns = bool(event.messages) and event.messages[0].role == "system"
    response = event.response if isinstance(event.response, dict) else {"content": event.response}
    return {
        "model": (event.model or "").partition("-")[0],  # some log the version that answered
        "system": text_of(event.messages[0].content if in_turns else event.system),
        "messages": [(m.role, text_of(m.content)) for m in event.messages[in_turns:]],
        "tools": event.tools,
        "params": {name: getattr(event.params, name) for name in SETTINGS if name in call},  # some add defaults
        "seed": event.params.seed,
        "stream": event.params.stream or None,
        "tokens": (event.usage.input_tokens, event.usage.output_tokens),
        "details": (event.usage.cached_input_tokens, event.usage.reasoning_tokens),
        "response": response.get("content") or None,
        "called": [c["name"] for c in response.get("tool_calls", [])],
        "finish_reason": event.finish_reason and event.finish_reason.removesuffix("s"),
        "session": event.session_id,
        "status": event.status,
        "latency": event.latency_ms is not None,
    }


def _expected(call: dict[str, Any]) -> dict[str, object]:
    turns = [(m["role"], m["content"]) for m in call["messages"] if m["role"] != "system"]
    asked, answered = tokens(call)
    calls_tool = "tools" in call
    return {
        "model": call["model"],
        "system": "".join(m["content"] for m in call["messages"] if m["role"] == "system"),
        "messages": turns,
        "tools": [TOOL["function"]["name"]] if calls_tool else None,
        "params": {name: call[name] for name in SETTINGS if name in call},
        "seed": call.get("seed"),
        "stream": call.get("stream"),
        "tokens": (asked, answered),
        "details": (1, 2),
        "response": answer(call) or None,
        "called": [TOOL["function"]["name"]] if calls_tool else [],
        "finish_reason": "tool_call" if calls_tool else "stop",
        "session": SESSION,
        "status": 200,
        "latency": True,
    }
