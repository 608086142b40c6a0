"""OCSF 1.8: Detection Finding (2004) for accounts, Incident Finding (2005) for campaigns and decisions, in a JSON array."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.services import atlas
from api.services.webhooks.shapes.base import Context, Message, headline, link, over, sentence, subject

VERSION = "1.8.0"
DETECTION, INCIDENT = 2004, 2005
CLASSES = {DETECTION: "Detection Finding", INCIDENT: "Incident Finding"}
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
SEVERITIES = {"flag": (4, "High"), "watch": (3, "Medium"), "clear": (1, "Informational")}
VERDICTS = {
    0: "Unknown", 1: "False Positive", 2: "True Positive", 3: "Disregard", 4: "Suspicious", 5: "Benign", 6: "Test",
    7: "Insufficient Data",
}  # fmt: skip
UNDONE, TEST = 0, 6
REVIEWERS = {"name": "reviewers"}  # whoever looks at the queue: OCSF wants to know whom an incident is for


def render(message: Message, context: Context) -> list[dict[str, Any]]:
    """One finding for each item."""
    make = _detection if message.type in ("account.flagged", "verdict.changed") else _incident
    return [make(message, item, context, number) for number, item in enumerate(message.data.items)]


def _detection(message: Message, item: dict[str, Any], context: Context, number: int) -> dict[str, Any]:
    _, name = subject(item)
    dismissed = item["state"] == "dismissed"
    activity = CREATE if message.type == "account.flagged" else CLOSE if over(message, item) else UPDATE
    status = (3, "Suppressed") if dismissed else (2, "In Progress") if item["state"] == "confirmed" else (1, "New")
    if activity == CLOSE and not dismissed:
        status = (4, "Resolved")
    finding = _common(message, item, context, number, DETECTION, activity, status)
    finding["finding_info"] = _info(message, item, context)
    finding["is_alert"] = activity == CREATE
    finding["resources"] = [{"uid": name, "type": "account"}]
    if "risk" in item:
        finding["confidence_score"] = round(item["risk"] * 100)
        finding["evidences"] = [{"user": {"uid": name}, "data": _figures(item)}]
    finding["unmapped"] = {k: item.get(k) for k in ("action", "until", "reasons", "codes", "campaign_id")}
    return finding


def _incident(message: Message, item: dict[str, Any], context: Context, number: int) -> dict[str, Any]:
    activity, status, verdict = CREATE, (1, "New"), UNDONE
    if message.type == "case.decided":
        verdict = UNDONE if item["decision"] == "undo" else item.get("verdict_id", UNDONE)
        activity = CLOSE if over(message, item) else UPDATE
        status = (5, "Closed") if over(message, item) else (2, "In Progress")
    elif message.type == "test":
        verdict, status, activity = TEST, (5, "Closed"), CLOSE
    finding = _common(message, item, context, number, INCIDENT, activity, status)
    finding |= {"verdict_id": verdict, "verdict": VERDICTS[verdict], "desc": sentence(message, item)}
    finding["finding_info_list"] = [
        _info(message, item, context),
        *({"uid": f"account:{member}", "title": "Member of the campaign"} for member in item.get("members", [])),
    ]
    if "actor" in item:
        finding["assignee"] = {"name": item["actor"]}
    else:
        finding["assignee_group"] = REVIEWERS
    if url := link(item, context):
        finding["src_url"] = url
    if item.get("codes"):
        finding["attacks"] = _attacks(item["codes"])
    finding["unmapped"] = {k: item[k] for k in ("actions", "accounts") if k in item}
    return finding


def _common(
    message: Message, item: dict[str, Any], context: Context, number: int, class_uid: int, activity: tuple[int, str],
    status: tuple[int, str],
) -> dict[str, Any]:  # fmt: skip
    severity = SEVERITIES[item.get("verdict", "clear")]
    found: dict[str, Any] = {
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class_uid,
        "class_name": CLASSES[class_uid],
        "activity_id": activity[0],
        "activity_name": activity[1],
        "type_uid": class_uid * 100 + activity[0],
        "type_name": f"{CLASSES[class_uid]}: {activity[1]}",
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        "time": _millis(message.timestamp),
        "message": sentence(message, item),
        "metadata": {
            "version": VERSION,
            "product": {"name": "distillwatch", "vendor_name": "distillwatch", "version": context.version},
            "uid": f"{context.message_id}-{number}",
            "event_code": message.type,
        },
    }
    for name, key in (("start_time", "first_seen"), ("end_time", "last_seen")):
        if item.get(key):
            found[name] = _millis(item[key])
    return found


def _info(message: Message, item: dict[str, Any], context: Context) -> dict[str, Any]:
    kind, name = subject(item)
    found: dict[str, Any] = {
        "uid": f"{kind}:{name}",
        "title": headline(message) if message.type == "test" else f"{kind.capitalize()} {name}",
        "desc": sentence(message, item),
        "product": {"name": "distillwatch"},
        "analytic": {"name": "distillwatch", "type_id": 4, "type": "Learning (ML/DL)", "version": context.version},
    }
    for field, key in (
        ("first_seen_time", "first_seen"),
        ("last_seen_time", "last_seen"),
        ("created_time", "flagged_at"),
    ):
        if item.get(key):
            found[field] = _millis(item[key])
    if item.get("harvest"):
        found["types"] = [item["harvest"]]
    if url := link(item, context):
        found["src_url"] = url
    if item.get("codes"):
        found["attacks"] = _attacks(item["codes"])
    return found


def _figures(item: dict[str, Any]) -> dict[str, Any]:
    names = ("risk", "requests", "input_tokens", "output_tokens", "top_reason")
    return {name: item[name] for name in names}


def _attacks(codes: list[str]) -> list[dict[str, Any]]:
    return [{"version": atlas.VERSION, **_technique(code)} for code in codes]


def _technique(code: str) -> dict[str, Any]:
    named = {"uid": code, "name": atlas.TECHNIQUES[code], "src_url": f"https://atlas.mitre.org/techniques/{code}"}
    parent = code.rpartition(".")[0]
    return {"technique": {"uid": parent}, "sub_technique": named} if parent in atlas.PARENTS else {"technique": named}


def _millis(when: datetime | str) -> int:
    moment = datetime.fromisoformat(when) if isinstance(when, str) else when
    return int(moment.timestamp() * 1000)
