"""Webhooks: make, list, rotate, test, and see what was delivered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Response

from api.routes.common import Admin, Auditor, Configured, Data, Limit, Offset
from api.schemas.webhooks import AttemptOut, DeliveryOut, DeliveryPage, WebhookCreated, WebhookIn, WebhookOut
from api.services.webhooks import shapes, signing
from api.services.webhooks.addresses import Refused, check_url
from api.services.webhooks.vault import Locked, Vault
from api.settings import Settings
from api.storage import webhooks

router = APIRouter(tags=["webhooks"])

WebhookId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
_SHOWN = [name for name in WebhookOut.model_fields if name != "kinds"]


@router.get("/v1/webhooks")
def get_webhooks(key: Auditor, database: Data) -> list[WebhookOut]:
    """All webhooks, without their secrets."""
    return [WebhookOut(**_shown(row)) for row in webhooks.every(database)]


@router.post("/v1/webhooks", status_code=201)
def post_webhook(key: Admin, database: Data, settings: Configured, body: WebhookIn) -> WebhookCreated:
    """Make a webhook. Its secret is in this answer and nowhere else; the address must be public, or allowed."""
    if unknown := shapes.UNKNOWN.get(body.shape, set()) & set(body.kinds):
        raise HTTPException(422, f"{body.shape} has no words for {', '.join(sorted(unknown))}: leave it out")
    try:
        check_url(body.url, settings.webhook_networks)
    except Refused as error:
        raise HTTPException(422, f"url: {error}") from error
    secret = signing.new_secret()
    sealed = _sealed(settings, secret)
    row = webhooks.create(database, body.name, body.url, body.shape, body.kinds, sealed, key.actor, datetime.now(UTC))
    return WebhookCreated(**_shown(row), secret=secret)


@router.delete("/v1/webhooks/{webhook_id}", status_code=204)
def delete_webhook(key: Admin, database: Data, webhook_id: WebhookId) -> Response:
    """Remove a webhook, its queue and its log."""
    if not webhooks.remove(database, webhook_id, key.actor):
        raise _unknown(webhook_id)
    return Response(status_code=204)


@router.post("/v1/webhooks/{webhook_id}/rotate")
def post_rotate(
    key: Admin,
    database: Data,
    settings: Configured,
    webhook_id: WebhookId,
    overlap_hours: Annotated[int, Query(ge=0, le=720, description="How long the secret before signs too")] = 24,
) -> WebhookCreated:
    """Sign with a new secret, shown once. Until the overlap ends the one before signs too: the receiver may take its time."""
    secret = signing.new_secret()
    until = datetime.now(UTC) + timedelta(hours=overlap_hours)
    row = webhooks.rotate(database, webhook_id, _sealed(settings, secret), until, key.actor)
    if row is None:
        raise _unknown(webhook_id)
    return WebhookCreated(**_shown(row), secret=secret)


@router.post("/v1/webhooks/{webhook_id}/enable")
def post_enable(key: Admin, database: Data, webhook_id: WebhookId) -> WebhookOut:
    """Send again to a webhook that was disabled, e.g. because its receiver answered 410."""
    row = webhooks.enable(database, webhook_id, key.actor)
    if row is None:
        raise _unknown(webhook_id)
    return WebhookOut(**_shown(row))


@router.post("/v1/webhooks/{webhook_id}/disable")
def post_disable(key: Admin, database: Data, webhook_id: WebhookId) -> WebhookOut:
    """Send nothing more to a webhook; what waits fails and can be sent again later."""
    row = webhooks.disable(database, webhook_id, f"by {key.actor}", key.actor, datetime.now(UTC))
    if row is None:
        raise _unknown(webhook_id)
    return WebhookOut(**_shown(row))


@router.post("/v1/webhooks/{webhook_id}/test", status_code=202)
def post_test(key: Admin, database: Data, webhook_id: WebhookId) -> Response:
    """Queue a test message; the deliveries tell what became of it."""
    if webhooks.get(database, webhook_id) is None:
        raise _unknown(webhook_id)
    with database.write() as connection:
        webhooks.enqueue(connection, "test", [{"actor": key.actor}], datetime.now(UTC), to=[webhook_id])
    return Response(status_code=202)


@router.get("/v1/webhooks/{webhook_id}/deliveries")
def get_deliveries(
    key: Auditor, database: Data, webhook_id: WebhookId, limit: Limit = 50, offset: Offset = 0
) -> DeliveryPage:
    """Deliveries with every attempt, newest first."""
    if webhooks.get(database, webhook_id) is None:
        raise _unknown(webhook_id)
    rows, log, total = webhooks.deliveries(database, webhook_id, limit, offset)
    return DeliveryPage(items=[_delivery(row, log.get(row.delivery_id, [])) for row in rows], total=total)


@router.post("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/again", status_code=202)
def post_again(
    key: Admin, database: Data, webhook_id: WebhookId, delivery_id: Annotated[int, Path(ge=1, le=2**53)]
) -> Response:
    """Send a delivery that ended once more, under the same message id."""
    if not webhooks.again(database, webhook_id, delivery_id, datetime.now(UTC)):
        raise HTTPException(404, f"no delivery {delivery_id} of webhook {webhook_id!r} that has ended")
    return Response(status_code=202)


def _sealed(settings: Settings, secret: str) -> str:
    try:
        return Vault(settings).seal(secret)
    except Locked as error:
        raise HTTPException(503, str(error)) from error


def _shown(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _SHOWN} | {"kinds": json.loads(row.kinds)}


def _delivery(row: Any, attempts: list[Any]) -> DeliveryOut:
    names = ("delivery_id", "message_id", "kind", "state", "created_at", "ended_at")
    tried = [AttemptOut(at=a.at, status=a.status, error=a.error, milliseconds=a.milliseconds) for a in attempts]
    due = row.due_at if row.state == "pending" else None
    return DeliveryOut(**{name: getattr(row, name) for name in names}, due_at=due, attempts=tried)


def _unknown(webhook_id: str) -> HTTPException:
    return HTTPException(404, f"no webhook {webhook_id!r}")
