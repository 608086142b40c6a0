"""The requests that findings point to, as short texts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from detector.event import Event, text_of
from detector.features import response_text
from detector.report.text import MAX_CHARS
from detector.templates import prompt_text


class Texts(NamedTuple):
    """What people see of a request."""

    system: str
    prompt: str
    response: str


def shown(event: Event) -> Texts:
    """System text, last user text, and answer of an event; where nobody's text is a user's (a tool's, say), the last there is."""
    system, prompt = prompt_text(event)
    if not prompt:
        prompt = next((t for m in reversed(event.messages) if (t := text_of(m.content))), "")
    return Texts(system, prompt, response_text(event.response))


class Example(msgspec.Struct, kw_only=True):
    """One request as evidence; texts are cut, lengths are whole."""

    event_id: str
    account_id: str
    timestamp: datetime
    model: str | None = None
    system: str = ""
    prompt: str = ""
    response: str = ""
    prompt_chars: int = 0
    response_chars: int = 0


def example(event: Event) -> Example:
    """What an event shows."""
    system, prompt, response = shown(event)
    return Example(
        event_id=event.event_id,
        account_id=event.account_id,
        timestamp=event.timestamp,
        model=event.model,
        system=system[:MAX_CHARS],
        prompt=prompt[:MAX_CHARS],
        response=response[:MAX_CHARS],
        prompt_chars=len(prompt),
        response_chars=len(response),
    )


def examples_of(event_ids: Iterable[str], events: dict[str, Event], limit: int) -> list[Example]:
    """Up to ``limit`` examples with text, in the order of the ids."""
    found = (example(events[i]) for i in event_ids if i in events)
    return [e for e in found if e.prompt or e.system or e.response][:limit]
