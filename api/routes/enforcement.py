"""Actions that gateways take, and the switch that stops them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, HTTPException, Path

from api.routes.common import Configured, Data, Decider, Lead, Limit, Offset, Publishing, Reader
from api.schemas.actions import ActionOut, ActionPage
from api.schemas.approvals import Because
from api.schemas.verdicts import EnforcementIn, EnforcementOut
from api.services import acting
from api.storage import actions, approvals, enforcement
from api.storage.actions import Listed

router = APIRouter(tags=["enforcement"])
log = structlog.get_logger()

ActionId = Annotated[int, Path(ge=1, le=2**53)]


@router.get("/v1/actions")
def get_actions(
    key: Reader, database: Data, state: Listed = "open", limit: Limit = 100, offset: Offset = 0
) -> ActionPage:
    """Actions, newest first: open (they hold, or wait for a second person), pending (they wait), or all there ever were."""
    now = datetime.now(UTC)
    records, total = actions.page(database, state, now, limit, offset)
    return ActionPage(items=[acting.action_out(r, now) for r in records], total=total)


@router.post("/v1/actions/{action_id}/approve")
def post_approve(key: Lead, database: Data, publisher: Publishing, action_id: ActionId, body: Because) -> ActionOut:
    """Let an action hold that waits for a second person."""
    try:
        record = approvals.approve(database, "action", action_id, key.actor, body.reason, datetime.now(UTC))
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if record is None:
        raise _unknown(action_id)
    publisher.publish_now()
    return acting.action_out(record)


@router.post("/v1/actions/{action_id}/end")
def post_end(key: Decider, database: Data, publisher: Publishing, action_id: ActionId, body: Because) -> ActionOut:
    """Lift an action before its time, or refuse one that waits."""
    try:
        record = approvals.end(database, "action", action_id, key.actor, body.reason, datetime.now(UTC))
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    if record is None:
        raise _unknown(action_id)
    publisher.publish_now()
    return acting.action_out(record)


@router.get("/v1/enforcement")
def get_enforcement(key: Reader, database: Data, settings: Configured) -> EnforcementOut:
    """What of the actions is told to gateways, and what is issued without a person."""
    return acting.enforcement_out(database, settings)


@router.put("/v1/enforcement")
def put_enforcement(
    key: Lead, database: Data, settings: Configured, publisher: Publishing, body: EnforcementIn
) -> EnforcementOut:
    """The switch. `none` stops all enforcement at once, `decisions` stops what no person decided; `all` turns it on again."""
    now = datetime.now(UTC)
    enforcement.switch(database, body.mode, body.reason, key.actor, now)
    log.warning("enforcement switched", mode=body.mode, actor=key.actor)
    publisher.publish_now()
    return acting.enforcement_out(database, settings)


def _unknown(action_id: int) -> HTTPException:
    return HTTPException(404, f"no action {action_id}")
