"""Beside the worker: what changes is published and delivered by itself, by one or several, whatever fails in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from api.services import background
from api.services.background import Background
from api.services.board import Board
from api.services.publishing import Publisher
from api.settings import Settings
from api.storage import cases, decisions, published, segments, webhooks
from api.storage.actions import New
from api.storage.engine import Database, StorageError
from tests.api.builders import account
from tests.api.receiver import receiving

FAR = datetime(2100, 1, 1, tzinfo=UTC)


def until(what: Callable[[], bool]) -> None:
    """Return when it is true."""
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def find(database: Database, *accounts: str) -> None:
    """Store findings as an assessment does, which is news to publish."""
    segments.ensure(database)
    with database.write("findings") as connection:
        cases.store(connection, [account(name) for name in accounts], datetime.now(UTC))
        segments.note_assessment(connection, 0, 0.0, 0.5, b"[]", segments.ErrorRates(), 0)


def decide(database: Database, name: str) -> None:
    """Decide to throttle an account: this is news to publish."""
    decisions.decide(database, "account", name, "confirm", "seen it", "me", [New("throttle", FAR)])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STEP_SECONDS", 0.05)
    monkeypatch.setattr(background, "RETRY_SECONDS", 0.05)


def test_it_publishes_and_delivers(database: Database, settings: Settings) -> None:
    """Findings and decisions reach the table that API processes follow, and webhooks, without anybody's asking."""
    allowed = settings.model_copy(update={"webhook_allowed_networks": "127.0.0.0/8"})
    board = Board(database)
    with receiving() as receiver:
        webhooks.create(
            database, "n", receiver.url, "native", ["account.flagged"], "whsec_" + "A" * 32, "me", datetime.now(UTC)
        )
        find(database, "a")
        with Background(database, allowed):
            until(lambda: len(receiver.got) == 1)
            decide(database, "a")

            def told() -> bool:
                board.refresh()
                return board.answer("a").action == "throttle"

            until(told)


def test_several_publish_each_change_once(database: Database, settings: Settings) -> None:
    """With several publishers on one database every account is published once, and every flag told once."""
    webhooks.create(
        database, "n", "https://x.invalid/", "native", ["account.flagged"], "whsec_AAAA", "me", datetime.now(UTC)
    )
    names = [f"a{n:02}" for n in range(30)]
    with Background(database, settings), Background(database, settings), Background(database, settings):
        for name in names:
            find(database, name)
            decide(database, name)

        def rows() -> list[str]:
            with database.read() as connection:
                return [row.subject_id for row in published.after(connection, 0, 1000)]

        until(lambda: len(rows()) == len(names))
    assert sorted(rows()) == names
    with database.read() as connection:
        deliveries = connection.execute(webhooks.webhook_deliveries.select()).all()
    told = "".join(bytes(d.payload).decode() for d in deliveries)
    assert [told.count(f'"account_id":"{name}"') for name in names] == [1] * len(names)


@pytest.mark.parametrize("error", [StorageError("away"), RuntimeError("a fault")])
def test_failures_are_outlived(
    error: Exception, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of the database, or a fault, ends neither the thread nor the worker; what it held up is done after it."""
    real, calls = Publisher.step, []

    def step(self: Publisher) -> bool:
        calls.append(1)
        if len(calls) < 4:
            raise error
        return real(self)

    monkeypatch.setattr(Publisher, "step", step)
    find(database, "a")
    board = Board(database)
    with Background(database, settings):

        def told() -> bool:
            board.refresh()
            return board.answer("a").action == "observe"

        until(told)
    assert len(calls) >= 4


def test_nothing_is_published_twice(database: Database, settings: Settings) -> None:
    """Publishing again without news writes nothing, whoever publishes, also after a restart."""
    find(database, "a", "b")
    decide(database, "a")
    assert Publisher(database, settings, Board(database)).publish() == 2
    again = Publisher(database, settings, Board(database))
    assert again.publish() == 0
    assert not again.step()
    decide(database, "b")
    assert again.step()
    with database.read() as connection:
        assert published.head(connection) == 3
