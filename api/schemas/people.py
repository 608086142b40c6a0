"""People who sign in through the identity provider."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.base import Schema

PersonRole = Literal["analyst", "lead", "admin", "auditor"]
PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$"),
]


class PersonIn(Schema):
    person: PersonName = Field(description="As the identity provider names them, usually the e-mail address")
    role: PersonRole


class PersonRoleIn(Schema):
    role: PersonRole


class PersonOut(Schema):
    person: str
    role: PersonRole
    created_by: str
    created_at: datetime
    seen_at: datetime | None = Field(description="Last sign-in")


class SignInOut(Schema):
    """Whether people can sign in through an identity provider."""

    provider: str | None = Field(description="Its address; null: by key alone")


class SessionIn(Schema):
    id_token: Annotated[str, StringConstraints(min_length=16, max_length=20_000, pattern=r"^[\x21-\x7e]+$")]


class SessionOut(Schema):
    key: str = Field(description="Works as a key until it expires")
    person: str
    role: PersonRole
    expires_at: datetime
