"""What needs a second person: exceptions, reading prompts, and all that waits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas.actions import ApprovalState, Issued, Scope
from api.schemas.base import Readable, Reason, RecordId, Schema

ApprovalKind = Literal["action", "exception", "unmasking", "bulk", "grouping"]


class Because(Schema):
    reason: Reason


class ExceptionIn(Schema):
    """A signal that shall not count in an account's risk; all others go on counting."""

    account_id: RecordId
    signal: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="Name of a signal that speaks for harvesting, or `campaign`: being a member of one"
    )
    reason: Reason
    expires_at: AwareDatetime


class ExceptionOut(Issued):
    exception_id: int
    account_id: str
    signal: str
    reason: str


class UnmaskIn(Schema):
    """Leave to read the example prompts of an account or campaign, or the full reports of an audit."""

    subject: Readable
    subject_id: RecordId
    reason: Reason
    minutes: Annotated[int, Field(ge=1, le=240)] = 30


class UnmaskingOut(Schema):
    unmasking_id: int
    subject: Readable
    subject_id: str
    reason: str
    minutes: int
    state: ApprovalState = Field(description="pending: waits for a second person")
    issued_by: str = Field(description="Who may read")
    issued_at: datetime
    expires_at: datetime
    approved_by: str | None = None
    ended_by: str | None = None


class ApprovalOut(Schema):
    """Something that waits for a second person."""

    kind: ApprovalKind
    number: int
    subject: Literal["account", "campaign", "bulk", "job"]
    subject_id: str
    what: str = Field(description="The action, the signal, or the minutes of reading")
    reason: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    scope: Scope = Scope()


class ApprovalPage(Schema):
    items: list[ApprovalOut]
    total: int


class Ended(Schema):
    """What became of something that waited or held."""

    kind: ApprovalKind
    number: int
    state: ApprovalState
    expires_at: datetime
