"""How long events are kept, and what of their texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from api.routes.common import Admin, Configured, Data, Reader
from api.schemas.privacy import ContentIn, ContentOut, ContentPage, RetentionIn, RetentionOut
from api.services.content import ContentPolicy
from api.settings import Settings
from api.storage import content, retention
from api.storage.engine import Database

router = APIRouter(tags=["administration"])

AccountId = Annotated[str, Path(min_length=1, max_length=256, pattern=r"^[^\x00]+$")]


@router.get("/v1/retention")
def get_retention(key: Reader, database: Data, settings: Configured) -> RetentionOut:
    """How long events are kept, and how old the oldest is."""
    return _retention(database, settings)


@router.put("/v1/retention")
def put_retention(key: Admin, database: Data, settings: Configured, body: RetentionIn) -> RetentionOut:
    """Keep events for so many days after their arrival. The worker deletes what is older, for good."""
    retention.choose(database, body.days, body.reason, key.actor, datetime.now(UTC))
    return _retention(database, settings)


@router.get("/v1/content")
def get_content(key: Reader, database: Data, settings: Configured) -> ContentPage:
    """What is kept of texts: by default, and of accounts with a mode of their own."""
    with database.read() as connection:
        rows = content.every(connection)
    return ContentPage(default=settings.content, items=[ContentOut(**row._mapping) for row in rows])


@router.put("/v1/content/{account_id:path}")
def put_content(request: Request, key: Admin, database: Data, account_id: AccountId, body: ContentIn) -> ContentOut:
    """Set what is kept of an account's texts. What is stored already follows within minutes; what is gone stays gone."""
    row = content.choose(database, account_id, body.mode, body.reason, key.actor, datetime.now(UTC))
    _refresh(request)
    return ContentOut(**row._mapping)


@router.delete("/v1/content/{account_id:path}", status_code=204)
def delete_content(request: Request, key: Admin, database: Data, account_id: AccountId) -> Response:
    """Let an account follow the default again."""
    if not content.forget(database, account_id, key.actor):
        raise HTTPException(404, f"account {account_id!r} has no content mode of its own")
    _refresh(request)
    return Response(status_code=204)


def _retention(database: Database, settings: Settings) -> RetentionOut:
    with database.read() as connection:
        chosen = retention.last(connection)
        oldest = retention.oldest(connection)
    days = chosen.days if chosen else None
    return RetentionOut(
        days=retention.shorter(days, settings.retention_days),
        chosen=days,
        setting=settings.retention_days,
        reason=chosen.reason if chosen else None,
        actor=chosen.actor if chosen else None,
        at=chosen.at if chosen else None,
        oldest_event_at=oldest.at,
        events_stored=oldest.events,
    )


def _refresh(request: Request) -> None:
    policy: ContentPolicy = request.app.state.content
    policy.refresh()
