"""Findings on campaigns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, delete, func, or_, select

from api.storage.engine import Database
from api.storage.models import campaign_findings
from api.storage.upsert import common_values, upsert
from detector.assessment import CampaignFinding

T = campaign_findings.c
DECODER = msgspec.json.Decoder(CampaignFinding)
CampaignRecord = Row


def store(connection: Connection, findings: Sequence[CampaignFinding], now: datetime) -> None:
    """Write the campaigns of an assessment; those that it no longer finds go, unless they were decided on."""
    rows = [{"campaign_id": f.campaign_id, "accounts": len(f.accounts), **common_values(f, now)} for f in findings]
    upsert(connection, campaign_findings, rows, now)
    present = {f.campaign_id for f in findings}
    undecided = connection.execute(select(T.campaign_id).where(T.state == "open")).scalars()
    for campaign_id in set(undecided) - present:
        connection.execute(delete(campaign_findings).where(T.campaign_id == campaign_id))


def members(database: Database) -> dict[str, set[str]]:
    """Accounts of all known campaigns, those seen last at the end: an account may be in one that was decided on and is no more."""
    with database.read() as connection:
        rows = connection.execute(select(T.campaign_id, T.finding).order_by(T.last_seen, T.campaign_id)).all()
    return {r.campaign_id: set(DECODER.decode(r.finding).accounts) for r in rows}


def page(database: Database, limit: int, offset: int) -> tuple[Sequence[tuple[CampaignRecord, CampaignFinding]], int]:
    """One page of campaigns, riskiest first, and their total."""
    query = select(campaign_findings).order_by(T.risk.desc(), T.campaign_id).limit(limit).offset(offset)
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(campaign_findings)).scalar_one()
        rows = connection.execute(query).all()
    return [(r, DECODER.decode(r.finding)) for r in rows], total


def get(database: Database, campaign_id: str) -> tuple[CampaignRecord, CampaignFinding] | None:
    """One campaign with its whole finding."""
    with database.read() as connection:
        row = connection.execute(select(campaign_findings).where(T.campaign_id == campaign_id)).first()
    return (row, DECODER.decode(row.finding)) if row else None


def standing(connection: Connection) -> Sequence[CampaignRecord]:
    """Campaign, verdict, state and risk of all that is not clear or was decided on."""
    query = select(T.campaign_id, T.verdict, T.state, T.risk).where(or_(T.verdict != "clear", T.state != "open"))
    return connection.execute(query).all()


def whole(connection: Connection, campaign_ids: Collection[str]) -> dict[str, tuple[CampaignRecord, CampaignFinding]]:
    """Some campaigns with their whole findings, by id."""
    rows = connection.execute(select(campaign_findings).where(T.campaign_id.in_(sorted(campaign_ids))))
    return {r.campaign_id: (r, DECODER.decode(r.finding)) for r in rows}


def count(connection: Connection) -> int:
    """Number of campaigns that are flagged or watched."""
    query = select(func.count()).select_from(campaign_findings).where(T.verdict != "clear")
    return connection.execute(query).scalar_one()


def findings(database: Database) -> list[tuple[str, CampaignFinding]]:
    """All campaigns with their state, for export."""
    with database.read() as connection:
        rows = connection.execute(select(T.state, T.finding).order_by(T.campaign_id)).all()
    return [(r.state, DECODER.decode(r.finding)) for r in rows]
