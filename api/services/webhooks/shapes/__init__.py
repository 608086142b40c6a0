"""Bodies of webhooks, one file a shape. A shape is a function from a message to JSON-like data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from api.schemas.webhooks import WebhookKind, WebhookShape
from api.services.webhooks.shapes import alertmanager, native, ocsf, slack
from api.services.webhooks.shapes.base import Context, Message

RENDER: dict[WebhookShape, Callable[[Message, Context], Any]] = {
    "native": native.render,
    "alertmanager": alertmanager.receiver,
    "alertmanager_api": alertmanager.alerts,
    "slack": slack.render,
    "ocsf": ocsf.render,
}
UNKNOWN: dict[WebhookShape, set[WebhookKind]] = {"ocsf": {"enforcement.changed"}}  # it has no class for that

_ENCODER = msgspec.json.Encoder()


def body(shape: WebhookShape, payload: bytes, context: Context) -> bytes:
    """The body of a stored message in a shape."""
    return _ENCODER.encode(RENDER[shape](msgspec.json.decode(payload, type=Message), context))
