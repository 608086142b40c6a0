"""Migrations, the event log, keys, and the audit trail on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from api.storage import audit, events, keys, migrate, models
from api.storage.engine import Database
from detector.event import Event, Message

NOW = datetime(2026, 9, 7, tzinfo=UTC)


def event(event_id: str, content: str = "hello") -> Event:
    """An event of one account."""
    return Event(event_id=event_id, timestamp=NOW, account_id="a", messages=[Message(role="user", content=content)])


def put(database: Database, *found: Event) -> int:
    """Store events; returns how many were new."""
    with database.write("events") as connection:
        return events.insert(connection, [events.to_row(e, NOW) for e in found])


@pytest.mark.parametrize("is_migrated", [False])
def test_migrations_make_exactly_the_models(database: Database) -> None:
    """The migrated database has the tables, columns and indexes of the models, and migrating again changes nothing."""
    migrate.upgrade(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models.metadata) == []


@pytest.mark.parametrize("is_migrated", [False])
def test_unmigrated_database_is_refused(database_url: str) -> None:
    """An empty database is told apart, with the command that helps."""
    database = Database(database_url)
    with pytest.raises(migrate.NotMigrated, match=r"is empty.*distillwatch db upgrade"):
        migrate.check(database)
    database.close()


def test_events_come_back_as_they_were(database: Database) -> None:
    """Events are read after a position in order of arrival, whole, and only once stored."""
    assert put(database, event("b"), event("a"), event("b")) == 2
    assert put(database, event("a"), event("c")) == 1
    with database.read() as connection:
        found = events.after(connection, 0, 10)
        assert [s.event for s in found] == [event("b"), event("a"), event("c")]
        assert [s.event.event_id for s in events.after(connection, found[0].seq, 1) if s.event] == ["a"]
        assert events.backlog(connection, found[1].seq) == (1, NOW)
    assert set(events.by_id(database, ["a", "c", "unknown"])) == {"a", "c"}


def test_large_events_are_read_a_few_at_a_time(database: Database) -> None:
    """A batch is bounded by bytes, too; one event alone may be larger."""
    put(database, event("a", "x" * 2000), event("b", "x" * 2000), event("c", "x" * 9000), event("d"))
    with database.read() as connection:
        read, position = [], 0
        while batch := events.after(connection, position, 3, max_bytes=5000):
            read.append([s.event.event_id for s in batch if s.event])
            position = batch[-1].seq
    assert read == [["a", "b"], ["c"], ["d"]]


def test_a_large_backlog_is_estimated(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a limit the backlog is counted; beyond it, its size comes from the numbers of the log."""
    put(database, *(event(f"e{n}") for n in range(30)))
    for limit in (30, 29, 5):
        monkeypatch.setattr(events, "COUNTED", limit)
        with database.read() as connection:
            assert events.backlog(connection, 0) == (30, NOW)
            assert events.backlog(connection, events.last_seq(connection)) == (0, None)


def test_sequence_numbers_become_visible_in_order(database: Database) -> None:
    """With many writers at once, a reader that follows the position misses none."""

    def write(writer: int) -> None:
        for number in range(20):
            put(database, event(f"{writer}-{number}"), event(f"{writer}-{number}-b"))

    threads = [Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while any(t.is_alive() for t in threads) or len(seen) < 160:
        with database.read() as connection:
            seen += [s.seq for s in events.after(connection, seen[-1] if seen else 0, 7)]
        if not any(t.is_alive() for t in threads):
            with database.read() as connection:
                if not events.after(connection, seen[-1], 1):
                    break
    for thread in threads:
        thread.join()
    assert len(seen) == 160


HOSTILE = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=40)  # NUL and half surrogates included


@settings(max_examples=60, deadline=None)
@given(event_id=HOSTILE, content=HOSTILE)
def test_any_text_makes_a_row(event_id: str, content: str) -> None:
    """No text whatever keeps an event from being stored and read again, under an id that databases accept."""
    row = events.to_row(event(event_id, content), NOW)
    assert "\0" not in row[0]
    row[0].encode()
    decoded = events.decode(row[4])
    assert decoded is not None
    assert decoded.event_id == row[0]


def test_hostile_text_is_stored(database: Database) -> None:
    """NUL and half surrogates arrive in both databases."""
    assert put(database, event("a\0b\ud800", "x\0y\udfffz")) == 1


def test_keys_are_found_until_revoked(database: Database) -> None:
    """A key works by its secret alone, never after revocation, and its secret is nowhere in the database."""
    key, secret = keys.create(database, "n", "analyst", "test")
    assert keys.find(database, secret) == key
    assert keys.find(database, secret + "x") is None
    with database.read() as connection:
        assert secret.split("_", 2)[2] not in str(connection.execute(text("SELECT * FROM api_keys")).all())
    revoked = keys.revoke(database, key.key_id, "test")
    assert revoked is not None
    assert keys.find(database, secret) is None
    assert keys.revoke(database, key.key_id, "test") == revoked
    assert keys.revoke(database, "unknown", "test") is None


def trail(database: Database, count: int) -> None:
    """Append entries."""
    for number in range(count):
        with database.write("audit") as connection:
            audit.append(connection, "me", "act", f"thing {number}", {"n": number, "text": "ü\ud800"})


@contextmanager
def tampering(database: Database) -> Iterator[Connection]:
    """A connection of somebody who may take the database's own guards away, as its owner may."""
    with database.write() as connection:
        if connection.dialect.name == "sqlite":
            guards = select(text("name")).select_from(text("sqlite_master")).where(text("type = 'trigger'"))
            for name in connection.execute(guards).scalars().all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'other' WHERE entry_id = 2",
        "UPDATE audit_log SET detail = detail",
        "DELETE FROM audit_log WHERE entry_id = 3",
        "DELETE FROM audit_log",
    ],
)
def test_the_database_refuses_to_change_the_trail(database: Database, statement: str) -> None:
    """Entries are appended and never changed or deleted, by whatever statement; the trail stays whole and goes on."""
    trail(database, 3)
    replaced = "INSERT OR REPLACE INTO audit_log SELECT entry_id, at, 'other', action, subject, detail, previous, hash FROM audit_log"
    for one in (statement, replaced if database.path else "TRUNCATE audit_log"):
        with pytest.raises(DBAPIError, match="appended only"), database.write() as connection:
            connection.execute(text(one))
    trail(database, 1)
    assert audit.verify(database)[0::2] == (4, None)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit_log SET actor = 'other' WHERE entry_id = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET detail = '{}' WHERE entry_id = 5", "entry 5 was changed"),
        ("UPDATE audit_log SET at = at + 1 WHERE entry_id = 1", "entry 1 was changed"),
        ("DELETE FROM audit_log WHERE entry_id = 2", "entry 2 is missing"),
        ("DELETE FROM audit_log WHERE entry_id = 1", "entry 1 is missing"),
    ],
)
def test_tampering_shows(database: Database, statement: str, problem: str) -> None:
    """A changed or removed entry is found and named."""
    trail(database, 5)
    assert audit.verify(database).problem is None
    with tampering(database) as connection:
        connection.execute(text(statement))
    assert audit.verify(database).problem == problem


def test_rehashed_entry_breaks_the_chain(database: Database) -> None:
    """An entry that was changed and hashed anew no longer fits the one after it."""
    trail(database, 3)
    with tampering(database) as connection:
        entry = connection.execute(models.audit_log.select().where(models.audit_log.c.entry_id == 2)).one()
        forged = audit._hash(2, entry.at, "other", entry.action, entry.subject, entry.detail, entry.previous)
        changed = update(models.audit_log).where(models.audit_log.c.entry_id == 2).values(actor="other", hash=forged)
        connection.execute(changed)
    assert audit.verify(database).problem == "entry 3 does not follow entry 2"


def test_cut_off_end_shows_with_a_noted_head(database: Database) -> None:
    """A trail without its last entries is whole in itself; a head noted before gives it away."""
    trail(database, 4)
    head = audit.verify(database).head
    trail(database, 1)
    assert audit.verify(database, head).problem is None
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit_log WHERE entry_id >= 4"))
    assert audit.verify(database).problem is None
    assert "expected head" in str(audit.verify(database, head).problem)


def test_audit_entries_of_many_threads_form_one_chain(database: Database) -> None:
    """Entries appended at once get numbers without a gap."""
    threads = [Thread(target=trail, args=(database, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.verify(database)[0::2] == (40, None)
