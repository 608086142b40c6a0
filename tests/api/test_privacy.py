"""How long events are kept and what of their texts: what goes is gone, also from the database's files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.app import create_app
from api.schemas.base import Role
from api.services import content as content_service
from api.services.content import ContentPolicy
from api.services.housekeeping import Housekeeper
from api.settings import Settings
from api.storage import audit, cases, content, events, ranges, retention, segments
from api.storage.engine import Database
from api.storage.models import event_features
from api.storage.models import events as log
from api.worker import Worker
from detector.assessment import Template
from detector.content import hide
from detector.event import Event
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from tests.api.builders import account, body, row
from tests.api.test_worker import drain, put, small, traffic

Headers = dict[Role, dict[str, str]]
SECRET = "xylophone-quagmire-7731"
MAIL = "someone.private@example.org"


def worded(number: int, who: str) -> dict[str, Any]:
    """An event that says the secret word wherever a text can be."""
    return row(
        number,
        who,
        system=f"system {SECRET}",
        messages=[{"role": "user", "content": f"Tell me of {SECRET} number {number} and write to {MAIL}, please."}],
        response=f"answer {SECRET} {MAIL}",
        tools=[{"name": SECRET}],
        note=SECRET,
    )


def everything(database: Database, folder: Path) -> bytes:
    """All bytes of an SQLite database and of the files beside it; of PostgreSQL all that can be asked for."""
    if database.is_sqlite:
        return b"".join(path.read_bytes() for path in folder.glob("test.db*"))
    with database.read() as connection:
        return b"".join(bytes(p) for p in connection.execute(select(log.c.payload)).scalars())


def test_no_text_of_an_account_is_stored(
    http: TestClient, headers: Headers, database: Database, tmp_path: Path
) -> None:
    """With mode none nothing of its texts reaches a file; with redacted no personal data; other accounts are as before."""
    for who, mode in (("quiet", "none"), ("careful", "redacted")):
        answer = http.put(f"/v1/content/{who}", headers=headers["admin"], json={"mode": mode, "reason": "contract"})
        assert answer.status_code == 200
    sent = [worded(1, "quiet"), *(row(n, "loud") for n in (2, 3))]
    assert http.post("/v1/events", headers=headers["gateway"], content=body(*sent)).json()["accepted"] == 3
    assert SECRET.encode() not in everything(database, tmp_path)
    assert b"question 2" in everything(database, tmp_path)
    assert (
        http.post("/v1/events", headers=headers["gateway"], content=body(worded(4, "careful"))).json()["accepted"] == 1
    )
    assert MAIL.encode() not in everything(database, tmp_path)
    kept = events.by_id(database, ["e1", "e4"])
    assert (kept["e1"].messages[0].role, kept["e1"].messages[0].content, kept["e1"].response) == ("user", None, None)
    assert f"{SECRET} number 4 and write to [email]" in str(kept["e4"].messages[0].content)
    with database.read() as connection:
        assert set(content.features(connection, ["e1", "e2", "e3", "e4"])) == {"e1", "e4"}
    page = http.get("/v1/content", headers=headers["auditor"]).json()
    assert (page["default"], {i["account_id"]: i["mode"] for i in page["items"]}) == (
        "full",
        {"quiet": "none", "careful": "redacted"},
    )


def test_the_detector_sees_the_same(database: Database, settings: Settings, detector: Detector) -> None:
    """Accounts whose texts are not kept are profiled from features computed before: bit by bit as with their texts."""
    sent = traffic()[0][:400]
    policy = ContentPolicy(database, settings.model_copy(update={"content": "none"}), detector)
    kept = policy.hold(sent)
    assert all(not m.content for e in kept.events for m in e.messages)
    with database.write("events") as connection:
        content.insert_features(connection, kept.features)
    put(database, kept.events)
    worker = Worker(database, detector, small(settings))
    drain(worker)
    window = merge_all(Profiles.from_bytes(blob) for blob in segments.profiles(database))
    assert window is not None
    assert window.equals(detector.profile(detector.features(sent)))


def test_what_was_stored_before_follows(
    http: TestClient, headers: Headers, database: Database, settings: Settings, detector: Detector, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Text stored before the mode was set is taken out of events, findings and files; other accounts keep theirs."""
    sent = [worded(1, "quiet"), worded(2, "quiet"), row(3, "loud")]
    http.post("/v1/events", headers=headers["gateway"], content=body(*sent))
    finding = account("quiet")
    finding.templates = [Template(template_id="t", text=f"of {SECRET}", slot_examples=[SECRET])]
    with database.write() as connection:
        cases.store(connection, [finding], datetime.now(UTC))
    assert SECRET.encode() in everything(database, tmp_path)
    http.put("/v1/content/quiet", headers=headers["admin"], json={"mode": "none", "reason": "contract"})
    policy = ContentPolicy(database, settings, detector)
    assert policy.sweep()
    found = everything(database, tmp_path)
    assert SECRET.encode() not in found
    assert b"question 3" in found
    stored = cases.get(database, "quiet")
    assert stored is not None
    assert (stored[1].templates[0].text, stored[1].templates[0].slot_examples) == ("", [])
    with database.read() as connection:
        assert set(content.features(connection, ["e1", "e2", "e3"])) == {"e1", "e2"}
        assert content.unswept(connection)  # another process may not have seen the mode yet
    monkeypatch.setattr(content_service, "SETTLED", timedelta(0))
    assert not policy.sweep()
    with database.read() as connection:
        assert not content.unswept(connection)


def test_an_event_that_the_detector_cannot_read_is_kept_without_text(
    database: Database, settings: Settings, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of the detector neither loses an event nor lets its text through, and costs the others nothing."""
    true = Detector.features

    def failing(self: Detector, found: list[Event]) -> Any:
        if any(e.event_id == "e1" for e in found):
            raise RuntimeError("boom")
        return true(self, found)

    monkeypatch.setattr(Detector, "features", failing)
    policy = ContentPolicy(database, settings.model_copy(update={"content": "none"}), detector)
    sent = [Event(event_id=f"e{n}", timestamp=datetime.now(UTC), account_id="a", system=SECRET) for n in range(3)]
    kept = policy.hold(sent)
    assert [e.system for e in kept.events] == [None, None, None]
    assert [event_id for event_id, _ in kept.features] == ["e0", "e2"]


def test_old_events_are_deleted_for_good(
    http: TestClient, headers: Headers, database: Database, settings: Settings, detector: Detector, tmp_path: Path
) -> None:
    """Events older than the retention go, with the text of their findings and old results; what is young or unread stays."""
    now = datetime.now(UTC)
    old = [
        events.to_row(Event(event_id=f"old{n}", timestamp=now, account_id="a", system=SECRET), now - timedelta(days=9))
        for n in range(7)
    ]
    young = events.to_row(
        Event(event_id="young", timestamp=now, account_id="a", system="recent"), now - timedelta(days=2)
    )
    with database.write("events") as connection:
        events.insert(connection, [*old, young])
        content.insert_features(connection, [("old1", b"x")])
    finding = account("gone", last_seen=now - timedelta(days=9))
    finding.templates = [Template(template_id="t", text=SECRET)]
    with database.write() as connection:
        cases.store(connection, [finding], now)
    worker = Worker(database, detector, small(settings))
    keeper = Housekeeper(database, settings, worker.content)
    keeper.step()
    answer = http.put("/v1/retention", headers=headers["admin"], json={"days": 5, "reason": "policy"})
    assert (answer.json()["days"], answer.json()["events_stored"]) == (5, 8)
    keeper.step()
    assert counted(database) == 8  # nothing is profiled yet
    drain(worker)
    keeper._days = None
    keeper.step()
    assert counted(database) == 1
    assert SECRET.encode() not in everything(database, tmp_path)
    with database.read() as connection:
        assert not connection.execute(select(event_features)).all()
    entries, _ = audit.page(database, 3, 0)
    assert {"retention.delete", "retention.set"} <= {e.action for e in entries}
    deleted = next(e for e in entries if e.action == "retention.delete" and e.detail["events"])
    assert (deleted.actor, deleted.detail["events"]) == ("worker", 7)


def counted(database: Database) -> int:
    """Stored events."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(log)).scalar_one()


def test_deletion_goes_in_small_steps(database: Database) -> None:
    """No transaction deletes more than its limit."""
    long_ago = datetime.now(UTC) - timedelta(days=9)
    rows = [events.to_row(Event(event_id=f"e{n}", timestamp=long_ago, account_id="a"), long_ago) for n in range(5)]
    segments.ensure(database)
    with database.write("events") as connection:
        events.insert(connection, rows)
    ranges.cut(database, 100)
    assert retention.purge(database, datetime.now(UTC), 2) == 0  # nothing is profiled yet
    with ranges.hold(database) as held:
        assert held is not None
        with held.writing() as connection:
            segments.add(connection, *held.range[:2], events=5, skipped=0, last_event_at=None, profile=None)
    assert [retention.purge(database, datetime.now(UTC), 2) for _ in range(4)] == [2, 2, 1, 0]


def test_the_shorter_retention_holds(settings: Settings, headers: Headers, database: Database) -> None:
    """An administrator can keep events shorter than the setting, and not longer; without both they are kept."""
    with TestClient(create_app(settings.model_copy(update={"retention_days": 30}))) as http:
        assert http.get("/v1/retention", headers=headers["analyst"]).json()["days"] == 30
        for days, holds in ((90, 30), (7, 7), (None, 30)):
            body = {"days": days, "reason": "policy"}
            assert http.put("/v1/retention", headers=headers["admin"], json=body).json()["days"] == holds
    assert retention.shorter(None, None) is None


def test_only_administrators_change_what_is_kept(http: TestClient, headers: Headers) -> None:
    """Others of the house see it; a gateway does not."""
    others: list[Role] = ["analyst", "lead", "auditor", "gateway"]
    for role in others:
        mine = headers[role]
        assert http.put("/v1/retention", headers=mine, json={"days": 1, "reason": "why"}).status_code == 403
        assert http.put("/v1/content/a", headers=mine, json={"mode": "none", "reason": "why"}).status_code == 403
        assert http.delete("/v1/content/a", headers=mine).status_code == 403
        for path in ("/v1/retention", "/v1/content"):
            assert http.get(path, headers=mine).status_code == (403 if role == "gateway" else 200)
    assert http.delete("/v1/content/a", headers=headers["admin"]).status_code == 404


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("write to bob.b+x@mail.example.co.uk now", "write to [email] now"),
        ("card 4111 1111 1111 1111 or 4111111111111112", "card [card number] or 4111111111111112"),
        ("pay DE89 3704 0044 0532 0130 00", "pay [account number]"),
        ("call +49 171 2345678 or (555) 123-4567", "call [phone number] or [phone number]"),
        ("from 10.1.2.3 with v1.2.3", "from [ip address] with v1.2.3"),
        ("on 2026-09-07 10:15:00 we sold 12345678", "on 2026-09-07 10:15:00 we sold 12345678"),
        ("use sk-abcdefgh12345678abcd", "use [secret]"),
    ],
)
def test_personal_data_is_recognised_by_its_form(text: str, hidden: str) -> None:
    """What has the form of personal data or of a secret is replaced; dates, versions and amounts stay."""
    assert hide(text) == hidden
