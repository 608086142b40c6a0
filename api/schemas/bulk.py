"""One decision on many cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.base import CaseState, Schema, ScopeId, Verdict
from api.schemas.decisions import DecisionIn
from api.schemas.queue import ClaimFilter


class BulkQuery(Schema):
    """Which cases are meant: as the queue's filters. Without any, all that is flagged or watched."""

    state: CaseState | None = None
    verdict: Verdict | None = None
    min_risk: Annotated[float, Field(ge=0, le=1)] | None = None
    q: ScopeId | None = None
    due: bool = False
    claim: ClaimFilter | None = None
    pattern: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] | None = None


class BulkIn(Schema):
    """One decision on all cases that match. With ``dry_run`` nothing is done but told."""

    query: BulkQuery
    decision: DecisionIn
    dry_run: bool = True
    expected: int | None = Field(None, description="The number that the preview told; another one is refused")


class BulkPreview(Schema):
    """What a bulk decision would do."""

    total: int
    open: int
    decided: int = Field(description="Decided on before; the new decision replaces that")
    claimed: int = Field(description="Others work on them: these would be left out")
    actions: int
    sample: list[str]
    needs_approval: bool


class BulkOut(Schema):
    bulk_id: int
    what: str
    query: str
    reason: str
    state: Literal["pending", "live", "expired", "ended", "finished"]
    total: int
    done: int
    failed: int
    issued_by: str
    issued_at: datetime
    approved_by: str | None = None
    finished_at: datetime | None = None


class BulkItem(Schema):
    account_id: str
    result: Literal["done", "failed"] | None = Field(description="Absent while it waits")
    detail: str | None = None
    decision_id: int | None = None
