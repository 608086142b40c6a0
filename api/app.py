"""The HTTP service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import Keyring
from api.routes import admin, campaigns, cases, health, ingest, verdicts
from api.services import metrics
from api.services.writer import Writer
from api.settings import Settings
from api.storage import migrate
from api.storage.engine import Database, StorageError

RETRY_SECONDS = "2"
METHODS = {"GET", "HEAD", "POST", "DELETE"}  # anything else is one label: clients must not be able to make more

log = structlog.get_logger()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over a migrated database. Raises NotMigrated at its start otherwise."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.url)
        try:
            migrate.check(database)
            app.state.settings = settings
            app.state.database = database
            app.state.keyring = Keyring(database)
            app.state.writer = Writer(database, settings.max_pending_mb << 20)
            try:
                yield
            finally:
                await run_in_threadpool(app.state.writer.close)
        finally:
            database.close()

    app = FastAPI(
        title="distillwatch",
        version=version("distillwatch"),
        description="Find the accounts, and groups of accounts, that harvest an LLM API to train another model.",
        lifespan=lifespan,
        docs_url=None,  # these pages load scripts from another host; the schema itself is at /openapi.json
        redoc_url=None,
    )
    for module in (ingest, cases, campaigns, verdicts, admin, health):
        app.include_router(module.router)
    app.add_exception_handler(StorageError, _no_database)
    app.add_middleware(Measure)
    return app


async def _no_database(request: Request, error: Exception) -> Response:
    log.error("database failed", path=request.url.path, error=str(error))
    headers = {"Retry-After": RETRY_SECONDS}
    return JSONResponse({"detail": "the database does not answer; try again"}, 503, headers=headers)


class Measure:
    """Times every request, by the pattern of its route, so that ids make no labels."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            method = scope["method"] if scope["method"] in METHODS else "other"
            elapsed = time.perf_counter() - start
            metrics.REQUEST_SECONDS.labels(method, route, str(status)).observe(elapsed)
