"""What the routes share: the database of the application, and the caller by what they may do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api import auth
from api.storage.engine import Database
from api.storage.keys import Key


def _database(request: Request) -> Database:
    return request.app.state.database


Data = Annotated[Database, Depends(_database)]
AnyKey = Annotated[Key, Depends(auth.signed_in)]
Sender = Annotated[Key, Depends(auth.require(auth.INGEST))]
Reader = Annotated[Key, Depends(auth.require(auth.READ))]
Gateway = Annotated[Key, Depends(auth.require(auth.VERDICTS))]
Decider = Annotated[Key, Depends(auth.require(auth.DECIDE))]
Auditor = Annotated[Key, Depends(auth.require(auth.TRAIL))]
Admin = Annotated[Key, Depends(auth.require(auth.ADMIN))]
