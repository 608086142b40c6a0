"""The audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.schemas.base import Schema


class AuditEntry(Schema):
    entry_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = {}


class AuditPage(Schema):
    items: list[AuditEntry]
    total: int
