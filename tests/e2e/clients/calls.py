"""The calls that every client makes, and what the provider answers: known to both sides of the tests."""

from __future__ import annotations

from typing import Any

SESSION = "session-1"
SYSTEM = "You are terse."
TOOL = {
    "type": "function",
    "function": {"name": "depth_of", "parameters": {"type": "object", "properties": {"river": {"type": "string"}}}},
}

CALLS: list[dict[str, Any]] = [
    {
        "model": "large",
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "Name a river in Saxony."},
        ],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 64,
        "seed": 7,
    },
    {
        "model": "large",
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "Name a lake."},
            {"role": "assistant", "content": "Müritz."},
            {"role": "user", "content": "Another — smaller?"},
        ],
        "temperature": 1.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    {
        "model": "small",
        "messages": [{"role": "user", "content": "How deep is the Elbe?"}],
        "tools": [TOOL],
    },
]
"""Bodies of chat completions: one with settings, one streamed within a conversation, one that leads to a tool call."""


def answer(body: dict[str, Any]) -> str:
    """The text that the provider answers; empty for a tool call."""
    return "" if body.get("tools") else f"You asked: {body['messages'][-1]['content']} I do not know."


def tokens(body: dict[str, Any]) -> tuple[int, int]:
    """Input and output tokens that the provider bills: a word each."""
    said = sum(len(str(m["content"]).split()) for m in body["messages"])
    return said, len(answer(body).split()) or 5
