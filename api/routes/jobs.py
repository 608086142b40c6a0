"""Audits, rehearsals, backtests and overlaps of signals: ask for them, follow them, read them. The worker does them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import FileResponse

from api.routes.common import Configured, Data, Decider, Lead, Limit, Offset, Reader
from api.schemas.jobs import (
    AuditSummary,
    BacktestSummary,
    JobDetail,
    JobIn,
    JobKind,
    JobOut,
    JobPage,
    RehearsalSummary,
    ServerFile,
    SignalsSummary,
    Source,
    Upload,
)
from api.services import approving
from api.services.jobs import files
from api.settings import Settings
from api.storage import jobs, unmaskings
from detector.formats import FORMATS
from detector.simulate import HARVESTS

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
_SUMMARIES: dict[str, Any] = {
    "audit": AuditSummary,
    "rehearsal": RehearsalSummary,
    "backtest": BacktestSummary,
    "signals": SignalsSummary,
}
_SHOWN = [name for name in JobOut.model_fields if name != "files"]


@router.get("/v1/jobs")
def get_jobs(
    key: Reader,
    database: Data,
    settings: Configured,
    kind: JobKind | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JobPage:
    """Jobs, the newest first."""
    rows, total = jobs.page(database, kind, limit, offset)
    return JobPage(items=[_out(row, settings) for row in rows], total=total)


@router.post("/v1/jobs", status_code=202)
def post_job(key: Decider, database: Data, settings: Configured, body: JobIn) -> JobOut:
    """Ask for an audit, a rehearsal, a backtest, or the overlap of signals."""
    if body.kind in ("audit", "rehearsal"):
        _check(body.source, settings)
    if body.kind == "rehearsal" and (unknown := set(body.families) - set(HARVESTS)):
        raise HTTPException(422, f"no family {', '.join(sorted(unknown))}: choose of {', '.join(HARVESTS)}")
    return _out(jobs.create(database, body, key.actor, datetime.now(UTC)), settings)


@router.get("/v1/jobs/{job_id}")
def get_job(key: Reader, database: Data, settings: Configured, job_id: JobId) -> JobDetail:
    """One job, with its result in figures once it is done."""
    row = jobs.get(database, job_id)
    if row is None:
        raise _unknown(job_id)
    leave = approving.leave(database, "job", job_id, key.actor)
    summary = {row.kind: _SUMMARIES[row.kind].model_validate_json(row.summary)} if row.summary else {}
    return JobDetail(**_out(row, settings).model_dump(), request=json.loads(row.parameters), unmasking=leave, **summary)


@router.post("/v1/jobs/{job_id}/cancel")
def post_cancel(key: Decider, database: Data, settings: Configured, job_id: JobId) -> JobOut:
    """Stop a job. One that runs stops at its next step."""
    row = jobs.cancel(database, job_id, key.actor, datetime.now(UTC))
    if row is None:
        raise HTTPException(409 if jobs.get(database, job_id) else 404, f"no job {job_id!r} that waits or runs")
    return _out(row, settings)


@router.delete("/v1/jobs/{job_id}", status_code=204)
def delete_job(key: Lead, database: Data, settings: Configured, job_id: JobId) -> Response:
    """Remove a job that has ended, with its result."""
    if not jobs.remove(database, job_id, key.actor):
        raise HTTPException(409 if jobs.get(database, job_id) else 404, f"no job {job_id!r} that has ended")
    shutil.rmtree(files.folder(settings, job_id), ignore_errors=True)
    return Response(status_code=204)


@router.get("/v1/jobs/{job_id}/files/{name}", response_class=FileResponse)
def get_file(
    key: Reader, database: Data, settings: Configured, job_id: JobId, name: Annotated[str, Path(max_length=100)]
) -> FileResponse:
    """A file of a result. Reports that quote prompts take leave (``POST /v1/unmaskings`` on the job), and each reading is in the
    audit trail; ``report.masked.html`` and ``report.masked.json`` take none."""
    if name not in files.results(settings, job_id):
        raise HTTPException(404, f"no file {name!r} of job {job_id!r} here: it may be on another machine, or deleted")
    if files.RESULTS[name] and not unmaskings.read(
        database, "job", job_id, key.actor, {"file": name}, datetime.now(UTC)
    ):
        raise HTTPException(403, f"no leave to read the prompts in {name}: ask with POST /v1/unmaskings and a reason")
    attachment = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox allow-scripts"}
    return FileResponse(files.folder(settings, job_id) / name, filename=name, headers=attachment)


@router.post("/v1/uploads", status_code=201)
async def post_upload(
    request: Request, key: Decider, settings: Configured, name: Annotated[str, Query(min_length=1, max_length=300)]
) -> Upload:
    """A log file for an audit or a rehearsal, as the body."""
    try:
        return await files.receive(settings, name, request.stream())
    except files.BadFile as error:
        raise HTTPException(422, str(error)) from error


@router.get("/v1/files")
def get_files(key: Reader, settings: Configured) -> list[ServerFile]:
    """Log files on the server, in the folder that the operator set for audits."""
    return files.on_server(settings)


def _check(source: Source, settings: Settings) -> None:
    if source.format != "auto" and source.format not in FORMATS:
        raise HTTPException(422, f"no format {source.format!r}: choose of auto, {', '.join(sorted(FORMATS))}")
    if not source.is_stored:
        try:
            files.find(settings, source)
        except files.BadFile as error:
            raise HTTPException(422, str(error)) from error


def _out(row: Any, settings: Settings) -> JobOut:
    return JobOut(**{name: getattr(row, name) for name in _SHOWN}, files=files.results(settings, row.job_id))


def _unknown(job_id: str) -> HTTPException:
    return HTTPException(404, f"no job {job_id!r}")
