"""Signals, and which of them are in shadow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, HTTPException, Path

from api.routes.common import Data, Lead, Reader
from api.schemas.signals import SignalIn, SignalOut
from api.services import shadowing
from api.storage import approvals, shadow
from detector.shadow import check

router = APIRouter(tags=["signals"])
log = structlog.get_logger()


@router.get("/v1/signals")
def get_signals(key: Reader, database: Data) -> list[SignalOut]:
    """All signals, those for harvesting first, and which of them are in shadow."""
    return shadowing.listed(database)


@router.put("/v1/signals/{signal}")
def put_signal(
    key: Lead, database: Data, signal: Annotated[str, Path(min_length=1, max_length=64)], body: SignalIn
) -> SignalOut:
    """Put a signal into shadow, or make it live again, from the next assessment on."""
    try:
        check([signal])
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    try:
        shadow.switch(database, signal, body.state, body.reason, key.actor, datetime.now(UTC))
    except approvals.NotPossible as error:
        raise HTTPException(409, str(error)) from error
    log.warning("signal switched", signal=signal, state=body.state, actor=key.actor)
    return next(s for s in shadowing.listed(database) if s.signal == signal)
