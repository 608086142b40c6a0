"""What the routes share: the database of the application, and the caller by what they may do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from api import auth
from api.storage.engine import Database
from api.storage.keys import Key

MAX_OFFSET = 2**53  # larger numbers fit neither JSON nor every database


def _database(request: Request) -> Database:
    return request.app.state.database


Data = Annotated[Database, Depends(_database)]
AnyKey = Annotated[Key, Depends(auth.signed_in)]
Sender = Annotated[Key, Depends(auth.sender)]
Reader = Annotated[Key, Depends(auth.require(auth.READ))]
Gateway = Annotated[Key, Depends(auth.require(auth.VERDICTS))]
Decider = Annotated[Key, Depends(auth.require(auth.DECIDE))]
Auditor = Annotated[Key, Depends(auth.require(auth.TRAIL))]
Admin = Annotated[Key, Depends(auth.require(auth.ADMIN))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]
