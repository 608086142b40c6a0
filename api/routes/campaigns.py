"""Campaigns and decisions on them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from api.routes.common import Configured, Data, Decider, Limit, Offset, Publishing, Reader, decided
from api.schemas.campaign import CampaignDetail, CampaignPage
from api.schemas.decisions import DecisionIn, DecisionOut
from api.services import views
from api.storage import campaigns, decisions

router = APIRouter(tags=["review"])


@router.get("/v1/campaigns")
def get_campaigns(key: Reader, database: Data, limit: Limit = 50, offset: Offset = 0) -> CampaignPage:
    """Campaigns, riskiest first."""
    rows, total = campaigns.page(database, limit, offset)
    return CampaignPage(items=[views.campaign_row(record, finding) for record, finding in rows], total=total)


@router.get("/v1/campaigns/{campaign_id}")
def get_campaign(key: Reader, database: Data, campaign_id: str) -> CampaignDetail:
    """Everything on one campaign."""
    detail = views.campaign_detail(database, campaign_id, key.actor) if "\0" not in campaign_id else None
    if detail is None:
        raise _unknown(campaign_id)
    return detail


@router.post("/v1/campaigns/{campaign_id}/decisions", status_code=201)
def post_decision(
    key: Decider, database: Data, settings: Configured, publisher: Publishing, campaign_id: str, body: DecisionIn
) -> DecisionOut:
    """Decide on a campaign as a whole; a member that was dismissed by itself stays dismissed."""
    record = None
    if "\0" not in campaign_id:
        issue, details = decided(body, "campaign", settings)
        given = (body.decision, body.reason, key.actor, issue, details)
        record = decisions.decide(database, "campaign", campaign_id, *given)
    if record is None:
        raise _unknown(campaign_id)
    publisher.publish_now()
    return views.decision_out(database, record)


def _unknown(campaign_id: str) -> HTTPException:
    return HTTPException(404, f"no campaign {campaign_id!r}")
