"""Enforcement in front of an ASGI application, e.g. a FastAPI or Starlette gateway. Whatever fails, requests go through."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from api.client.enforcing import Enforcer, Outcome, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], str | Awaitable[str | None] | None]

MAX_BODY_BYTES = 32 << 20  # a longer body is not looked into
VERDICT = "distillwatch.verdict"  # key of the scope under which the application finds the verdict

log = logging.getLogger("distillwatch.client")


class EnforcementMiddleware:
    """Applies verdicts to requests below some paths.

    ``account`` tells the verified owner of a request from its scope (never what the client claims of itself), ``api_key``
    the id of its key; both may be coroutines. Put it behind what authenticates. Bodies are read only of accounts for which
    it matters.
    """

    def __init__(
        self, app: App, enforcer: Enforcer, account: Identify, api_key: Identify | None = None,
        paths: tuple[str, ...] = ("/v1/",),
    ) -> None:  # fmt: skip
        self._app = app
        self._enforcer = enforcer
        self._account = account
        self._api_key = api_key
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, whole or reduced, or answer it."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
            return
        try:
            outcome, receive = await self._decide(scope, receive)
        except Exception:
            log.exception("enforcement failed; the request goes through")
            outcome = None
        if outcome is not None:
            scope[VERDICT] = outcome.verdict
            if outcome.refusal is not None:
                await _refuse(outcome.refusal, send)
                return
        await self._app(scope, receive, send)

    async def _decide(self, scope: Scope, receive: Receive) -> tuple[Outcome | None, Receive]:
        account_id = await _value(self._account, scope)
        if not account_id:
            return None, receive
        parts = self._enforcer.verdicts.parts(account_id)
        if not parts:
            return None, receive
        api_key_id = await _value(self._api_key, scope) if self._api_key else None
        if not any(part.by_content or part.action == "reduce" for part in parts):
            return self._enforcer.check(account_id, api_key_id), receive
        read = _Read(receive)
        try:
            body = _parsed(await read.whole())
            outcome = self._enforcer.check(account_id, api_key_id, body)
            if outcome.body is not None:
                _put(read, scope, outcome.body)
        except Exception:
            log.exception("enforcement failed; the request goes through")
            return None, read.replay  # what was read must still reach the application
        return outcome, read.replay


class _Read:
    """What was read of a request, to be given to the application after all."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def whole(self) -> bytes | None:
        """The body; None if the client left or it is too long."""
        size, more = 0, True
        while more and size <= MAX_BODY_BYTES:
            message = await self._receive()
            self._messages.append(message)
            if message["type"] != "http.request":
                return None
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        return None if more else b"".join(m.get("body", b"") for m in self._messages)

    def replace(self, body: bytes) -> None:
        """Give another body."""
        self._messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay(self) -> Message:
        """The messages again, then what comes after them."""
        return self._messages.pop(0) if self._messages else await self._receive()


async def _value(identify: Identify, scope: Scope) -> str | None:
    found = identify(scope)
    return await found if inspect.isawaitable(found) else found


def _parsed(body: bytes | None) -> dict[str, Any] | None:
    try:
        found = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _put(read: _Read, scope: Scope, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode()
    kept = [(k, v) for k, v in scope["headers"] if k.lower() not in (b"content-length", b"transfer-encoding")]
    read.replace(content)
    scope["headers"] = [*kept, (b"content-length", str(len(content)).encode())]


async def _refuse(refusal: Refusal, send: Send) -> None:
    content = json.dumps(refusal.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **refusal.headers}
    encoded = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})
