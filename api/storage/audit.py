"""The audit trail: appended only, each entry hashed over the one before, so that a change of the past shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from api.storage.engine import Database
from api.storage.models import audit_log, to_micros

GENESIS = "0" * 64
_CHUNK = 1000


class Entry(NamedTuple):
    """An entry as it stands in the trail."""

    entry_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class Verification(NamedTuple):
    """Outcome of a check: number of good entries, hash of the last, and what is wrong with the first bad one."""

    entries: int
    head: str
    problem: str | None


def _hash(entry_id: int, at: datetime, actor: str, action: str, subject: str, detail: str, previous: str) -> str:
    fields = [entry_id, to_micros(at), actor, action, subject, detail, previous]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def append(connection: Connection, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Append an entry, in the transaction of what it records. To be called under ``Database.write("audit")``."""
    last = connection.execute(
        select(audit_log.c.entry_id, audit_log.c.hash).order_by(audit_log.c.entry_id.desc()).limit(1)
    ).first()
    entry_id, previous = (last.entry_id + 1, last.hash) if last else (1, GENESIS)
    at = datetime.now(UTC)
    text = json.dumps(detail, sort_keys=True, ensure_ascii=True, default=str)
    connection.execute(
        audit_log.insert().values(
            entry_id=entry_id,
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=text,
            previous=previous,
            hash=_hash(entry_id, at, actor, action, subject, text, previous),
        )
    )


def note(database: Database, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Append an entry by itself, e.g. of something that was only read."""
    with database.write("audit") as connection:
        append(connection, actor, action, subject, detail)


def page(database: Database, limit: int, offset: int) -> tuple[list[Entry], int]:
    """Entries, newest first, and their total."""
    query = select(audit_log).order_by(audit_log.c.entry_id.desc()).limit(limit).offset(offset)
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(audit_log)).scalar_one()
        rows = connection.execute(query).all()
    return [Entry(r.entry_id, r.at, r.actor, r.action, r.subject, _detail(r.detail)) for r in rows], total


def _detail(text: str) -> dict[str, Any]:
    try:
        detail = json.loads(text)
    except ValueError:
        detail = None
    return detail if isinstance(detail, dict) else {"unreadable": text}  # a tampered trail must still be shown


def verify(database: Database, expected_head: str | None = None) -> Verification:
    """Check every entry. ``expected_head``, a hash noted earlier, must be in the chain: this finds a cut-off end."""
    number, previous, met = 0, GENESIS, expected_head is None
    with database.read() as connection:
        while True:
            query = select(audit_log).where(audit_log.c.entry_id > number).order_by(audit_log.c.entry_id).limit(_CHUNK)
            rows = connection.execute(query).all()
            for r in rows:
                if r.entry_id != number + 1:
                    return Verification(number, previous, f"entry {number + 1} is missing")
                if r.previous != previous:
                    return Verification(number, previous, f"entry {r.entry_id} does not follow entry {number}")
                if r.hash != _hash(r.entry_id, r.at, r.actor, r.action, r.subject, r.detail, r.previous):
                    return Verification(number, previous, f"entry {r.entry_id} was changed")
                number, previous = r.entry_id, r.hash
                met = met or r.hash == expected_head
            if len(rows) < _CHUNK:
                break
    problem = None if met else "the expected head is not in the trail: entries after it were removed or rewritten"
    return Verification(number, previous, problem)
