"""The feed of verdicts: what changed after a position, for gateways that keep a copy."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from api.services.board import Board, decode
from api.services.verdicts import answer, tag
from api.storage import published
from api.storage.engine import Database

MAX_SEQ = 2**63 - 1  # what databases can hold


_ENCODER = msgspec.json.Encoder()


class BadSince(ValueError):
    """``since`` is neither a time nor the ``next`` of an earlier answer."""


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


def changed(database: Database, board: Board, since: str, limit: int) -> tuple[bytes, str]:
    """Answers on accounts that changed after a position, the oldest change first, as JSON with its ETag. Raises BadSince.

    An account appears with its last change. For a thread: thousands of answers take some milliseconds.
    """
    seq = position(database, since)
    with database.read() as connection:
        if seq > published.head(connection):
            seq = 0  # of another database, e.g. one that was since restored: begin again
        rows = published.after(connection, seq, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    following = str(rows[-1].seq if rows else seq)
    now = datetime.now(UTC)
    accounts = [row for row in rows if row.subject == "account"]  # campaigns are not told here
    items = [answer(row.subject_id, decode(row.record), board.mode, now) for row in accounts]
    told = [(row.seq, item.action, len(item.narrower)) for row, item in zip(accounts, items, strict=True)]
    # one by one, so that answers to others can go out in between
    body = b",".join([_ENCODER.encode(item) for item in items])
    page = b'{"items":[%s],"next":"%s","more":%s}' % (body, following.encode(), b"true" if more else b"false")
    return page, tag([following, more, told])
