"""Webhooks' secrets at rest: encrypted by a key that is not in the database (Fernet: AES-128 in CBC mode, HMAC-SHA256)."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from api.services.webhooks.signing import PREFIX
from api.settings import Settings
from api.storage import webhooks
from api.storage.engine import Database

KEY_FILE = "secret.key"

log = structlog.get_logger()


class Locked(RuntimeError):
    """There is no key, or not the right one."""


class Vault:
    """Encrypts with the key of the settings, else with that of a file in the data folder, made where there is none."""

    def __init__(self, settings: Settings) -> None:
        self._given = [key.strip() for key in settings.secret_key.split(",") if key.strip()]
        self._path = settings.data_dir / KEY_FILE

    @cached_property
    def _keys(self) -> list[Fernet]:
        """The first one encrypts, all of them decrypt."""
        try:
            return [Fernet(key) for key in self._given or [_key_of(self._path)]]
        except ValueError as error:
            source = "DISTILLWATCH_SECRET_KEY" if self._given else str(self._path)
            raise Locked(f"{source} holds no key: it takes 32 bytes as URL-safe base64") from error

    def seal(self, secret: str) -> str:
        """A secret as it is stored. Raises Locked."""
        return self._keys[0].encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """A stored secret as it is, also where an earlier version has stored it readable. Raises Locked."""
        if sealed.startswith(PREFIX):
            return sealed
        try:
            return MultiFernet(self._keys).decrypt(sealed).decode()
        except InvalidToken as error:
            raise Locked(
                "the webhook's secret is encrypted by another key: give API and worker the same DISTILLWATCH_SECRET_KEY,"
                f" or the same {KEY_FILE} in their data folders, or rotate the secret"
            ) from error

    def seal_stored(self, database: Database) -> None:
        """Encrypt what lies in the database readable, or by a key that is no longer the first one. Raises Locked."""
        if count := webhooks.change_secrets(database, self._renewed):
            log.info("webhooks' secrets encrypted", secrets=count)

    def _renewed(self, stored: str) -> str:
        if stored.startswith(PREFIX):
            return self.seal(stored)
        with suppress(InvalidToken):
            self._keys[0].decrypt(stored)
            return stored
        try:
            return MultiFernet(self._keys).rotate(stored.encode()).decode()
        except InvalidToken:
            return stored  # of a key that is not here: what it signs fails, and says why


def _key_of(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        _make(path)
        mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Locked(f"{path} can be read by others: chmod 600 {path}, or give the key as DISTILLWATCH_SECRET_KEY")
    return path.read_text().strip()


def _make(path: Path) -> None:
    """A key file with a new key; where another process makes one at the same time, one of both stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
