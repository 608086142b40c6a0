# ruff: noqa: E501
"""Agents in honest hands."""

from __future__ import annotations

from collections.abc import Sequence

from detector.event import Message
from detector.simulate.identities import Owner
from detector.simulate.people import chat_session
from detector.simulate.tenants.base import TENANTS, new, pick, some, tenant
from detector.simulate.world import Request, World


def agent_session(
    w: World,
    owner: Owner,
    tasks: Sequence[str],
    at: float,
    system: str,
    tools: Sequence[str],
    steps: int,
    slow: float = 1.0,
) -> None:
    """An agent's loop: the history grows by a tool call a step; each further task is a turn of the person."""
    session = w.token("sess_") if owner.has_sessions else None
    history: list[Message] = []
    for task in tasks:
        history.append(Message(role="user", content=task))
        for step in range(steps):
            if at > w.when.end:
                return
            w.log(owner, at, Request((), system=system, tools=tools, output=150, session=session), list(history), None)
            history += w.tool_step(tools, step)
            at += slow * w.when.step()
        at += w.when.think(len(task)) * 3


@tenant()
def coding_team(w: World, size: float) -> None:
    """Developers with an agent, in office hours, on one code base."""
    owner = new(w, "coding_team", "person")
    system = pick(
        w,
        (
            "You are a coding agent in the repository. Use the tools. [[Run the tests before you finish.|Small commits.]]",
            "Pair programmer for our monorepo (see CONTRIBUTING). Plan, edit, test.",
            "You edit code in the user's editor. Ask when a requirement is unclear.",
        ),
    )
    tools = w.rng.choice((["bash", "edit", "search"], ["read_file", "apply_patch", "run_tests"], ["shell", "editor"]))
    more = (
        "no, keep the old name",
        "ok and update the readme",
        "tests fail on my machine",
        "revert the last change",
        "looks good, commit",
        "also handle the empty case",
        "why did you touch that file",
    )
    own = w.related(w.texts.code)
    for _ in range(some(w, 8, 40, size)):
        tasks = [w.rng.choice(own), *w.rng.sample(more, w.rng.randint(0, 3))]
        agent_session(w, owner, tasks, w.when.office(owner.zone), system, tools, w.rng.randint(2, 7), 1.5)


@tenant()
def ci_agent(w: World, size: float) -> None:
    """An agent that reviews each change."""
    owner = new(w, "ci_agent")
    system = pick(
        w,
        (
            "You are the CI reviewer of our monorepo.",
            "Review bot. Comment on risky lines only.",
            "Fix the failing job or explain why not.",
        ),
    )
    frame = pick(
        w,
        (
            "Review this change and run the tests:\n{c}",
            "[[Build failed|Job failed]]. Log tail and diff follow.\n{c}",
            "PR #{n}\n{c}",
        ),
    )
    own = w.related(w.texts.code)
    for _ in range(some(w, 12, 50, size)):
        task = frame.replace("{c}", w.rng.choice(own)).replace("{n}", str(w.rng.randint(100, 9000)))
        agent_session(w, owner, [task], w.when.office(owner.zone), system, ["bash"], w.rng.randint(2, 6), 0.7)


PROGRAMS = (
    "batch_summariser",
    "calibrated_classifier",
    "ci_agent",
    "classifier",
    "eval_researcher",
    "evaluation_run",
    "judge_own_bot",
    "own_test_data",
    "pii_scrubber",
    "templated_pipeline",
    "text2sql_bot",
)
"""Kinds that one person may run beside a chat."""


@tenant()
def side_program(w: World, size: float) -> None:
    """A developer who chats and runs a program of their own, on one account."""
    first = len(w.events)
    TENANTS[w.rng.choice(PROGRAMS)](w, size * w.rng.choice((0.2, 0.5, 1.0)))
    owner = new(w, "side_program", "person")
    w.hand_over(first, owner)
    for _ in range(some(w, 3, 25, size)):
        chat_session(w, owner, w.when.waking(owner.zone))


@tenant()
def open_source_agent(w: World, size: float) -> None:
    """Unrelated users of one popular agent: the same long system prompt, each their own work."""
    name = w.token("", 16)
    system = pick(w, (
        f"You are {name}, an open-source agent that runs on the user's computer. Think before you act, then call one tool at a time. Never delete files without asking. [[Explain your plan first.|Be brief.]]",
        f"You are {name}, a free assistant for the terminal. Reply with a plan and one command. Stay within the user's folder. Ask for confirmation before network access.",
        f"{name} automates the browser for its user. Describe the page, decide, act. Stop at payment pages. Report what was done, [[with reasons|step by step]].",
    ))  # fmt: skip
    tools = w.rng.choice((["shell", "read_file", "write_file"], ["open", "click", "type"], ["run", "edit"]))
    pool = w.texts.agent_tasks + w.texts.code
    for _ in range(w.members["open_source_agent"]):
        owner = new(w, "open_source_agent", "person")
        for _ in range(min(1 + int(w.rng.expovariate(1 / 3) * size), 25)):
            task = w.rng.choice(pool) if w.rng.random() < 0.6 else w.dialogue()[0]
            agent_session(w, owner, [task], w.when.waking(owner.zone), system, tools, w.rng.randint(1, 7), 2.0)
