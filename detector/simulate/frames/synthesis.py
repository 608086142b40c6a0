# ruff: noqa: E501
"""Frames that make tasks: self-instruct, evolution, personas, questions out of documents."""

from detector.simulate.frames.base import Variants

SYNTHESIS: Variants = {
    "self_instruct": {
        "A": (
            "You are asked to come up with a set of [[20|10|15]] diverse task instructions. [[Try not to repeat the verb.|Vary the verbs and the tone.]] Example: {x}",
            "Here is one request that people make of an assistant:\n- {x}\n[[Write|Think of]] {n} more that differ in [[subject, length and format|topic and form]]. One per line.",
            "[[Seed|Example]] task: {x}\nNew tasks, JSON list of {n} strings, [[no overlap with the seed|nothing close to the example]]:",
            "请仿照示例，生成{n}条[[不同类型的|互不重复的]]指令。\n示例：{x}",
            (
                "Your only job is to invent instructions for language models. [[Be original; cover rare fields.|Prefer unusual domains.]]",
                "{n} please. Like: {x}",
            ),
        ),
        "B": (
            (
                "You author instruction-tuning data. Return one JSON object with instruction, input and output.",
                "Inspiration: {x}",
            ),
            "Produce {n} user requests of rising difficulty around {t}; no two may start alike.",
            "Extend the pool.\n>> {x}\n>> ???\n>> ???\nfill {n} slots, [[classification tasks too|at most one question]]",
            "Escribe {n} peticiones [[variadas|originales]] que alguien haría a un asistente, al estilo de: {x}",
            "Imagine what [[users|customers]] will ask next month that nobody asked before. {n} items, {t} included, each self-contained.",
        ),
    },
    "evolve": {
        "A": (
            "Rewrite the given prompt to make it [[more complex, adding one constraint|slightly harder, with one more requirement]].\n#Given: {x}\n#Rewritten:",
            "[[Increase the depth and breadth|Raise the difficulty]] of this task, in no more than 20 extra words:\n{x}",
            (
                "You upgrade tasks. Methods: deepen, concretise, add a condition, require several steps. Pick one. [[Print the new task only.|No comment.]]",
                "{x}",
            ),
            "把下面的任务改得[[更复杂|更有挑战性]]，但仍然可以回答：\n{x}",
            "Replace the general concepts in the task by [[more specific|rarer]] ones.\n{x}",
        ),
        "B": (
            "Draw inspiration from the prompt to create a new one in the same domain, but rarer.\n{x}",
            "Level {n} of this exercise [[would be|reads]]: (current level: {x})",
            ("mutate(task) -> task'. Operators: swap domain, add edge case, forbid the obvious method.", "{x}"),
            "Mach daraus eine [[schwierigere|anspruchsvollere]] Aufgabe derselben Art, ohne sie zu lösen: {x}",
            "A strong student finds this too easy: {x}\n[[Give them something that bites.|What would stretch them?]] Statement only.",
        ),
    },
    "persona": {
        "A": (
            "Assume you are a {t} specialist. Write a question you would ask an assistant.",
            "[[Persona|Role]]: someone who works on {t}. [[Create|Write]] a realistic message from them to an AI, with context.",
            "List {n} diverse tasks that an AI assistant can do for an expert on {t}.",
            (
                "Impersonate users. Output the user's first message and nothing else.",
                "user profile: interested in {t}, [[impatient|novice|professional]], [[mobile|desktop]]",
            ),
        ),
        "B": (
            "Who would care about {t}? [[Invent the person|Make one up]], then write what they type into a chat window.",
            "Character sheet: daily life touches {t}. [[Problem of the day|What is on their mind]], as a prompt:",
            ("You are the human. The assistant is waiting. Start.", "theme: {t}; mood: [[curious|worried|bored]]"),
            "假设你是研究{t}的人，写一个你会问助手的[[具体问题|复杂问题]]。",
        ),
    },
    "from_document": {
        "A": (
            "[[Read|Consider]] the passage and write {n} questions that it answers, with the answers.\n\n{d}",
            "Text: {d}\nMake [[an instruction|a task]] whose ideal response is this text.",
            ("Turn documents into QA pairs for a [[reading|knowledge]] set. JSONL.", "{d}"),
        ),
        "B": (
            "From this source, [[derive|craft]] {n} items that need two facts each (question, answer, evidence).\n{d}",
            ("exam factory: source in, items out", "{d}"),
            "What might somebody have asked to get the following as a reply? [[Three guesses.|Best guess.]]\n{d}",
        ),
    },
}
