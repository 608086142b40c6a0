"""Who asks, and what their role may do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.schemas.base import Role
from api.storage import keys
from api.storage.engine import Database, StorageError

CACHE_SECONDS = 5.0  # a key revoked by another process works for at most so long
CACHE_SIZE = 10_000
ANSWER_SECONDS = 1.0  # for the database to confirm a key that was good a moment ago
STALE_SECONDS = 3600.0  # for which such a key is good without an answer

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


class _Known(NamedTuple):
    """A key that was good."""

    key: keys.Key
    asked: float  # when the database was last asked
    confirmed: float  # when it last said so


class Keyring:
    """Keys by secret, remembered for a few seconds so that ingestion does not ask the database each time.

    While the database does not answer, a key that was good stays good for a while: senders must not lose their logs by it,
    and nobody could revoke a key then either.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}

    async def find(self, secret: str) -> keys.Key | None:
        """The key of a secret; None if it is unknown or revoked. Raises StorageError."""
        now = time.monotonic()
        known = self._known.get(secret)
        if known is None:
            return self._note(secret, await run_in_threadpool(keys.find, self._database, secret))
        if now - known.asked < CACHE_SECONDS:
            return known.key
        self._known[secret] = known._replace(asked=now)  # others need not wait for this answer
        asking = asyncio.get_running_loop().run_in_executor(None, keys.find, self._database, secret)
        done, _ = await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        try:
            if done:
                return self._note(secret, asking.result())
            asking.add_done_callback(lambda f: f.cancelled() or f.exception())  # nobody waits for it any more
            raise StorageError("the database does not answer")
        except StorageError:
            if now - known.confirmed > STALE_SECONDS:
                self._known.pop(secret, None)
                raise
            return known.key

    def forget(self) -> None:
        """Ask the database again; to be called after a revocation."""
        self._known.clear()

    def _note(self, secret: str, key: keys.Key | None) -> keys.Key | None:
        self._known.pop(secret, None)
        if key is not None:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            now = time.monotonic()
            self._known[secret] = _Known(key, now, now)
        return key


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
