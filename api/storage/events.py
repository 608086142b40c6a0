"""The event log: written once by the API, in order, and read from a position on by workers."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, select, update

from api.storage.engine import Database
from api.storage.models import event_features, events, from_micros, to_micros
from detector.event import Event
from detector.formats import merge

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Event)
MAX_BATCH_BYTES = 64 << 20  # of payloads read at once; as objects they take a few times as much
COUNTED = 20_000  # events of a backlog that are counted one by one
_IN_CHUNK = 500  # ids per query; SQLite's oldest limit on variables is 999

_COLUMNS = "event_id, account_id, timestamp, received_at, payload"
_AT_ONCE = 150  # rows of a statement; SQLite's oldest limit on variables is 999
_INSERT_POSTGRESQL = (  # %b: in binary form; bytes as text would cost ten times as much
    f"INSERT INTO events ({_COLUMNS}) SELECT * FROM unnest("
    "%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bytea[]) ON CONFLICT (event_id) DO NOTHING"
)

Row = tuple[str, str, int, int, bytes]


class Stored(NamedTuple):
    """An event of the log; ``event`` is None where the payload cannot be read."""

    seq: int
    event: Event | None
    features: bytes | None = None  # computed before it was stored, where its text is not kept as it came


def to_row(event: Event, received_at: datetime) -> Row:
    """The database row of an event. What no database can hold is replaced: a prompt must not escape storage by it."""
    event.event_id, event.account_id = storable(event.event_id), storable(event.account_id)
    try:
        payload = _ENCODER.encode(event)
    except UnicodeEncodeError:  # half a surrogate pair somewhere
        payload = json.dumps(msgspec.to_builtins(event), ensure_ascii=False).encode("utf-8", "replace")
    return event.event_id, event.account_id, to_micros(event.timestamp), to_micros(received_at), payload


def storable(text: str) -> str:
    """Text without NUL and halves of surrogate pairs; U+FFFD stands for them."""
    if text.isprintable():
        return text  # the usual case, checked fast
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def insert(connection: Connection, rows: Sequence[Row]) -> int:
    """Insert rows; returns how many were new. To be called under ``Database.write("events")``.

    The lock makes sequence numbers become visible in their order, so that no worker reads past one that commits later.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return sum(_insert_sqlite(connection, rows[at : at + _AT_ONCE]) for at in range(0, len(rows), _AT_ONCE))
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    return connection.exec_driver_sql(_INSERT_POSTGRESQL, columns).rowcount


def _insert_sqlite(connection: Connection, rows: Sequence[Row]) -> int:
    """Insert rows in one statement: with one for each, Python's lock would change hands for each, and be waited for."""
    values = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
    statement = f"INSERT INTO events ({_COLUMNS}) VALUES {values} ON CONFLICT (event_id) DO NOTHING"
    return connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows))).rowcount


class Merged(NamedTuple):
    """What became of events that may be stored already: new ones, and stored ones that now tell more."""

    new: int
    changed: int


def merge_in(connection: Connection, rows: Sequence[Row]) -> Merged:
    """Insert events that other requests may have told of before, or complete those. Under ``Database.write("events")``.

    What a worker has profiled already stays as it was counted; people see the completed event.
    """
    fresh: dict[str, Row] = {}
    for row in rows:
        fresh[row[0]] = _merged(fresh[row[0]], row) if row[0] in fresh else row
    new = insert(connection, list(fresh.values()))
    if new == len(fresh):  # as nearly always: what was there already is looked up only where something was
        return Merged(new, 0)
    changed = 0
    wanted = sorted(fresh)
    for start in range(0, len(wanted), _IN_CHUNK):
        query = select(events.c.event_id, events.c.received_at, events.c.payload).where(
            events.c.event_id.in_(wanted[start : start + _IN_CHUNK])
        )
        for event_id, received_at, payload in connection.execute(query).all():
            row = fresh[event_id]
            if row[-1] == payload:  # stored just now, or the same before
                continue
            whole = _merged((event_id, "", 0, to_micros(received_at), bytes(payload)), row)
            if whole[-1] != payload:
                values = {"account_id": whole[1], "timestamp": from_micros(whole[2]), "payload": whole[-1]}
                connection.execute(update(events).where(events.c.event_id == event_id).values(**values))
                changed += 1
    return Merged(new, changed)


def _merged(one: Row, other: Row) -> Row:
    """The row of the event that two rows tell of."""
    first, second = decode(one[-1]), decode(other[-1])
    if first is None or second is None:
        return other if first is None else one
    return to_row(merge(first, second), from_micros(min(one[3], other[3])))


class Reach(NamedTuple):
    """How far a batch goes, how many events that is, and whether a limit cut it off there."""

    last: int
    events: int
    full: bool


def reach(connection: Connection, position: int, limit: int, max_bytes: int = MAX_BATCH_BYTES) -> Reach:
    """Where the next batch ends: at most so many events, and of more than one at most so many bytes."""
    query = select(events.c.seq, func.length(events.c.payload)).where(events.c.seq > position).order_by(events.c.seq)
    sizes = connection.execute(query.limit(limit)).all()
    last, total = position, 0
    for number, (seq, size) in enumerate(sizes):
        total += size
        if total > max_bytes and number:
            return Reach(last, number, True)
        last = seq
    return Reach(last, len(sizes), len(sizes) == limit)


def between(connection: Connection, position: int, last: int) -> list[Stored]:
    """The events after a position up to another, in order."""
    here = (events.c.seq > position, events.c.seq <= last)
    known = events.outerjoin(event_features, events.c.event_id == event_features.c.event_id)
    query = select(events.c.seq, events.c.payload, event_features.c.features).select_from(known).where(*here)
    return [Stored(r.seq, decode(r.payload), r.features) for r in connection.execute(query.order_by(events.c.seq))]


def within(
    connection: Connection, position: int, limit: int, since: datetime | None, until: datetime | None
) -> list[Stored]:
    """The next events after a position whose own time lies in a period (its end excluded), in order."""
    here = [events.c.seq > position]
    here += [events.c.timestamp >= since] if since else []
    here += [events.c.timestamp < until] if until else []
    known = events.outerjoin(event_features, events.c.event_id == event_features.c.event_id)
    query = select(events.c.seq, events.c.payload, event_features.c.features).select_from(known).where(*here)
    rows = connection.execute(query.order_by(events.c.seq).limit(limit))
    return [Stored(r.seq, decode(r.payload), r.features) for r in rows]


def after(connection: Connection, position: int, limit: int, max_bytes: int = MAX_BATCH_BYTES) -> list[Stored]:
    """The next events after a position, in order, bounded as in :func:`reach`."""
    return between(connection, position, reach(connection, position, limit, max_bytes).last)


def by_id(database: Database, event_ids: Collection[str]) -> dict[str, Event]:
    """Events by id; those that are not (or no longer) there are left out."""
    wanted = sorted(set(event_ids))
    found: dict[str, Event] = {}
    with database.read() as connection:
        for start in range(0, len(wanted), _IN_CHUNK):
            query = select(events.c.payload).where(events.c.event_id.in_(wanted[start : start + _IN_CHUNK]))
            for (payload,) in connection.execute(query):
                if (event := decode(payload)) is not None:
                    found[event.event_id] = event
    return found


def backlog(connection: Connection, position: int) -> tuple[int, datetime | None]:
    """Events after a position: how many, and when the first of them was received.

    Many are estimated by their numbers: counting millions would slow down a worker that is behind already.
    """
    behind = events.c.seq > position
    some = select(events.c.seq).where(behind).limit(COUNTED + 1).subquery()
    count = connection.execute(select(func.count()).select_from(some)).scalar_one()
    if count > COUNTED:
        count = max(count, last_seq(connection) - position)
    return count, first_received(connection, position)


def first_received(connection: Connection, position: int) -> datetime | None:
    """When the first event after a position was received; None where there is none."""
    query = select(events.c.received_at).where(events.c.seq > position).order_by(events.c.seq).limit(1)
    return connection.execute(query).scalar()


def last_seq(connection: Connection) -> int:
    """The highest sequence number; 0 for an empty log."""
    return connection.execute(select(func.max(events.c.seq))).scalar() or 0


def payloads(connection: Connection, position: int, limit: int) -> list[tuple[int, bytes]]:
    """Sequence number and JSON of the next events after a position, for export."""
    query = select(events.c.seq, events.c.payload).where(events.c.seq > position).order_by(events.c.seq).limit(limit)
    return [(seq, bytes(payload)) for seq, payload in connection.execute(query)]


def decode(payload: bytes) -> Event | None:
    """The event of a payload; None where it cannot be read."""
    try:
        return _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
