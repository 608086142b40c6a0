"""The command line of the service, as a user meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from api import cli_data, demo  # noqa: F401 - add their commands
from api.cli import app
from api.storage import audit, cases, events, keys
from api.storage.engine import Database
from detector.event import Event
from tests.api.builders import account


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of the commands."""
    monkeypatch.setenv("DISTILLWATCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DISTILLWATCH_DATABASE_URL", raising=False)
    return tmp_path / "data"


def run(*words: str, code: int = 0) -> Result:
    """Run a command that must end with an exit code."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


def opened(folder: Path) -> Database:
    """The commands' database."""
    return Database(f"sqlite:///{folder / 'distillwatch.db'}")


def test_keys_from_creation_to_revocation(folder: Path) -> None:
    """A key is printed once, alone on standard output; it is listed without its secret, and revoked by its id."""
    run("db", "upgrade")
    secret = run("keys", "create", "gateway eu", "--role", "gateway").stdout.strip()
    key = keys.find(opened(folder), secret)
    assert key is not None
    listed = run("keys", "list").stdout
    assert key.key_id in listed
    assert "gateway eu" in listed
    assert secret not in listed
    run("keys", "revoke", key.key_id)
    assert keys.find(opened(folder), secret) is None
    assert "no key 'unknown'" in run("keys", "revoke", "unknown", code=2).stderr


def test_export(folder: Path) -> None:
    """Events come out as they went in; findings with their state."""
    run("db", "upgrade")
    database = opened(folder)
    event = Event(event_id="e", timestamp=datetime(2026, 9, 7, tzinfo=UTC), account_id="a")
    with database.write("events", "findings") as connection:
        events.insert(connection, [events.to_row(event, event.timestamp)])
        cases.store(connection, [account("a")], event.timestamp)
    assert json.loads(run("export", "events").stdout)["event_id"] == "e"
    out = folder / "findings.jsonl"
    run("export", "findings", "--out", str(out))
    found = json.loads(out.read_text())
    assert (found["kind"], found["state"], found["account_id"], found["evidence"][0]["text"]) == (
        "account",
        "open",
        "a",
        "why",
    )


def test_verify_audit(folder: Path) -> None:
    """Exit code 0 with the head for a whole trail, 1 for a changed one."""
    run("db", "upgrade")
    run("keys", "create", "n", "--role", "admin")
    head = audit.verify(opened(folder)).head
    assert head in run("verify-audit", "--head", head).stdout
    with opened(folder).write() as connection:
        connection.execute(text("DROP TRIGGER audit_log_no_update"))  # as the database's owner may
        connection.execute(text("UPDATE audit_log SET actor = 'nobody'"))
    assert "entry 1 was changed" in run("verify-audit", code=1).stderr


@pytest.mark.parametrize("words", [["keys", "list"], ["export", "events"], ["verify-audit"]])
def test_missing_database_is_explained(words: list[str], folder: Path) -> None:
    """Without a database the error says how to make one, and none is made by accident."""
    assert "distillwatch db upgrade" in run(*words, code=2).stderr
    assert not folder.exists()


def test_bad_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad environment variable is named with what is wrong."""
    monkeypatch.setenv("DISTILLWATCH_PORT", "many")
    assert "DISTILLWATCH_PORT" in run("keys", "list", code=2).stderr
    monkeypatch.setenv("DISTILLWATCH_PORT", "8400")
    monkeypatch.setenv("DISTILLWATCH_DATABASE_URL", "nonsense")
    assert "cannot be opened" in run("keys", "list", code=2).stderr


@pytest.mark.parametrize("command", ["serve", "api"])
def test_bad_port_is_named(command: str, folder: Path) -> None:
    """A port that is none is refused by its option, before anything is made."""
    assert "--port" in run(command, "--port", "65536", code=2).stderr
    assert not folder.exists()


def test_demo_empties_no_foreign_folder(tmp_path: Path) -> None:
    """The demo refuses a folder that holds something else."""
    (tmp_path / "mine.txt").write_text("dear")
    assert "was not made by the demo" in run("demo", "--data-dir", str(tmp_path), code=2).stderr
    assert (tmp_path / "mine.txt").read_text() == "dear"
