"""Parts of calls in the database, and events that are completed by what comes later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from api.storage import events, keys, models, parts
from api.storage.engine import Database
from detector.event import Event, Message
from detector.formats.base import GIVEN, Part

NOW = datetime(2026, 9, 7, tzinfo=UTC)
SOON = NOW + timedelta(seconds=15)


def row(group: str = "g", data: bytes = b"x", due: datetime = SOON, patient: bool = False) -> parts.Row:
    """A part's row."""
    return parts.to_row(Part(family="otlp", group=group, patient=patient, data=data), due, None, "key:g", NOW)


def put(database: Database, *rows: parts.Row) -> int:
    """Store parts."""
    with database.write("events") as connection:
        return parts.insert(connection, rows)


def waiting(database: Database, now: datetime) -> list[str]:
    """Groups that are due."""
    with database.read() as connection:
        return parts.due(connection, now, 10)


def test_a_part_that_is_sent_again_is_the_same(database: Database) -> None:
    """Redelivery adds nothing, also within one insert; the same data in another group is another part."""
    assert put(database, row(), row(), row(data=b"y")) == 2
    assert put(database, row(due=SOON + timedelta(days=1)), row("other")) == 1
    with database.read() as connection:
        assert parts.count(connection) == 3


def test_groups_are_due_with_their_first_part(database: Database) -> None:
    """A group is joined when its first part is due, those that waited longest first."""
    put(database, row("a", due=SOON), row("a", b"y", due=SOON + timedelta(hours=1)), row("b", due=NOW))
    assert waiting(database, NOW - timedelta(seconds=1)) == []
    assert waiting(database, NOW) == [row("b")[2]]
    assert waiting(database, SOON) == [row("b")[2], row("a")[2]]


def test_what_makes_no_event_stays_until_it_is_due(database: Database) -> None:
    """After a join, a span around calls is kept for calls to come; it goes when its own time is over."""
    call, around = row(data=b"call"), row(data=b"around", due=SOON + timedelta(minutes=5), patient=True)
    put(database, call, around)
    with database.write("events") as connection:
        found = parts.of(connection, call[2])
        assert [p.data for p in found] == [b"call", b"around"]
        parts.remove(connection, [p.part_id for p in found], SOON)
        assert [p.data for p in parts.of(connection, call[2])] == [b"around"]
        parts.remove(connection, [p.part_id for p in found], SOON + timedelta(minutes=5))
        assert parts.count(connection) == 0


def event(event_id: str = "e", **fields: Any) -> Event:
    """An event."""
    return Event(event_id=event_id, timestamp=NOW, **{"account_id": "a", **fields})


def merge_in(database: Database, *found: Event) -> events.Merged:
    """Store events that others may complete."""
    with database.write("events") as connection:
        return events.merge_in(connection, [events.to_row(e, NOW) for e in found])


def test_events_are_completed(database: Database) -> None:
    """Two reports of a call are one event with what both say, stored under the account that one of them names."""
    said = event(account_id="key:g", messages=[Message(content="hi")], extra={"identity": GIVEN})
    named = event(account_id="acme", response="hello", extra={"identity": "tenant.id"})
    assert merge_in(database, said, event("f")) == (2, 0)
    assert merge_in(database, named) == (0, 1)
    assert merge_in(database, named, said, event("f")) == (0, 0)
    whole = events.by_id(database, ["e"])["e"]
    assert (whole.account_id, whole.messages, whole.response) == ("acme", [Message(content="hi")], "hello")
    with database.read() as connection:
        stored = connection.execute(select(models.events.c.account_id).where(models.events.c.event_id == "e"))
        assert stored.scalars().all() == ["acme"]
    assert merge_in(database, event("g", response="x"), event("g", messages=[Message(content="y")])) == (1, 0)


def test_a_key_may_have_an_account(database: Database) -> None:
    """The account of a key comes back with it, and is in the audit trail."""
    made, secret = keys.create(database, "batch job", "gateway", "test", "acct_1")
    found = keys.find(database, secret)
    assert found == made
    assert found is not None
    assert found.account_id == "acct_1"
