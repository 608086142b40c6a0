"""The HTTP service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.auth import Keyring
from api.middleware import Guard
from api.routes import (
    admin,
    bulk,
    campaigns,
    cases,
    comparing,
    enforcement,
    groupings,
    health,
    helicone,
    ingest,
    jobs,
    langfuse,
    otlp,
    people,
    privacy,
    quality,
    review,
    search,
    signals,
    verdicts,
    webhooks,
)
from api.services.board import REFRESH_SECONDS, Board
from api.services.content import REFRESH_SECONDS as CONTENT_SECONDS
from api.services.content import ContentPolicy
from api.services.health import Monitor
from api.services.ingest import Ingestion
from api.services.likeness import Searcher
from api.services.oidc import Provider
from api.services.publishing import Publisher
from api.settings import Settings
from api.storage import migrate
from api.storage.engine import Database, StorageError
from api.storage.queue import reprice

RETRY_SECONDS = "2"
WATCH_SECONDS = 5.0

ROUTES = (
    verdicts, ingest, otlp, langfuse, helicone, cases, comparing, groupings, campaigns, review, bulk, enforcement, webhooks, admin, people,
    privacy, jobs, search, signals, quality, health,
)  # fmt: skip

log = structlog.get_logger()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over a migrated database. Raises NotMigrated at its start otherwise."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.url)
        try:
            migrate.check(database)
            await run_in_threadpool(reprice, database, settings.prices)
            app.state.settings = settings
            app.state.database = database
            app.state.keyring = Keyring(database)
            app.state.provider = (
                Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_claim)
                if settings.oidc_issuer
                else None
            )
            app.state.board = Board(database, settings.enforcement)
            app.state.publisher = Publisher(database, settings, app.state.board)
            await run_in_threadpool(app.state.board.refresh)
            app.state.content = ContentPolicy(database, settings)
            await run_in_threadpool(app.state.content.refresh)
            app.state.searcher = Searcher(settings)
            app.state.ingestion = Ingestion(settings, database, app.state.content)
            app.state.monitor = Monitor(database, settings, app.state.ingestion)
            tasks = [
                asyncio.create_task(_keep_fresh(app.state.board)),
                asyncio.create_task(_keep_watch(app.state.monitor)),
                asyncio.create_task(_keep_to(app.state.content)),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await run_in_threadpool(app.state.ingestion.close)
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
    for module in ROUTES:
        app.include_router(module.router)
    app.add_exception_handler(StorageError, _no_database)
    app.add_middleware(Guard)
    app.openapi = partial(_document, app, app.openapi)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI, made: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI document, with refusals as they are: one sentence of ours, or FastAPI's list of places."""
    if app.openapi_schema is None:
        told = made()["components"]["schemas"]["HTTPValidationError"]["properties"]
        told["detail"] = {"title": "Detail", "anyOf": [{"type": "string"}, told["detail"]]}
    return made()


async def _keep_fresh(board: Board) -> None:
    """Read what others published, until cancelled."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await run_in_threadpool(board.refresh)
        except StorageError as error:
            log.warning("verdicts not refreshed", error=str(error))
        except Exception:  # answers get old, and say so after some minutes; the rest of the service goes on
            log.exception("verdicts not refreshed")


async def _keep_to(policy: ContentPolicy) -> None:
    """Read what may be kept of accounts' texts, until cancelled."""
    while True:
        await asyncio.sleep(CONTENT_SECONDS)
        try:
            await run_in_threadpool(policy.refresh)
        except StorageError as error:
            log.warning("content modes not read", error=str(error))
        except Exception:
            log.exception("content modes not read")


async def _keep_watch(monitor: Monitor) -> None:
    """Look at the parts of the service, until cancelled, so that /healthz need not wait for any."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            await run_in_threadpool(monitor.look)
        except Exception:
            log.exception("the state of the service cannot be told")


async def _no_database(request: Request, error: Exception) -> Response:
    log.error("database failed", path=request.url.path, error=str(error))
    headers = {"Retry-After": RETRY_SECONDS}
    return JSONResponse({"detail": "the database does not answer; try again"}, 503, headers=headers)
