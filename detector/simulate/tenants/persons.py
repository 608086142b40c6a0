# ruff: noqa: E501
"""Single people in front of a chat."""

from __future__ import annotations

from detector.simulate.people import chat_session
from detector.simulate.tenants.base import new, pick, some, tenant
from detector.simulate.world import Request, World


@tenant(lookalike=False)
def chat_user(w: World, size: float) -> None:
    """One person who chats now and then."""
    owner = new(w, "chat_user", "person")
    for _ in range(min(1 + int(w.rng.expovariate(1 / 4) * size), 40)):
        chat_session(w, owner, w.when.waking(owner.zone))


@tenant(lookalike=False)
def heavy_user(w: World, size: float) -> None:
    """One person who lives in the chat, some with a pinned system prompt of their own."""
    owner = new(w, "heavy_user", "person")
    system = w.rng.choice(
        (
            None,
            None,
            "You are a helpful assistant.",
            f"You know a lot about {w.rng.choice(w.texts.topics)}. Be brief.",
            "Answer in British English. No emojis.",
        )
    )
    for _ in range(some(w, 20, 60, size)):
        chat_session(w, owner, w.when.waking(owner.zone), system=system)


@tenant()
def single_turn_user(w: World, size: float) -> None:
    """A person whose client never sends history."""
    owner = new(w, "single_turn_user", "person")
    for _ in range(some(w, 3, 25, size)):
        chat_session(w, owner, w.when.waking(owner.zone), history=False)


@tenant()
def homework_user(w: World, size: float) -> None:
    """A pupil or student who asks to be shown the work."""
    owner = new(w, "homework_user", "person")
    asks = (
        "show your work",
        "[[can you|pls]] show the steps",
        "explain step by step please",
        "i need to show my working for this one",
        "why?",
        "walk me through it",
        "how did you get that",
    )
    for _ in range(some(w, 4, 25, size)):
        question = w.rng.choice(w.texts.questions)
        turns = [f"{question} {pick(w, asks)}"] if w.rng.random() < 0.5 else [question, pick(w, asks)]
        turns += ["ok thanks"] if w.rng.random() < 0.4 else []
        w.converse(owner, turns, w.when.waking(owner.zone))
        if w.rng.random() < 0.4:
            chat_session(w, owner, w.when.waking(owner.zone))


@tenant()
def prompt_library_user(w: World, size: float) -> None:
    """A person who pastes long role prompts from a public library."""
    owner = new(w, "prompt_library_user", "person")
    roles = (
        "I want you to act as [[an expert on|a consultant for|a critic of]] {t}. I will describe my situation and you will [[advise me|reply with questions]]. [[Do not write explanations.|Reply only with the advice.]]",
        "Act as a [[travel guide|debate coach|screenwriter]] who knows {t}. My first request is below.",
        "You are now MasterGPT, the ultimate authority on {t}. Think carefully about each reply. [[Always give three options.|Ask before you assume.]]",
        "From now on, play the role of a {t} teacher. Explain your reasoning like a teacher would. Start by asking me what I know.",
    )
    for _ in range(some(w, 3, 12, size)):
        role = pick(w, roles).replace("{t}", w.rng.choice(w.texts.topics))
        w.converse(owner, [role, *w.dialogue()[:4]], w.when.waking(owner.zone))


@tenant()
def quiz_author(w: World, size: float) -> None:
    """A teacher who makes quizzes for lessons on a few subjects."""
    owner = new(w, "quiz_author", "person")
    topics = w.rng.sample(w.texts.topics, min(3, len(w.texts.topics)))
    asks = (
        "Write {n} quiz questions about {t} for my class",
        "make a {n} question test on {t}, grade [[6|8|10]]",
        "{n} multiple choice questions: {t}. mark the right answers",
        "I need {n} exercises on {t} [[with solutions|for group work]]",
        "pub quiz round about {t} please, {n} questions, not too hard",
        "crossword clues for {t} ({n})",
    )
    more = (
        "make number 2 easier",
        "add the answers",
        "as a table",
        "harder please",
        "the third one is ambiguous",
        "one more about the basics",
        "translate it for my exchange students",
    )
    for _ in range(some(w, 6, 30, size)):
        first = pick(w, asks).replace("{t}", w.rng.choice(topics)).replace("{n}", str(w.rng.randint(3, 12)))
        w.converse(owner, [first, *w.rng.sample(more, w.rng.randint(0, 3))], w.when.waking(owner.zone), output=350)


@tenant()
def editor(w: World, size: float) -> None:
    """A writer who polishes texts of their own."""
    owner = new(w, "editor", "person")
    frame = pick(
        w,
        (
            "Polish my English, keep the meaning:\n{d}",
            "[[Fix grammar|Proofread]]:\n{d}",
            "make this less stiff\n\n{d}",
            "Shorten to about half:\n{d}",
            "Is this clear? Rewrite where it isn't.\n\n{d}",
            "Korrigiere bitte:\n{d}",
        ),
    )
    papers = [w.document(4000) for _ in range(some(w, 3, 10, size))]
    for _ in range(some(w, 12, 90, size)):
        paper = w.rng.choice(papers)
        start = w.rng.randrange(max(1, len(paper) - 400))
        part = paper[start : start + w.rng.randint(300, 1500)]
        w.send(owner, w.when.office(owner.zone), Request([frame.replace("{d}", part)], output=220))


@tenant()
def model_comparer(w: World, size: float) -> None:
    """A person who asks several models the same, and for several drafts."""
    owner = new(w, "model_comparer", "person")
    for _ in range(some(w, 5, 25, size)):
        turns, at = w.dialogue(), w.when.waking(owner.zone)
        for model in w.rng.sample(("large-4", "medium-4", "small-4", "large-3"), w.rng.randint(2, 3)):
            for _ in range(w.rng.choice((1, 1, 2))):
                w.send(owner, at, Request([turns[0]], model=model))
                at += w.when.think(20)
