"""Webhooks' secrets at rest: encrypted by a key that is not in the database."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from api.app import create_app
from api.options import opened
from api.schemas.base import Role
from api.services.webhooks import signing
from api.services.webhooks.courier import Courier
from api.services.webhooks.vault import KEY_FILE, Locked, Vault
from api.settings import Settings
from api.storage import migrate, models, webhooks
from api.storage.engine import Database
from tests.api.receiver import receiving

NOW = datetime.now(UTC)
Headers = dict[Role, dict[str, str]]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings under which webhooks may reach this machine."""
    return Settings(data_dir=tmp_path, database_url=database_url, webhook_allowed_networks="127.0.0.0/8")


@pytest.fixture
def http(settings: Settings, secrets: dict[Role, str]) -> Iterator[TestClient]:
    """The application."""
    with TestClient(create_app(settings)) as client:
        yield client


def stored(database: Database) -> list[str]:
    """All secrets as they lie in the database."""
    with database.read() as connection:
        rows = connection.execute(select(models.webhooks.c.secret, models.webhooks.c.previous_secret)).all()
    return [secret for row in rows for secret in row if secret]


def keyed(settings: Settings, *keys: str) -> Settings:
    """The settings with keys."""
    return settings.model_copy(update={"secret_key": ",".join(keys)})


def test_secrets_are_encrypted(http: TestClient, headers: Headers, database: Database, settings: Settings) -> None:
    """What the answer shows is nowhere in the database, before and after a rotation; the key file opens it, and is its owner's."""
    body = {"name": "n", "url": "https://8.8.8.8/", "kinds": ["account.flagged"]}
    hook = http.post("/v1/webhooks", json=body, headers=headers["admin"]).json()
    rotated = http.post(f"/v1/webhooks/{hook['webhook_id']}/rotate", headers=headers["admin"]).json()
    shown = [rotated["secret"], hook["secret"]]
    found = stored(database)
    assert not any(secret.removeprefix(signing.PREFIX) in text for secret in shown for text in found)
    assert [Vault(settings).open(secret) for secret in found] == shown
    assert stat.S_IMODE((settings.data_dir / KEY_FILE).stat().st_mode) == 0o600
    key = Fernet.generate_key().decode()
    assert key not in repr(keyed(settings, key))


@pytest.mark.parametrize("is_migrated", [False])
def test_readable_secrets_are_encrypted_at_the_start(database_url: str, tmp_path: Path, settings: Settings) -> None:
    """Rows of an earlier version are encrypted, both secrets; on SQLite no trace stays in the files; then all is as it was."""
    database = Database(database_url)
    with database.write("migrate") as connection:
        migrate.command.upgrade(migrate._config(connection), "0005")
    secrets = [signing.new_secret() for _ in range(3)]
    insert = text(
        "INSERT INTO webhooks (webhook_id, name, url, shape, kinds, secret, previous_secret, created_by, created_at)"
        " VALUES (:id, 'n', 'https://8.8.8.8/', 'native', '[]', :secret, :previous, 'me', 0)"
    )
    with database.write() as connection:
        connection.execute(insert, {"id": "a", "secret": secrets[0], "previous": secrets[1]})
        connection.execute(insert, {"id": "b", "secret": secrets[2], "previous": None})
    migrate.upgrade(database)
    for _ in range(2):
        with opened(settings, create=True):
            found = stored(database)
        assert [Vault(settings).open(secret) for secret in found] == secrets
    if database.is_sqlite:
        on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
        assert not any(secret.removeprefix(signing.PREFIX).encode() in on_disk for secret in secrets)
    database.close()


def test_keys_are_changed(database: Database, settings: Settings) -> None:
    """With the new key before the old one all is encrypted anew, and the old one is no longer needed."""
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    secret = signing.new_secret()
    webhooks.create(
        database, "n", "https://8.8.8.8/", "native", [], Vault(keyed(settings, old)).seal(secret), "me", NOW
    )
    with pytest.raises(Locked, match="DISTILLWATCH_SECRET_KEY"):
        Vault(keyed(settings, new)).open(stored(database)[0])
    Vault(keyed(settings, new)).seal_stored(database)  # it cannot be opened, and stays as it is
    Vault(keyed(settings, f" {new}", old)).seal_stored(database)
    (found,) = stored(database)
    assert Vault(keyed(settings, new)).open(found) == secret
    with pytest.raises(Locked):
        Vault(keyed(settings, old)).open(found)


def test_without_the_key_nothing_is_lost(database: Database, settings: Settings) -> None:
    """A delivery that cannot be signed fails with a reason and is due again; with the key it arrives."""
    key = Fernet.generate_key().decode()
    sealed = Vault(keyed(settings, key)).seal(signing.new_secret())
    with receiving() as receiver:
        hook = webhooks.create(database, "n", receiver.url, "native", ["test"], sealed, "me", NOW)
        with database.write() as connection:
            webhooks.enqueue(connection, "test", [{"actor": "me"}], NOW, to=[hook.webhook_id])
        for given, arrived in ((settings, 0), (keyed(settings, key), 1)):
            with database.write() as connection:
                connection.execute(update(models.webhook_deliveries).values(due_at=NOW - timedelta(seconds=1)))
            courier = Courier(database, given)
            assert courier.step() == 1
            courier.wait()
            courier.close()
            assert len(receiver.got) == arrived
    rows, log, _ = webhooks.deliveries(database, hook.webhook_id, 10, 0)
    assert rows[0].state == "delivered"
    assert "encrypted by another key" in log[rows[0].delivery_id][0].error


def test_key_files(tmp_path: Path) -> None:
    """Processes that start together agree on one key; one that others may read, or that is none, is refused with what to do."""
    settings = Settings(data_dir=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda _: Vault(settings).seal("x"), range(16)))
    assert {Vault(settings).open(one) for one in sealed} == {"x"}
    assert [path.name for path in settings.data_dir.iterdir()] == [KEY_FILE]
    path = settings.data_dir / KEY_FILE
    path.chmod(0o640)
    with pytest.raises(Locked, match=re.escape(f"chmod 600 {path}")):
        Vault(settings).seal("x")
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(Locked, match="32 bytes"):
        Vault(settings).seal("x")
    with pytest.raises(Locked, match="DISTILLWATCH_SECRET_KEY holds no key"):
        Vault(settings.model_copy(update={"secret_key": "short"})).seal("x")
