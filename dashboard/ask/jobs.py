"""Audits, rehearsals, backtests and comparisons of signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import quote

from api.schemas.base import Schema
from api.schemas.jobs import (
    AuditIn,
    BacktestIn,
    JobDetail,
    JobKind,
    JobOut,
    JobPage,
    RehearsalIn,
    ServerFile,
    SignalsIn,
    Upload,
)
from dashboard.client import Client, checked

KINDS: tuple[JobKind, ...] = get_args(JobKind)
_BODIES: dict[JobKind, type[Schema]] = {
    "audit": AuditIn,
    "rehearsal": RehearsalIn,
    "backtest": BacktestIn,
    "signals": SignalsIn,
}


def jobs(client: Client, kind: JobKind, limit: int, offset: int) -> JobPage:
    """Jobs of a kind, the newest first."""
    return client.fetch("/v1/jobs", JobPage, {"kind": kind, "limit": limit, "offset": offset})


def job(client: Client, job_id: str) -> JobDetail:
    """One job."""
    return client.fetch(f"/v1/jobs/{quote(job_id, safe='')}", JobDetail)


def start(client: Client, kind: JobKind, values: Mapping[str, Any]) -> JobOut:
    """Ask for a job."""
    return client.send("POST", "/v1/jobs", checked(_BODIES[kind], kind=kind, **values), JobOut)


def cancel(client: Client, job_id: str) -> JobOut:
    """Stop a job."""
    return client.send("POST", f"/v1/jobs/{quote(job_id, safe='')}/cancel", None, JobOut)


def remove(client: Client, job_id: str) -> None:
    """Remove a job with its result."""
    client.send("DELETE", f"/v1/jobs/{quote(job_id, safe='')}")


def result(client: Client, job_id: str, name: str) -> bytes:
    """A file of a result."""
    return client.download(f"/v1/jobs/{quote(job_id, safe='')}/files/{quote(name, safe='')}")


def upload(client: Client, name: str, data: bytes) -> Upload:
    """Bring a log file to the service."""
    return client.upload("/v1/uploads", data, Upload, {"name": name})


def server_files(client: Client) -> list[ServerFile]:
    """Log files on the server."""
    return client.fetch_list("/v1/files", ServerFile)
