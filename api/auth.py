"""Who asks, and what their role may do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.schemas import Role
from api.storage import keys
from api.storage.engine import Database

CACHE_SECONDS = 5.0  # a key revoked by another process works for at most so long
CACHE_SIZE = 10_000

INGEST: frozenset[Role] = frozenset({"gateway", "admin"})
READ: frozenset[Role] = frozenset({"analyst", "lead", "admin", "auditor"})
VERDICTS: frozenset[Role] = READ | {"gateway"}
DECIDE: frozenset[Role] = frozenset({"analyst", "lead", "admin"})
TRAIL: frozenset[Role] = frozenset({"lead", "admin", "auditor"})
LEAD: frozenset[Role] = frozenset({"lead", "admin"})
ADMIN: frozenset[Role] = frozenset({"admin"})

_bearer = HTTPBearer(auto_error=False, description="A key made with `distillwatch keys create`")
_basic = HTTPBasic(
    auto_error=False, description="The key as password, for senders that can do nothing else; any user name"
)


class Keyring:
    """Keys by secret, remembered for a few seconds so that ingestion does not ask the database each time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, keys.Key]] = {}

    async def find(self, secret: str) -> keys.Key | None:
        """The key of a secret; None if it is unknown or revoked."""
        now = time.monotonic()
        if (hit := self._known.get(secret)) and now - hit[0] < CACHE_SECONDS:
            return hit[1]
        self._known.pop(secret, None)
        key = await run_in_threadpool(keys.find, self._database, secret)
        if key is not None:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[secret] = (now, key)
        return key

    def forget(self) -> None:
        """Ask the database again; to be called after a revocation."""
        self._known.clear()


async def signed_in(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> keys.Key:
    """The caller's key. Answers 401 without a good one."""
    return await _find(request, credentials.credentials if credentials else None)


async def sender(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    basic: Annotated[HTTPBasicCredentials | None, Security(_basic)],
) -> keys.Key:
    """The key of who sends logs, whose gateway may know no other way than a password in the address."""
    secret = bearer.credentials if bearer else basic.password if basic else None
    return _allowed(await _find(request, secret), INGEST)


def require(roles: frozenset[Role]) -> Callable[[keys.Key], Awaitable[keys.Key]]:
    """A dependency: the caller's key, if its role is among these; else 403."""

    async def check(key: Annotated[keys.Key, Depends(signed_in)]) -> keys.Key:
        return _allowed(key, roles)

    return check


async def _find(request: Request, secret: str | None) -> keys.Key:
    if secret is None:
        raise _unauthorised("no key: send the header `Authorization: Bearer KEY`")
    keyring: Keyring = request.app.state.keyring
    key = await keyring.find(secret)
    if key is None:
        raise _unauthorised("the key is unknown or revoked")
    return key


def _allowed(key: keys.Key, roles: frozenset[Role]) -> keys.Key:
    if key.role not in roles:
        raise HTTPException(
            403, f"a key of role {key.role} may not do this; it takes one of {', '.join(sorted(roles))}"
        )
    return key


def _unauthorised(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
