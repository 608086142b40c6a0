"""Is it alive, is it ready, how does it do. No key is needed and nothing confidential is told."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.routes.common import Configured, Data, Verdicts, Watched
from api.schemas.overview import HealthOut, StateOut
from api.services import acting, metrics, overview
from api.services.health import Health
from api.storage.engine import StorageError

router = APIRouter(tags=["operation"])
_REFUSING: dict[int | str, dict[str, Any]] = {503: {"description": "Logs would be refused", "model": HealthOut}}
log = structlog.get_logger()


@router.get("/healthz", response_model_exclude_defaults=True)
async def healthz(monitor: Watched) -> HealthOut:
    """The process answers, and what it knows of its parts. Always 200: to start it again would mend none of them."""
    health = monitor.known()
    return HealthOut(status="degraded" if health.problems else "ok", problems=_told(health))


@router.get("/readyz", response_model_exclude_defaults=True, responses=_REFUSING)
def readyz(monitor: Watched, response: Response) -> HealthOut:
    """Logs are taken and will be on disk. A worker that is behind, or a database that files stand in for, is told, and is no
    reason to send logs elsewhere."""
    health = monitor.look()
    if not health.is_ready:
        response.status_code = 503
    return HealthOut(status="ready" if health.is_ready else "refusing", problems=_told(health))


@router.get("/metrics", response_class=Response)
def get_metrics(database: Data, settings: Configured, board: Verdicts, monitor: Watched) -> Response:
    """Prometheus metrics of this process and of the worker."""
    try:
        overview.overview(database)  # sets the gauges
        acting.measure(database, settings)
    except StorageError as error:
        log.warning("no figures for /metrics", error=str(error))
    metrics.VERDICTS_KNOWN.set(len(board.accounts))
    monitor.measure()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _told(health: Health) -> dict[str, StateOut]:
    return {part: StateOut(state=state.state, detail=state.detail) for part, state in health.problems.items()}
