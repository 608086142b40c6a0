"""What all shapes are made from: the message, and its words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

TITLES = {
    "account.flagged": "Account flagged",
    "campaign.flagged": "Campaign flagged",
    "case.decided": "Case decided",
    "verdict.changed": "Verdict changed",
    "enforcement.changed": "Enforcement switched",
    "test": "Test message",
}
DECISIONS = {
    "confirm": "confirmed as harvesting",
    "dismiss": "dismissed",
    "need_more": "more evidence asked for",
    "undo": "decision undone",
}


class Data(msgspec.Struct, frozen=True):
    """What a message tells, one item for each account, campaign or decision."""

    items: list[dict[str, Any]]


class Message(msgspec.Struct, frozen=True):
    """A message as it is stored."""

    type: str
    timestamp: datetime
    data: Data


class Context(NamedTuple):
    """What a shape needs beside the message."""

    message_id: str
    receiver: str  # the webhook's name
    public_url: str  # of the dashboard, or nothing
    version: str  # of this program
    now: datetime


def subject(item: dict[str, Any]) -> tuple[str, str]:
    """Kind and id of what an item is about."""
    if "subject" in item:
        return item["subject"], item["subject_id"]
    for kind in ("account", "campaign"):
        if f"{kind}_id" in item and not (kind == "campaign" and "account_id" in item):
            return kind, item[f"{kind}_id"]
    return "service", "distillwatch"


def link(item: dict[str, Any], context: Context) -> str:
    """Address of the page on what an item is about; nothing without a public address."""
    if not context.public_url:
        return ""
    kind, name = subject(item)
    base = context.public_url.rstrip("/")
    return base if kind == "service" else f"{base}/{kind}?id={quote(name, safe='')}"


def headline(message: Message) -> str:
    """The message in a few words."""
    title, count = TITLES[message.type], len(message.data.items)
    return title if count == 1 else f"{title}: {count} items"


def sentence(message: Message, item: dict[str, Any]) -> str:
    """An item in one plain sentence. It may hold names that the suspect chose: shapes must escape it."""
    kind, name = subject(item)
    if message.type == "test":
        return "This is a test; nothing happened."
    if message.type == "enforcement.changed":
        return f"Enforcement is switched from {item['before']} to {item['mode']} by {item['actor']}: {item['reason']}"
    if message.type == "case.decided":
        acts = f"; gateways are to {', '.join(item['actions'])}" if item["actions"] else ""
        return f"{kind.capitalize()} {name}: {DECISIONS[item['decision']]} by {item['actor']}{acts}."
    if message.type == "verdict.changed":
        until = f" until {item['until']}" if item.get("until") else ""
        return f"Account {name}: gateways are told to {item['action']}{until}."
    looks = f"looks like {item['harvest']}" if item.get("harvest") else "looks like harvesting"
    size = f" of {item['accounts']} accounts" if kind == "campaign" else ""
    return f"{kind.capitalize()} {name}{size} {looks}: risk {item['risk']:.0%}, {item['requests']:,} requests. Check entitlement."


def over(message: Message, item: dict[str, Any]) -> bool:
    """Whether an item says that there is nothing to look at any more."""
    if message.type == "case.decided":
        return item["decision"] == "dismiss"
    if message.type == "enforcement.changed":
        return item["mode"] == "all"
    return message.type == "test" or (message.type == "verdict.changed" and item["action"] == "allow")
