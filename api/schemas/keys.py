"""Keys, and who the caller is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.base import Role, Schema


class KeyIn(Schema):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    role: Role
    account_id: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="Owns what the key's holder sends and what names nobody; without one, the key itself does"
    )


class KeyOut(Schema):
    key_id: str
    name: str
    role: Role
    account_id: str | None = None
    created_at: datetime
    revoked_at: datetime | None = None


class KeyCreated(KeyOut):
    key: str = Field(description="Shown once; only its hash is stored")


class Me(Schema):
    name: str
    role: Role
    key_id: str
