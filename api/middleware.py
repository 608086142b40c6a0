"""Around every request: how long it took, and headers that keep a browser from doing more with an answer than show it."""

from __future__ import annotations

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.services import metrics

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # answers are data, never pages
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
METHODS = {"GET", "HEAD", "POST", "DELETE"}  # anything else is one label: clients must not be able to make more
NOT_KEPT = "no-store"  # prompts and keys belong in no cache; a route may say otherwise


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

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", NOT_KEPT)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")  # the pattern, so that ids make no labels
            method = scope["method"] if scope["method"] in METHODS else "other"
            metrics.REQUEST_SECONDS.labels(method, route, str(status)).observe(time.perf_counter() - start)
