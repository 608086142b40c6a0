"""Parts of calls: kept as they arrive, until the other records of the same calls have come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select
from xxhash import xxh3_128_hexdigest

from api.storage.models import open_parts, to_micros
from detector.formats.base import Part

MAX_OF_A_GROUP = 20_000  # parts joined at once; a trace that never ends must not fill the memory
PARTS_LOOKED_AT = 10  # to find each group that is due; most have fewer parts
_IN_CHUNK = 500

T = open_parts.c
_COLUMNS = tuple(c.name for c in open_parts.columns)
_INSERT_SQLITE = (
    f"INSERT INTO open_parts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (part_id) DO NOTHING"
)
_TYPES = ("text", "text", "text", "bool", "bigint", "text", "text", "bigint", "bytea")
_INSERT_POSTGRESQL = (
    f"INSERT INTO open_parts ({', '.join(_COLUMNS)}) SELECT * FROM unnest({', '.join(f'%s::{t}[]' for t in _TYPES)}) "
    "ON CONFLICT (part_id) DO NOTHING"
)

Row = tuple[str, str, str, bool, int, str | None, str | None, int, bytes]


class Stored(NamedTuple):
    """A part as it lies in the database."""

    part_id: str
    family: str
    account_id: str | None
    sender: str | None
    received_at: datetime
    data: bytes


def to_row(part: Part, due_at: datetime, account_id: str | None, sender: str | None, received_at: datetime) -> Row:
    """The database row of a part. The same part sent again has the same id."""
    group = xxh3_128_hexdigest(f"{part.family}\0{part.group}".encode("utf-8", "replace"))
    part_id = xxh3_128_hexdigest(group.encode() + part.data)
    due, received = to_micros(due_at), to_micros(received_at)
    return part_id, part.family, group, part.patient, due, account_id, sender, received, part.data


def insert(connection: Connection, rows: Sequence[Row]) -> int:
    """Insert parts; returns how many were new. To be called under ``Database.write("events")``."""
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql(_INSERT_SQLITE, list(rows)).rowcount
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    return connection.exec_driver_sql(_INSERT_POSTGRESQL, columns).rowcount


def due(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Groups that are to be joined now, those that waited longest first."""
    query = select(T.group_id).where(T.due_at <= now).order_by(T.due_at, T.part_id).limit(limit * PARTS_LOOKED_AT)
    return list(dict.fromkeys(connection.execute(query).scalars()))[:limit]


def of(connection: Connection, group_id: str) -> list[Stored]:
    """The parts of a group, at most MAX_OF_A_GROUP of them."""
    query = select(*(T[name] for name in Stored._fields)).where(T.group_id == group_id)
    rows = connection.execute(query.order_by(T.due_at, T.part_id).limit(MAX_OF_A_GROUP)).all()
    return [Stored(*row) for row in rows]


def remove(connection: Connection, part_ids: Collection[str], now: datetime) -> None:
    """Remove parts that were joined; those that make no event by themselves stay, for others to come, until they are due."""
    ids = sorted(part_ids)
    for start in range(0, len(ids), _IN_CHUNK):
        mine = T.part_id.in_(ids[start : start + _IN_CHUNK])
        connection.execute(delete(open_parts).where(mine, T.patient.is_(False) | (T.due_at <= now)))


def count(connection: Connection) -> int:
    """How many parts wait."""
    return connection.execute(select(func.count()).select_from(open_parts)).scalar_one()
