"""What requests bring, into the database: all of a group in one transaction, and no row that fails keeps the others out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, exc

from api.storage import content, events, parts
from api.storage.engine import Database

EventRow = events.Row
PartRow = parts.Row
FeatureRow = content.FeatureRow

log = structlog.get_logger()


class Bundle(msgspec.Struct, array_like=True):
    """The rows of one request."""

    events: list[EventRow] = []
    joined: list[EventRow] = []  # events that are merged with what is stored of them
    parts: list[PartRow] = []  # of calls that wait for other requests
    features: list[FeatureRow] = []  # of events among these whose text is not kept as it came

    @property
    def size(self) -> int:
        """Bytes, about."""
        return sum(len(row[-1]) for rows in (self.events, self.joined, self.parts, self.features) for row in rows)

    def __bool__(self) -> bool:
        return bool(self.events or self.joined or self.parts)


_KINDS = Bundle.__struct_fields__


class Stored(NamedTuple):
    """What became of a bundle."""

    accepted: int  # events and parts of calls that were not stored before
    refused: list[str]  # why rows were refused


class Unavailable(RuntimeError):
    """The database takes nothing now."""


def store(database: Database, bundles: Sequence[Bundle]) -> list[Stored]:
    """Store bundles durably. Raises Unavailable, with nothing stored."""
    try:
        with database.write("events") as connection:
            return [Stored(_insert(connection, bundle), []) for bundle in bundles]
    except Exception as error:
        if not _is_of_rows(error):
            raise Unavailable(reason(error)) from error
        if len(bundles) == 1:
            return [_singled(database, bundles[0], error)]
        log.warning("the database refuses rows", requests=len(bundles), error=reason(error))
    return [store(database, [bundle])[0] for bundle in bundles]


def reason(error: Exception) -> str:
    """What the database said, without the statement and its values."""
    return str(error.orig) if isinstance(error, exc.DBAPIError) else f"{type(error).__name__}: {error}"


def _insert(connection: Connection, bundle: Bundle) -> int:
    content.insert_features(connection, bundle.features)  # first: no worker may see an event without them
    joined = events.merge_in(connection, bundle.joined).new if bundle.joined else 0
    return joined + events.insert(connection, bundle.events) + parts.insert(connection, bundle.parts)


def _is_of_rows(error: Exception) -> bool:
    """Whether the rows themselves are at fault; else the database is away, locked or full, and may take them later."""
    if isinstance(error, exc.DataError | exc.IntegrityError):
        return True
    return not isinstance(error, exc.SQLAlchemyError | OSError | MemoryError)


def _singled(database: Database, bundle: Bundle, error: Exception) -> Stored:
    """Store a bundle in ever smaller pieces, until what the database refuses stands alone."""
    rows = [(kind, row) for kind in reversed(_KINDS) for row in getattr(bundle, kind)]  # features before their events
    if len(rows) == 1:
        return Stored(0, [f"row: the database refuses it: {reason(error)}"])
    accepted, refused = 0, []
    for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        piece = Bundle(**{wanted: [row for kind, row in half if kind == wanted] for wanted in _KINDS})
        (found,) = store(database, [piece])
        accepted += found.accepted
        refused += found.refused
    return Stored(accepted, refused)
