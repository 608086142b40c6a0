"""Examples: what people see of a request."""

from __future__ import annotations

from detector.event import Event, Message
from detector.report.examples import example, shown
from tests.detector.report.builders import START


def call(*turns: tuple[str, str]) -> Event:
    """A request with the given turns."""
    messages = [Message(role=role, content=text) for role, text in turns]
    return Event(event_id="e", account_id="a", timestamp=START, system="be brief", messages=messages, response="yes")


def test_the_last_user_text_is_shown() -> None:
    """Of several turns the user's last one is the prompt, whatever a tool or the model said after it."""
    event = call(("user", "first"), ("assistant", "ok"), ("user", "second"), ("tool", "rows"))
    assert shown(event) == ("be brief", "second", "yes")


def test_without_a_user_the_last_text_is_shown() -> None:
    """A request that carries no user's text shows the last text it has, so that a case is not decided on an empty box."""
    assert example(call(("assistant", "calls it"), ("tool", "rows"), ("tool", ""))).prompt == "rows"
    assert example(call()).prompt == ""
