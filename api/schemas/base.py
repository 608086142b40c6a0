"""What all bodies of the API share: their base, and the words that several of them use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Role = Literal["analyst", "lead", "admin", "auditor", "gateway"]
Verdict = Literal["flag", "watch", "clear"]
CaseState = Literal["open", "confirmed", "dismissed", "need_more"]
Decision = Literal["confirm", "dismiss", "need_more"]
Subject = Literal["account", "campaign"]
Readable = Literal["account", "campaign", "job"]  # whose prompts can be read with leave
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=4000, pattern=r"^[^\x00]*$")
]  # why a person did something: kept in the audit trail
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
RecordId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
ScopeId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]


class Schema(BaseModel):
    """Base of all bodies: unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid")
