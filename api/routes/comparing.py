"""A case beside others: twins, the graph of a campaign, and when models were released."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from api.routes.common import Configured, Data, Reader
from api.schemas.base import RecordId
from api.schemas.case import CampaignGraph, Release, Twins
from api.services import comparing

router = APIRouter(tags=["review"])


@router.get("/v1/twins")
def get_twins(key: Reader, database: Data, account: Annotated[RecordId, Query()]) -> Twins:
    """The reviewed accounts that are most like one: three confirmed, three dismissed, signal by signal."""
    found = comparing.twins(database, account)
    if found is None:
        raise HTTPException(404, f"no finding on account {account!r}")
    return found


@router.get("/v1/campaigns/{campaign_id}/graph")
def get_graph(key: Reader, database: Data, campaign_id: str) -> CampaignGraph:
    """The members of a campaign with their course, and what ties each pair, at most 300 of them."""
    found = comparing.graph(database, campaign_id) if "\0" not in campaign_id else None
    if found is None:
        raise HTTPException(404, f"no campaign {campaign_id!r}")
    return found


@router.get("/v1/releases")
def get_releases(key: Reader, settings: Configured) -> list[Release]:
    """When models were released, as the operator said, for timelines."""
    return [Release(model=model, on=on) for model, on in settings.releases]
