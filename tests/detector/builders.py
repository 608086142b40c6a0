"""Small real events for the detector's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from detector.event import Event, Message

START = datetime(2026, 9, 7, tzinfo=UTC)


def event(
    number: int,
    who: str = "acct_a",
    minute: float = 0.0,
    turns: tuple[str, ...] = ("hello there",),
    **fields: Any,
) -> Event:
    """One event: ``turns`` are user turns with short answers between them."""
    messages = [Message(role="user", content=turns[0])]
    for turn in turns[1:]:
        messages += [Message(role="assistant", content="Yes."), Message(role="user", content=turn)]
    return Event(
        event_id=f"e{number}",
        account_id=who,
        timestamp=START + timedelta(minutes=minute),
        messages=messages,
        **fields,
    )
