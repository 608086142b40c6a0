"""Slack's incoming webhooks: Block Kit.

Names may come from the suspect, so everything is escaped: no mention, link or emphasis of theirs takes effect.
"""

from __future__ import annotations

from typing import Any

from api.services.webhooks.shapes.base import Context, Message, headline, link, sentence

MAX_ITEMS = 10  # shown one by one; a message may hold 50 blocks, but nobody reads so many
MAX_SECTION = 3000  # characters of a section
MAX_TEXT = 2500  # of the sentence in it
MAX_HEADER = 150
_BREAK = "\u200b"  # between characters that Slack would take for formatting
_FORMATTING = "*_~`@#"


def render(message: Message, context: Context) -> dict[str, Any]:
    """Body for an incoming webhook."""
    items = message.data.items
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": headline(message)[:MAX_HEADER], "emoji": False}}
    ]
    for item in items[:MAX_ITEMS]:
        text = escape(sentence(message, item))
        address = f"\n<{link(item, context)}|Open>"
        if context.public_url and len(text) + len(address) <= MAX_SECTION:
            text += address
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}})
    notes = [f"and {len(items) - MAX_ITEMS} more"] if len(items) > MAX_ITEMS else []
    codes = sorted({code for item in items for code in item.get("codes", [])})
    notes += [f"MITRE ATLAS {', '.join(codes)}"] if codes else []
    notes.append(f"distillwatch, {message.timestamp:%Y-%m-%d %H:%M} UTC")
    blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": " · ".join(notes), "emoji": False}]})
    return {"text": escape(f"{headline(message)}. {sentence(message, items[0])}"), "blocks": blocks}


def escape(text: str) -> str:
    """Text that Slack shows as it is."""
    text = text[: MAX_TEXT // 5].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(c + _BREAK if c in _FORMATTING else c for c in text)
