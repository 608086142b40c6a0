"""Answers to what gateways send."""

from __future__ import annotations

from api.schemas.base import Schema


class ItemError(Schema):
    index: int
    error: str


class IngestResult(Schema):
    accepted: int
    duplicates: int
    rejected: list[ItemError] = []
