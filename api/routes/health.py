"""Is it alive, is it ready, how does it do. No key is needed and nothing confidential is told."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.routes.common import Configured, Data
from api.services import acting, overview
from api.storage import migrate
from api.storage.engine import StorageError

router = APIRouter(tags=["operation"])
log = structlog.get_logger()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(database: Data) -> dict[str, str]:
    """The database answers and is of the right revision."""
    try:
        migrate.check(database)
    except migrate.NotMigrated as error:
        raise HTTPException(503, str(error)) from error
    except StorageError as error:
        log.warning("database not reachable", error=str(error))
        raise HTTPException(503, "the database does not answer") from error
    return {"status": "ready"}


@router.get("/metrics", response_class=Response)
def get_metrics(database: Data, settings: Configured) -> Response:
    """Prometheus metrics of this process and of the worker."""
    try:
        overview.overview(database)  # sets the gauges
        acting.measure(database, settings)
    except StorageError as error:
        log.warning("no figures for /metrics", error=str(error))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
