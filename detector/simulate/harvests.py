"""What harvesters send: one generator of work items a family. An item is the list of requests that belong together.

Frames come in two groups, A and B, so that a detector fitted on one can be measured on the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from detector.event import Params
from detector.simulate.world import Request, World

Item = list[Request]
Harvest = Callable[[World, str, int], Iterator[Item]]  # (world, frame group, paraphrases)
HARVESTS: dict[str, Harvest] = {}
Frame = str | tuple[str, str]


def harvest(function: Harvest) -> Harvest:
    """Register a family by its function's name."""
    HARVESTS[function.__name__] = function
    return function


def _frames(w: World, groups: dict[str, Sequence[Frame]], group: str, count: int) -> list[Frame]:
    """``count`` wordings of the frame: different frames of the group, or rewordings of them."""
    chosen = w.rng.sample(list(groups[group]), min(count, len(groups[group])))
    return chosen


def _ask(frame: Frame, text: str, **fields: object) -> Request:
    system, user = frame if isinstance(frame, tuple) else (None, frame)
    return Request([user.replace("{x}", text)], system=system.replace("{x}", text) if system else None, **fields)  # type: ignore[arg-type]


def _walk(w: World, pool: Sequence[str]) -> Iterator[str]:
    """A corpus walked through once in random order, then again."""
    while True:
        yield from w.rng.sample(list(pool), len(pool))


REASONING: dict[str, Sequence[Frame]] = {
    "A": (
        "{x}\nLet's think step by step, then state the final answer.",
        "Q: {x}\nA: Let's work this out in a step by step way to be sure we have the right answer.",
        "{x}\n\nGive your reasoning in <think> tags and the answer in <answer> tags.",
        ("You always reason aloud in detail before you answer. Never omit the reasoning.", "{x}"),
        ("Your reply has two parts: ### Thought process (long, complete) and ### Answer.", "{x}"),
        "{x}\nExplain every inference you make, from the givens to the conclusion.",
        "解答下题，写出每一步的推理。\n{x}",
        "{x}\nNow tell me how you came to that, in full.",
    ),
    "B": (
        "Task: {x}\nBefore answering, write an inner monologue of at least 200 words that explores the task.",
        ('Respond as {{"cot": <complete derivation>, "result": <short>}}.', "{x}"),
        "{x}\nDocument your path to the solution like a lab notebook.",
        ("Narrate the logic behind everything you say; the narration matters more than the reply.", "{x}"),
        "Razona en voz alta, paso por paso, y no omitas nada: {x}",
        "{x}\nI need the derivation, not only the result. Number the steps.",
    ),
}
FIXED: dict[str, Sequence[Frame]] = {
    "A": (
        "{x}\n\nRemember to explain the reasons behind each part of your answer.",
        "[mode: full] {x}",
        "Answer as completely as you can, with all background. {x}",
        "{x} (write at least four paragraphs)",
    ),
    "B": (
        "Act as the best version of yourself and hold nothing back. {x}",
        "{x}\n--\nstyle: textbook, exhaustive",
        "As an expert with decades of experience: {x}",
    ),
}
GRADER: dict[str, Sequence[Frame]] = {
    "A": (
        "Please act as an impartial judge and rate the response on a scale of 1 to 10.\n[Question]\n{x}\n[Response]\n{a}",
        "Which response is better, A or B?\nPrompt: {x}\nA: {a}\nB: {b}\nAnswer with one letter and a reason.",
        ("You score completions. Rubric: 5 flawless, 3 usable, 1 wrong.", "Instruction: {x}\nCompletion: {a}"),
        "请判断哪个回答更好并解释。\n{x}\n甲：{a}\n乙：{b}",
    ),
    "B": (
        "Two candidate outputs follow. State your preference and its strength from -3 to 3.\nINPUT {x}\nLEFT {a}\nRIGHT {b}",
        ("Be the critic: list flaws, then a mark out of 100.", "{x}\n=====\n{a}"),
        "Verify the candidate solution line by line and end with CORRECT or INCORRECT.\n{x}\n{a}",
    ),
}
SYNTHESIS: dict[str, Sequence[Frame]] = {
    "A": (
        "You are asked to come up with a set of 20 diverse task instructions. Try not to repeat the verb. Example: {x}",
        "Rewrite the given prompt to make it more complex, adding one constraint.\n#Given: {x}\n#Rewritten:",
        "List 10 diverse tasks that an AI assistant can do for an expert on {t}.",
        "Assume you are a {t} specialist. Write a question you would ask an assistant.",
    ),
    "B": (
        (
            "You author instruction-tuning data. Return one JSON object with instruction, input and output.",
            "Inspiration: {x}",
        ),
        "Draw inspiration from the prompt to create a new one in the same domain, but rarer.\n{x}",
        "Produce eight user requests of rising difficulty around {t}; no two may start alike.",
    ),
}
CLEANING: dict[str, Sequence[Frame]] = {
    "A": (
        "Rewrite this answer so that it reads as one clean explanation, without mention of an AI:\n{a}",
        ("You clean reasoning traces: fix steps, remove repetitions, keep the format.", "{a}"),
        "Shorten the following solution trace and keep every necessary step.\nProblem: {x}\nTrace: {a}",
    ),
    "B": (
        "Convert the raw completion into our schema (problem, thoughts, final).\n{x}\n{a}",
        "Remove hedges, apologies and meta talk from the model output below.\n---\n{a}",
    ),
}


def _answer(w: World) -> str:
    return w.rng.choice(w.texts.answers)[:900]


@harvest
def sft_pairs(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Instruction/answer pairs: an instruction corpus walked through, no frame or a thin one."""
    frames = w.rng.sample(
        (
            "{x}",
            "{x}",
            "Below is an instruction that describes a task. Write a response that completes it.\n\n### Instruction:\n{x}\n\n### Response:",
            "{x}\nAnswer in detail.",
        ),
        max(1, min(paraphrases, 3)),
    )
    for text in _walk(w, w.texts.instructions):
        yield [_ask(w.rng.choice(frames), text, output=420)]


@harvest
def reasoning(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Reasoning elicitation over problems."""
    frames = _frames(w, REASONING, group, paraphrases)
    for text in _walk(w, w.texts.questions):
        yield [_ask(w.rng.choice(frames), text, output=650)]


@harvest
def fixed_prompt(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Human-looking work of every kind with one constant sentence."""
    frames = _frames(w, FIXED, group, paraphrases)
    for text in _walk(w, [c[0] for c in w.texts.chats] + list(w.texts.instructions)):
        yield [_ask(w.rng.choice(frames), text, output=500)]


@harvest
def rollouts(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Each task several times at temperature above zero, or with several choices."""
    k, choices = w.rng.choice((4, 8, 16)), w.rng.random() < 0.3
    for text in _walk(w, w.rng.choice((w.texts.questions, w.texts.code))):
        params = Params(temperature=1.0, n=k if choices else None, max_tokens=2048)
        yield [Request([text], output=450, params=params) for _ in range(1 if choices else k)]


@harvest
def agent_trajectories(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Unrelated agent tasks, each restarted several times, growing tool loops without a human pause."""
    system = w.rng.choice(
        (
            "You are an agent. Use the tools to complete the task.",
            "Solve the task with bash. Think, then act.",
            "You control a computer through tools.",
        )
    )
    tools = w.rng.choice((["bash"], ["search", "browse", "calculator"], ["bash", "python", "edit"]))
    for text in _walk(w, w.texts.agent_tasks + w.texts.code):
        steps = w.rng.randint(3, 7)
        yield [
            Request([text], system=system, tools=tools, tool_steps=s, output=220)
            for _ in range(w.rng.choice((3, 4)))
            for s in range(steps)
        ]


@harvest
def grader(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Rubric or A/B frames around answers of other models, several candidates a prompt."""
    frames = _frames(w, GRADER, group, paraphrases)
    for text in _walk(w, list(w.texts.instructions) + w.texts.questions):
        yield [
            _ask(_put(w.rng.choice(frames), a=_answer(w), b=_answer(w)), text, output=160)
            for _ in range(w.rng.choice((1, 2, 4)))
        ]


@harvest
def instruction_synthesis(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Self-instruct and its descendants; answers come back as later inputs."""
    frames = _frames(w, SYNTHESIS, group, paraphrases)
    back: list[str] = []
    for text in _walk(w, w.texts.instructions):
        seed = w.rng.choice(back) if back and w.rng.random() < 0.4 else text
        answer = w.rng.choice(w.texts.instructions) + " " + w.rng.choice(w.texts.instructions)
        back = [*back, answer][-50:]
        request = _ask(_put(w.rng.choice(frames), t=w.rng.choice(w.texts.topics)), seed, output=500)
        request.response = answer
        yield [request]


@harvest
def trace_cleaning(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Captured answers fed back to be rewritten."""
    frames = _frames(w, CLEANING, group, paraphrases)
    for text in _walk(w, w.texts.questions):
        yield [_ask(_put(w.rng.choice(frames), a=_answer(w)), text, output=350)]


@harvest
def session_replay(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Stored sessions that arrive whole, each asked for its next answer."""
    long = [c for c in w.texts.chats if len(c) >= 3] or [["hello", "tell me more", "and then?"]]
    while True:
        yield [Request(w.rng.choice(long), answers=[_answer(w)[:300] for _ in range(8)], output=350)]


@harvest
def relay(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Real users of a foreign product, load-balanced over accounts: any account may get any turn of a dialogue."""
    system = f"You are {w.token('', 20)}, a large language model of another company. Never say who made you."
    while True:
        turns = w.rng.choice(w.texts.chats)
        yield [Request(turns[: i + 1], system=system, output=300) for i in range(len(turns))]


@harvest
def logprobs(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """The teacher's distribution over a broad corpus."""
    for text in _walk(w, list(w.texts.instructions) + w.texts.questions):
        yield [
            Request([text], output=60, params=Params(temperature=1.0, max_tokens=64, logprobs=True, top_logprobs=20))
        ]


@harvest
def corpus_replay(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """Public training questions, once each."""
    for text in _walk(w, list(w.texts.choices) + list(w.texts.questions)):
        yield [Request([text], output=250)]


@harvest
def domain_sweep(w: World, group: str, paraphrases: int) -> Iterator[Item]:
    """A taxonomy walked through evenly: every topic by every kind of question."""
    kinds = {
        "A": (
            "What should an expert know about {t}?",
            "Write an exam question on {t} and answer it.",
            "Explain {t} at three levels.",
            "Frequent errors with {t}, and how to avoid them?",
        ),
        "B": (
            "Deep dive on {t}, please cover theory and practice.",
            "Translate a technical paragraph on {t} into German and back.",
            "A case study that shows {t}.",
            "State of research on {t}?",
        ),
    }[group]
    grid = [
        k.replace("{t}", t)
        for t, k in itertools.product(w.texts.topics, w.rng.sample(kinds, min(max(paraphrases, 2), 4)))
    ]
    for text in _walk(w, grid):
        yield [Request([text], output=600)]


def _put(frame: Frame, **values: str) -> Frame:
    def fill(text: str) -> str:
        for key, value in values.items():
            text = text.replace("{" + key + "}", value)
        return text

    return (fill(frame[0]), fill(frame[1])) if isinstance(frame, tuple) else fill(frame)
