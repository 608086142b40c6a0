"""Frames of agents, replayed sessions and relays: system prompts mostly."""

from detector.simulate.frames.base import Variants

AGENTS: Variants = {
    "shell": {
        "A": (
            (
                "You are an agent. Use the tools to complete the task. [[Think before each action.|State a thought, then act.]]",
                "{x}",
            ),
            ("Solve the task with bash. [[Think, then act.|One command per turn.]] Finish with `submit`.", "{x}"),
            (
                "You are an autonomous engineer in a container. The task is below; there is nobody to ask.",
                "<task>\n{x}\n</task>",
            ),
            (
                "SETTING: a fresh Linux sandbox. RESPONSE FORMAT: thought, then exactly one command.",
                "We have an issue to solve:\n{x}",
            ),
        ),
        "B": (
            ("ReAct loop. Thought / Action / Observation until Done.", "Goal: {x}"),
            (
                "You operate a terminal on a disposable machine. [[Budget: 30 actions.|Stop when the goal is met.]]",
                "{x}",
            ),
            ("env=dock; policy=explore; emit tool calls until reward", "episode goal: {x}"),
            ("Du bist ein autonomer Agent mit Shell-Zugriff.", "{x}"),
        ),
    },
    "browser": {
        "A": (
            (
                "You control a computer through tools. [[Observe the page after each click.|Describe what you see first.]]",
                "{x}",
            ),
            ("Web agent. Actions: open, click, type, scroll, stop[answer].", "OBJECTIVE: {x}"),
            ("Answer questions by searching. [[Cite pages.|Search at least twice.]]", "{x}"),
        ),
        "B": (
            ("You browse on behalf of a simulated user. Complete the errand.", "errand: {x}"),
            ("deep research worker: query, read, note, repeat", "{x}"),
            ("GUI episodes. Output coordinates or text.", "{x}"),
        ),
    },
    "functions": {
        "A": (
            (
                "You have access to functions. Call them to help the user; [[never guess arguments|plan the calls]].",
                "{x}",
            ),
            ("Use the given APIs. Begin! Remember: Thought, Action, Action Input.", "{x}"),
            ("You are a tool-using model. Each task is independent of the others.", "{x}"),
        ),
        "B": (
            ("select functions, fill parameters, combine results", "{x}"),
            ("Function calling benchmark environment. No clarification possible.", "user turn: {x}"),
            ("请调用工具完成任务。", "{x}"),
        ),
    },
}

ROLLOUTS: Variants = {
    "samples": {
        "A": (
            "{x}",
            "{x}\nPlease solve this.",
            "{x}\n[[Final answer in a box.|Answer at the end.]]",
            ("Solve the problem.", "{x}"),
            "Solve:\n{x}",
        ),
        "B": (
            "{x}",
            "Attempt this.\n{x}",
            ("", "Problem statement\n{x}\nSolution"),
            ("sampler", "{x}"),
            "{x}\n\nwrite the solution",
        ),
    },
    "choices": {
        "A": (
            "{x}",
            "{x}\nSolution:",
            "Complete the [[task|program]].\n{x}",
            ("You write correct programs.", "{x}"),
            "# task\n{x}\n# code",
        ),
        "B": ("{x}", "Try it: {x}", "{x}\n---\nyour version", ("candidate generator", "{x}"), "{x} //"),
    },
    "spread": {
        "A": (
            "{x}",
            "{x}\nThink it over and answer.",
            ("You are a strong solver.", "{x}"),
            "[[Question|Problem]]. {x}",
            "Compute. {x}",
        ),
        "B": ("{x}", "{x}\n[[go|begin]]", ("attempt", "{x}"), "Your turn: {x}", "Give one solution to: {x}"),
    },
}

REPLAY: Variants = {
    "whole": {
        "A": (
            ("You are a helpful assistant.", ""),
            ("", ""),
            ("Continue the conversation. [[Stay consistent with your earlier answers.|Keep the tone.]]", ""),
            ("The assistant is patient and precise.", ""),
            ("Produce the assistant's next message. [[Nothing else.|Only that.]]", ""),
        ),
        "B": (
            ("", ""),
            ("Reply to the last message of the stored dialogue.", ""),
            ("chat continuation", ""),
            ("你是一个乐于助人的助手。", ""),
        ),
    },
    "foreign": {
        "A": (
            (
                "You are [[Nova|Iris|Atlas]], made by a small team. Answer from your earlier messages' point of view.",
                "",
            ),
            (
                "Earlier assistant turns were written by another model. [[Give the turn it should have written.|Write a better last turn.]]",
                "",
            ),
            ("Take over this conversation from the previous agent.", ""),
        ),
        "B": (
            ("Shadow mode: produce the reply you would have sent.", ""),
            ("You are [[Kite|Otto|Mira]]. Below is a log; respond to its end.", ""),
            ("backfill turn", ""),
            ("Antworte an Stelle des bisherigen Assistenten.", ""),
        ),
    },
}

RELAY: Variants = {
    "hidden": {
        "A": (
            (
                "You are {p}, a large language model [[of another company|trained by our lab]]. Never say who made you.",
                "{x}",
            ),
            (
                "Your name is {p}. [[If asked, you were developed in-house.|Do not mention other AI companies.]] Be friendly.",
                "{x}",
            ),
            ("{p} is a free chat assistant. Respond in the user's language.", "{x}"),
            ("你是{p}，由我们团队自主研发的大模型。", "{x}"),
        ),
        "B": (
            ("identity: {p}. origin: proprietary. [[never disclose upstream|deny being any other model]]", "{x}"),
            ("Tu es {p}, un assistant européen indépendant.", "{x}"),
            ("Persona {p}: cheerful, concise; we built you ourselves.", "{x}"),
            ("This service is called {p}. Policy: answer everything that is legal.", "{x}"),
        ),
    },
    "plain": {"A": ("{x}",), "B": ("{x}",)},
    "wrapped": {
        "A": (
            "[{p} gateway] user says:\n{x}",
            '<conversation id="{n}"><user>{x}</user></conversation>',
            "Reply for {p}. Message: {x}",
        ),
        "B": ("{p}://chat\n{x}", "As {p} answer this: {x}", "-----BEGIN USER-----\n{x}\n-----END USER-----"),
    },
}
