"""Our own shape, as the Standard Webhooks specification recommends it: type, timestamp, data."""

from __future__ import annotations

from typing import Any

from api.services.webhooks.shapes.base import Context, Message, link


def render(message: Message, context: Context) -> dict[str, Any]:
    """The message with a link for each item."""
    items = [item | ({"url": url} if (url := link(item, context)) else {}) for item in message.data.items]
    return {"type": message.type, "timestamp": message.timestamp, "data": {"items": items}}
