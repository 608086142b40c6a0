"""Families that do the same thing many times: rollouts of one task, and agents restarted from one state."""

from __future__ import annotations

from collections.abc import Iterator

from detector.event import Params
from detector.simulate.harvests.base import Item, Work, asked, harvest

TOOLS = {
    "shell": (("bash",), ("bash", "edit"), ("bash", "python", "submit"), ("execute", "view", "str_replace")),
    "browser": (("search", "browse"), ("open", "click", "type", "scroll"), ("search", "browse", "calculator")),
    "functions": (
        ("get_weather", "book_hotel", "search_flights"),
        ("query", "update", "send_mail"),
        ("lookup", "convert", "plan_route", "translate"),
    ),
}


@harvest
def rollouts(work: Work) -> Iterator[Item]:
    """Each task several times at temperature above zero, or with several choices, on one account or over all."""
    w = work.world
    k = w.rng.choice((4, 8, 16))
    params = Params(temperature=w.rng.choice((0.7, 0.8, 1.0, 1.0)), max_tokens=w.rng.choice((1024, 2048, 4096, None)))
    pool = w.rng.choice((w.texts.questions, w.texts.code, w.texts.instructions))
    if work.variant == "choices":
        params.n = min(k, 8)
    for text in work.walk(pool):
        once = work.ask(text, 450)
        once.params = params
        if work.variant == "samples":
            yield [once] * k  # the same account
        else:
            yield from [[once]] * (k if work.variant == "spread" else 1)  # dealt to one account after the other


@harvest
def agent_trajectories(work: Work) -> Iterator[Item]:
    """Unrelated agent tasks, each restarted several times from its first state, growing tool loops, no human pause."""
    w = work.world
    tools = w.rng.choice(TOOLS[work.variant])
    attempts = w.rng.choice((2, 3, 4, 6))
    pool = w.texts.agent_tasks + w.texts.code if work.variant == "shell" else w.texts.agent_tasks
    for text in work.walk(pool):
        frame = work.frame().fill(x=text)
        for _ in range(attempts):
            item = []
            for step in range(w.rng.randint(3, 9)):
                request = asked(frame, 160)
                request.tools, request.tool_steps = tools, step
                item.append(request)
            yield item
