"""How well the detector and its reviewers do."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter

from api.routes.common import Data, Decider, Reader
from api.routes.search import Searching
from api.schemas.quality import Quality, SampleIn, SampleOut
from api.services import quality
from api.storage import samples

router = APIRouter(tags=["review"])


@router.get("/v1/quality")
def get_quality(key: Reader, database: Data, searcher: Searching) -> Quality:
    """Precision by size of account, agreement of reviewers, drift of what is asked."""
    return quality.quality(database, searcher)


@router.get("/v1/samples")
def get_samples(key: Reader, database: Data) -> SampleOut:
    """Accounts drawn at random among the unflagged, and what their reviews say of all of them."""
    return quality.sample(database)


@router.post("/v1/samples", status_code=201)
def post_samples(key: Decider, database: Data, body: SampleIn) -> SampleOut:
    """Draw more of them, to be reviewed like any case."""
    samples.draw(database, body.size, key.actor, datetime.now(UTC))
    return quality.sample(database)
