"""Files of jobs: what is uploaded, what lies on the server, and results."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import anyio

from api.schemas.jobs import ServerFile, Source, Upload
from api.settings import Settings

RESULTS = {  # by name: whether it quotes prompts, for which it takes leave
    "report.masked.html": False,
    "report.masked.json": False,
    "report.html": True,
    "report.json": True,
    "accounts.parquet": False,
    "campaigns.parquet": False,
    "rejected.jsonl": False,
    "rehearsal.html": False,
    "rehearsal.json": False,
    "rehearsal.parquet": False,
    "backtest.json": False,
    "signals.json": False,
}
ENDINGS = (".jsonl", ".json", ".ndjson", ".gz", ".zst", ".parquet", ".log", ".pb", ".bin")
MAX_LISTED = 1000


class BadFile(ValueError):
    """There is no such file, or it may not be used."""


def folder(settings: Settings, job_id: str) -> Path:
    """Where a job's result lies."""
    return settings.data_dir / "jobs" / job_id


def results(settings: Settings, job_id: str) -> list[str]:
    """The files of a job's result."""
    where = folder(settings, job_id)
    return [name for name in RESULTS if (where / name).is_file()]


async def receive(settings: Settings, name: str, chunks: AsyncIterator[bytes]) -> Upload:
    """Keep an uploaded file. Raises BadFile for an ending that no format has, or when it is too large; then nothing is kept."""
    ending = _ending(name)
    if not ending:
        raise BadFile(f"no format has files of this name: it must end in one of {', '.join(ENDINGS)}")
    upload_id = secrets.token_hex(16)
    where = settings.data_dir / "uploads" / upload_id
    where.mkdir(parents=True)
    path = where / f"log{ending}"
    size, most = 0, settings.max_upload_mb << 20
    try:
        async with await anyio.open_file(path, "wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise BadFile(f"the file is larger than {settings.max_upload_mb} MiB: put it on the server instead")
                await file.write(chunk)
        if not size:
            raise BadFile("the file is empty")
    except BaseException:
        path.unlink(missing_ok=True)
        where.rmdir()
        raise
    return Upload(upload_id=upload_id, name=Path(name).name[:200], bytes=size)


def on_server(settings: Settings) -> list[ServerFile]:
    """Files of the folder that an operator set for audits, by name."""
    root = settings.audit_dir
    if root is None or not root.is_dir():
        return []
    found = []
    for path in sorted(root.rglob("*"))[:MAX_LISTED]:
        if path.is_file() and path.name.lower().endswith(ENDINGS) and _inside(root, path):
            stat = path.stat()
            changed = datetime.fromtimestamp(stat.st_mtime, UTC)
            found.append(ServerFile(file=str(path.relative_to(root)), bytes=stat.st_size, changed_at=changed))
    return found


def find(settings: Settings, source: Source) -> Path:
    """The file of a source. Raises BadFile."""
    if source.upload_id:
        found = sorted((settings.data_dir / "uploads" / source.upload_id).glob("log*"))
        if not found:
            raise BadFile("the upload is gone: send the file again")
        return found[0]
    root = settings.audit_dir
    if root is None:
        raise BadFile("no folder for audits is set: DISTILLWATCH_AUDIT_DIR names it")
    path = root / (source.file or "")
    if not _inside(root, path) or not path.is_file():
        raise BadFile(f"there is no file {source.file!r} in the folder for audits")
    return path


def _ending(name: str) -> str:
    """The known ending of a name, with that of what is compressed in it: .jsonl.gz; empty for none. Nothing else of it is used."""
    last, inner = Path(name.lower()).suffix, Path(Path(name.lower()).stem).suffix
    return "" if last not in ENDINGS else (inner if inner in ENDINGS else "") + last


def discard(settings: Settings, source: Source) -> None:
    """Remove an upload that has served: it holds texts of requests."""
    if source.upload_id:
        shutil.rmtree(settings.data_dir / "uploads" / source.upload_id, ignore_errors=True)


def _inside(root: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())
