"""Who am I, keys, and the audit trail."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from api.auth import Keyring
from api.routes.common import Admin, AnyKey, Auditor, Data, Limit, Offset
from api.schemas.audit import AuditEntry, AuditPage
from api.schemas.keys import KeyCreated, KeyIn, KeyOut, Me
from api.storage import audit, keys
from api.storage.keys import Key

router = APIRouter(tags=["administration"])


@router.get("/v1/me")
async def get_me(key: AnyKey) -> Me:
    """Whose key this is."""
    return Me(name=key.name, role=key.role, key_id=key.key_id)


@router.get("/v1/audit")
def get_audit(key: Auditor, database: Data, limit: Limit = 100, offset: Offset = 0) -> AuditPage:
    """The audit trail, newest first."""
    entries, total = audit.page(database, limit, offset)
    return AuditPage(items=[AuditEntry(**entry._asdict()) for entry in entries], total=total)


@router.get("/v1/keys")
def get_keys(key: Admin, database: Data) -> list[KeyOut]:
    """All keys, without their secrets."""
    return [KeyOut(**_shown(k)) for k in keys.every(database)]


@router.post("/v1/keys", status_code=201)
def post_key(key: Admin, database: Data, body: KeyIn) -> KeyCreated:
    """Make a key; its secret is in this answer and nowhere else."""
    made, secret = keys.create(database, body.name, body.role, key.actor, body.account_id)
    return KeyCreated(**_shown(made), key=secret)


@router.delete("/v1/keys/{key_id}")
def delete_key(key: Admin, database: Data, key_id: str, request: Request) -> KeyOut:
    """Revoke a key, at once here and within seconds in other API processes."""
    if key_id == key.key_id:
        raise HTTPException(409, "a key cannot revoke itself: use another admin key")
    revoked = keys.revoke(database, key_id, key.actor) if "\0" not in key_id else None
    if revoked is None:
        raise HTTPException(404, f"no key {key_id!r}")
    keyring: Keyring = request.app.state.keyring
    keyring.forget()
    return KeyOut(**_shown(revoked))


def _shown(key: Key) -> dict[str, Any]:
    return {name: getattr(key, name) for name in KeyOut.model_fields}
