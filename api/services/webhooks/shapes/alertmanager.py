"""Prometheus Alertmanager: what it posts to webhook receivers (version 4), and what it takes at /api/v2/alerts.

Labels identify an alert, so they name the subject and nothing that changes; what changes is in the annotations.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from api.services.webhooks.shapes.base import Context, Message, headline, link, over, sentence, subject

LIFETIME = timedelta(hours=24)  # of an alert without an end of its own; Alertmanager would drop it after 5 minutes
NEVER = "0001-01-01T00:00:00Z"  # how Alertmanager writes the end of an alert that fires


def alerts(message: Message, context: Context) -> list[dict[str, Any]]:
    """Body for Alertmanager's own API."""
    return [
        {
            "labels": _labels(item),
            "annotations": _annotations(message, item),
            "startsAt": message.timestamp,
            "endsAt": message.timestamp if over(message, item) else item.get("until") or message.timestamp + LIFETIME,
            "generatorURL": link(item, context),
        }
        for item in message.data.items
    ]


def receiver(message: Message, context: Context) -> dict[str, Any]:
    """Body for what expects to be called by Alertmanager."""
    found: list[dict[str, Any]] = []
    for item in message.data.items:
        own, done = _labels(item), over(message, item)
        found.append({
            "status": "resolved" if done else "firing",
            "labels": own,
            "annotations": _annotations(message, item),
            "startsAt": message.timestamp,
            "endsAt": message.timestamp if done else NEVER,
            "generatorURL": link(item, context),
            "fingerprint": hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16],
        })  # fmt: skip
    labels = _labels(message.data.items[0])
    group = {"alertname": labels["alertname"]}
    return {
        "version": "4",
        "groupKey": "{}:" + json.dumps(group),
        "truncatedAlerts": 0,
        "status": "firing" if any(a["status"] == "firing" for a in found) else "resolved",
        "receiver": context.receiver,
        "groupLabels": group,
        "commonLabels": {k: v for k, v in labels.items() if all(a["labels"].get(k) == v for a in found)},
        "commonAnnotations": {"summary": headline(message)} if len(found) == 1 else {},
        "externalURL": context.public_url,
        "alerts": found,
    }


def _labels(item: dict[str, Any]) -> dict[str, str]:
    kind, name = subject(item)
    return {"alertname": f"Distillwatch{kind.capitalize()}", "severity": "warning", f"{kind}_id": name}


def _annotations(message: Message, item: dict[str, Any]) -> dict[str, str]:
    found = {"summary": headline(message), "description": sentence(message, item)}
    if item.get("codes"):
        found["codes"] = " ".join(item["codes"])
    return found
