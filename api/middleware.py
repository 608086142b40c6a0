"""Around every request: its id, how long it took, and headers that keep a browser from doing more with an answer than show it."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.services import metrics

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # answers are data, never pages
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
METHODS = {"GET", "HEAD", "POST", "DELETE"}  # anything else is one label: clients must not be able to make more
SLOW_SECONDS = 5.0  # a request that takes longer is logged
REQUEST_ID = b"x-request-id"
_GOOD_ID = re.compile(
    rb"[A-Za-z0-9._-]{1,64}"
)  # of a proxy before us; anything else is replaced, so that no log is forged
NOT_KEPT = "no-store"  # prompts and keys belong in no cache; a route may say otherwise


log = structlog.get_logger()


class Guard:
    """Plain ASGI: FastAPI's own way of middleware would cost a single event a good part of its time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; measure it, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500  # where the application fails before it answers
        request_id = _request_id(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", NOT_KEPT)
                headers["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")  # the pattern, so that ids make no labels
            method = scope["method"] if scope["method"] in METHODS else "other"
            seconds = time.perf_counter() - start
            metrics.REQUEST_SECONDS.labels(method, route, str(status)).observe(seconds)
            if status >= 500 or seconds > SLOW_SECONDS:
                log.warning("request", method=method, route=route, status=status, seconds=round(seconds, 3))
            structlog.contextvars.unbind_contextvars("request_id")


def _request_id(scope: Scope) -> str:
    """The id that a proxy gave the request, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _GOOD_ID.fullmatch(value):
            found: str = value.decode()
            return found
    return secrets.token_hex(8)
