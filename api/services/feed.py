"""The feed of verdicts: what changed after a position, for gateways that keep a copy."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from api.services.board import Board, decode
from api.services.verdicts import Answer, answer
from api.storage import published
from api.storage.engine import Database

MAX_SEQ = 2**63 - 1  # what databases can hold


class BadSince(ValueError):
    """``since`` is neither a time nor the ``next`` of an earlier answer."""


class Page(msgspec.Struct, frozen=True):
    """api.schemas.VerdictPage, encoded fast."""

    items: list[Answer]
    next: str
    more: bool


def position(database: Database, since: str) -> int:
    """Number of the last change that the asker knows. Raises BadSince."""
    if not since:
        return 0
    if since.isascii() and since.isdigit() and len(since) < 20 and int(since) <= MAX_SEQ:
        return int(since)
    try:
        when = datetime.fromisoformat(since.replace(" ", "+"))  # an unescaped plus of a query string
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadSince(
            "since: give `next` of the last answer, a time such as 2026-09-07T10:15:00Z, or nothing"
        ) from error
    with database.read() as connection:
        return published.before(connection, when)


def changed(database: Database, board: Board, seq: int, limit: int) -> Page:
    """Answers on accounts that changed after a number, the oldest change first. An account appears with its last change."""
    with database.read() as connection:
        if seq > published.head(connection):
            seq = 0  # of another database, e.g. one that was since restored: begin again
        rows = published.after(connection, seq, limit + 1, "account")
    more, rows = len(rows) > limit, rows[:limit]
    now = datetime.now(UTC)
    items = [answer(row.subject_id, decode(row.record), board.mode, now) for row in rows]
    return Page(items, str(rows[-1].seq if rows else seq), more)
