"""API keys: shown once, stored as SHA-256 (they are random, so a slow hash would add nothing)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select, update

from api.schemas.base import Role
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
    expires_at: datetime | None = None  # of a session
    person: str | None = None  # whose session it is: the same person in all of their sessions

    @property
    def actor(self) -> str:
        """How the audit trail names the holder."""
        return self.person or f"{self.name} ({self.key_id})"


_COLUMNS = [api_keys.c[name] for name in Key._fields]


def create(database: Database, name: str, role: Role, actor: str, account_id: str | None = None) -> tuple[Key, str]:
    """Make a key; returns it and the secret to show once."""
    with database.write("audit") as connection:
        key, secret = insert(connection, name, role, datetime.now(UTC), account_id=account_id)
        detail = {"name": name, "role": role, **({"account_id": account_id} if account_id else {})}
        audit.append(connection, actor, "key.create", f"key {key.key_id}", detail)
    return key, secret


def insert(
    connection: Connection, name: str, role: Role, now: datetime, *, account_id: str | None = None,
    expires_at: datetime | None = None, person: str | None = None,
) -> tuple[Key, str]:  # fmt: skip
    """Make a key in the transaction of what it is made for."""
    key_id = secrets.token_hex(6)
    secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = Key(key_id, name, role, account_id, now, None, expires_at, person)
    connection.execute(api_keys.insert().values(**key._asdict(), key_hash=_hash(secret)))
    return key, secret


def find(database: Database, secret: str) -> Key | None:
    """The key of a secret, unless it is unknown, revoked or expired."""
    lasts = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > datetime.now(UTC))
    query = select(*_COLUMNS).where(api_keys.c.key_hash == _hash(secret), api_keys.c.revoked_at.is_(None), lasts)
    with database.read() as connection:
        row = connection.execute(query).first()
    return Key(*row) if row else None


def every(database: Database) -> list[Key]:
    """All keys but people's sessions, the oldest first, revoked ones included."""
    query = select(*_COLUMNS).where(api_keys.c.person.is_(None)).order_by(api_keys.c.created_at)
    with database.read() as connection:
        return [Key(*row) for row in connection.execute(query)]


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
