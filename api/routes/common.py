"""What the routes share: the database of the application, and the caller by what they may do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request

from api import auth
from api.schemas.decisions import DecisionIn
from api.services import acting
from api.services.board import Board
from api.services.health import Monitor
from api.services.publishing import Publisher
from api.settings import Settings
from api.storage import actions, decisions
from api.storage.engine import Database
from api.storage.keys import Key

MAX_OFFSET = 2**53  # larger numbers fit neither JSON nor every database


async def _database(request: Request) -> Database:
    return request.app.state.database


async def _settings(request: Request) -> Settings:
    return request.app.state.settings


async def _publisher(request: Request) -> Publisher:
    return request.app.state.publisher


async def _board(request: Request) -> Board:
    return request.app.state.board


async def _monitor(request: Request) -> Monitor:
    return request.app.state.monitor


Data = Annotated[Database, Depends(_database)]
Configured = Annotated[Settings, Depends(_settings)]
Publishing = Annotated[Publisher, Depends(_publisher)]
Verdicts = Annotated[Board, Depends(_board)]
Watched = Annotated[Monitor, Depends(_monitor)]
AnyKey = Annotated[Key, Depends(auth.signed_in)]
Sender = Annotated[Key, Depends(auth.sender)]
Reader = Annotated[Key, Depends(auth.require(auth.READ))]
Gateway = Annotated[Key, Depends(auth.require(auth.VERDICTS))]
Decider = Annotated[Key, Depends(auth.require(auth.DECIDE))]
Auditor = Annotated[Key, Depends(auth.require(auth.TRAIL))]
Lead = Annotated[Key, Depends(auth.require(auth.LEAD))]
Admin = Annotated[Key, Depends(auth.require(auth.ADMIN))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]


def decided(
    body: DecisionIn, subject: decisions.Subject, settings: Settings
) -> tuple[list[actions.New], decisions.Details]:
    """What a decision issues, and what else it says; answers 422 where it cannot."""
    try:
        return acting.issued(body, subject, settings), acting.details(body)
    except acting.BadAction as error:
        raise HTTPException(422, str(error)) from error
