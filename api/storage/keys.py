"""API keys: shown once, stored as SHA-256 (they are random, so a slow hash would add nothing)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import func, select, update

from api.schemas import Role
from api.storage import audit
from api.storage.engine import Database
from api.storage.models import api_keys

PREFIX = "dw"
SECRET_BYTES = 32


class Key(NamedTuple):
    """A key without its secret."""

    key_id: str
    name: str
    role: Role
    account_id: str | None  # owns what the holder sends and what names nobody
    created_at: datetime
    revoked_at: datetime | None

    @property
    def actor(self) -> str:
        """How the audit trail names the holder."""
        return f"{self.name} ({self.key_id})"


_COLUMNS = [api_keys.c[name] for name in Key._fields]


def create(database: Database, name: str, role: Role, actor: str, account_id: str | None = None) -> tuple[Key, str]:
    """Make a key; returns it and the secret to show once."""
    key_id = secrets.token_hex(6)
    secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = Key(key_id, name, role, account_id, datetime.now(UTC), None)
    with database.write("audit") as connection:
        connection.execute(api_keys.insert().values(**key._asdict(), key_hash=_hash(secret)))
        detail = {"name": name, "role": role, **({"account_id": account_id} if account_id else {})}
        audit.append(connection, actor, "key.create", f"key {key_id}", detail)
    return key, secret


def find(database: Database, secret: str) -> Key | None:
    """The key of a secret, unless it is unknown or revoked."""
    query = select(*_COLUMNS).where(api_keys.c.key_hash == _hash(secret), api_keys.c.revoked_at.is_(None))
    with database.read() as connection:
        row = connection.execute(query).first()
    return Key(*row) if row else None


def every(database: Database) -> list[Key]:
    """All keys, the oldest first, revoked ones included."""
    with database.read() as connection:
        return [Key(*row) for row in connection.execute(select(*_COLUMNS).order_by(api_keys.c.created_at))]


def count(database: Database) -> int:
    """Number of keys ever made."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(api_keys)).scalar_one()


def revoke(database: Database, key_id: str, actor: str) -> Key | None:
    """Revoke a key; None when there is none of this id. Revoking twice keeps the first time."""
    mine = api_keys.c.key_id == key_id
    with database.write("audit") as connection:
        changed = connection.execute(
            update(api_keys).where(mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=datetime.now(UTC))
        ).rowcount
        if changed:
            audit.append(connection, actor, "key.revoke", f"key {key_id}", {})
        row = connection.execute(select(*_COLUMNS).where(mine)).first()
    return Key(*row) if row else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
