# ruff: noqa: E501
"""Applications with people behind them, on one account each."""

from __future__ import annotations

from detector.simulate.people import chat_session
from detector.simulate.tenants.base import fixed, new, pick, some, tenant
from detector.simulate.world import Request, World

_STEPS = 5  # samples that vote


def _users(w: World, count: int) -> list[str]:
    return [w.token("u_", 64) for _ in range(count)]


@tenant()
def consumer_app(w: World, size: float) -> None:
    """A chat application, with or without end-user ids."""
    owner, ids = new(w, "consumer_app"), w.rng.random() < 0.5
    name = w.token("", 16)
    system = pick(w, (
        f"You are {name}, the [[friendly|witty|calm]] assistant of our app. Keep answers short.", f"{name} helps people with everyday questions. [[No medical advice.|Be kind.]]", "You are a helpful assistant.",
        f"Persona: {name}, [[a pirate|a wise owl|a best friend]]. Stay in character.", "You are a language partner. Reply in the user's language and correct one mistake.", f"Du bist {name}, die Assistentin unserer App.",
    ))  # fmt: skip
    for user in _users(w, some(w, 20, 110, size)):
        for _ in range(w.rng.choice((1, 1, 1, 2, 3, 5))):
            chat_session(
                w,
                owner,
                w.when.waking(owner.zone),
                system=system if w.rng.random() < 0.97 else None,
                end_user=user if ids else None,
            )


@tenant()
def tutoring_app(w: World, size: float) -> None:
    """Pupils who are shown how a solution is found, step by step."""
    owner, ids = new(w, "tutoring_app"), w.rng.random() < 0.7
    system = pick(w, (
        "You are a patient tutor. Explain step by step how to reach the answer, [[and ask the pupil to try the next one|then check understanding]].", "Help students with homework. Show your work and all intermediate steps. Use simple words.",
        "Du bist Nachhilfelehrer. Erkläre jeden Schritt.", "Math coach for grade [[5|7|9]]. Reason out loud so that children can follow; praise effort.", "Eres profesor particular: muestra el procedimiento completo y pregunta al final.",
        "Socratic tutor: lead with questions, [[reveal the reasoning only when asked|then show the full reasoning]].", "你是耐心的数学老师，请一步一步讲解。", "Explain like a teacher at the board. Every line of working must be visible, then the final answer.",
    ))  # fmt: skip
    sheet = w.rng.sample(
        w.texts.questions, min(some(w, 12, 50, size), len(w.texts.questions))
    )  # a class gets the same sheet
    replies = (
        "i don't get it",
        "why do we divide there",
        "is it 12?",
        "show me the steps again",
        "ok thanks",
        "can i do it another way",
        "what's the rule called",
        "oh! so {n}?",
        "my teacher does it differently",
        "next one pls",
        "i got {n}",
    )
    for user in _users(w, some(w, 15, 70, size)):
        for _ in range(w.rng.randint(1, 4)):
            turns = [
                w.rng.choice(sheet),
                *(t.replace("{n}", str(w.rng.randint(2, 99))) for t in w.rng.sample(replies, w.rng.randint(0, 4))),
            ]
            w.converse(
                owner,
                turns,
                w.when.waking(owner.zone, weekend=0.3),
                system=system,
                end_user=user if ids else None,
                output=300,
            )


@tenant()
def rag_app(w: World, size: float) -> None:
    """Questions over a company's own documents; the same passages come back."""
    owner, ids = new(w, "rag_app"), w.rng.random() < 0.6
    system = pick(
        w,
        (
            "Answer from the context only.",
            "You answer staff questions about our handbook. [[Cite the passage.|Say so if you do not know.]]",
            "Use the documents. If unsure, say 'ask HR'.",
            "Beantworte die Frage anhand der Auszüge.",
        ),
    )
    layout = w.rng.choice(
        (
            "Context:\n{c}\n\nQuestion: {q}",
            "{q}\n\n---\nSources:\n{c}",
            "<docs>{c}</docs>\n{q}",
            "[1] {c}\n\nUser asks: {q}",
        )
    )
    passages = [w.document(900) for _ in range(some(w, 8, 30, size))]
    asked = w.related(w.texts.sql) + w.related(w.texts.snippets)
    for at in w.when.crowd(owner.zone, some(w, 50, 350, size)):
        question = w.rng.choice(asked)[:300]
        context = "\n\n".join(w.rng.sample(passages, min(2, len(passages))))
        w.send(
            owner,
            at,
            Request(
                [layout.replace("{c}", context).replace("{q}", question)],
                system=system,
                output=120,
                end_user=w.token("u_", 20) if ids else None,
            ),
        )


@tenant()
def support_bot(w: World, size: float) -> None:
    """Customers of a shop, an airline, a bank."""
    owner, ids = new(w, "support_bot"), w.rng.random() < 0.7
    name = w.token("", 20)
    system = pick(w, (
        f"You are the support agent of shop {name}. Policy: returns within [[14|30]] days; never promise refunds; use the order tool.", f"{name} Airlines assistant. Rebook, refund by fare rules, hand over when angry.",
        f"Virtual teller of {name} Bank. [[Verify identity first.|No advice on investments.]]", f"Hotel desk {name}. Be brief and polite.", f"Kundendienst von {name}. Duze nicht.",
    ))  # fmt: skip
    tools = w.rng.choice((["lookup_order", "refund"], ["find_booking", "rebook"], ["get_balance", "block_card"], None))
    for _ in range(some(w, 30, 140, size)):
        w.converse(
            owner,
            w.rng.choice(w.texts.support),
            w.when.waking(owner.zone, weekend=0.9),
            system=system,
            tools=tools,
            tools_used=0.3,
            end_user=w.token("c_", 64) if ids else None,
            output=60,
        )


@tenant()
def text2sql_bot(w: World, size: float) -> None:
    """Business questions turned into SQL over one schema."""
    owner = new(w, "text2sql_bot")
    system = pick(
        w,
        (
            "Schema: orders(id, customer, total, day), items(order_id, sku, qty). Return one SQL statement.",
            "You write [[Postgres|BigQuery|SQLite]] for our warehouse. Tables: sales, stores, staff, returns. SQL only.",
            "Translate questions to SQL. Never use DELETE. Tables follow: visits(page, at, user), users(id, plan).",
        ),
    )
    pool = w.rng.sample(w.texts.sql, min(len(w.texts.sql), some(w, 40, 200, size)))
    for _ in range(some(w, 40, 260, size)):
        w.send(
            owner,
            w.when.office(owner.zone),
            Request([w.rng.choice(pool)], system=system, output=70, params=fixed(w, owner, 0.0, 300, 512, None)),
        )


@tenant()
def self_consistency(w: World, size: float) -> None:
    """An application that votes over several samples for its users' questions, and retries when it fails."""
    owner = new(w, "self_consistency")
    params = fixed(w, owner, 0.7, 400, 800, None)
    many = w.rng.random() < 0.3
    system = pick(
        w,
        (
            "You are the assistant of our help desk.",
            "Decide whether the claim is [[covered|plausible]]. Final line: yes or no.",
            "Answer the user's question with care; your answers are compared with each other.",
        ),
    )
    for at in w.when.crowd(owner.zone, some(w, 12, 60, size)):
        question = w.dialogue()[0]
        user = w.token("u_", 64)
        if many:
            params.n = _STEPS
        for i in range(1 if many else _STEPS):
            w.send(
                owner, at + i * w.rng.uniform(0.1, 2), Request([question], system=system, params=params, end_user=user)
            )


@tenant()
def session_restore(w: World, size: float) -> None:
    """An application that moved here with its users' old conversations."""
    owner = new(w, "session_restore")
    system = pick(
        w,
        (
            "You are the assistant of a notes app.",
            "Continue helping the user.",
            "Companion app. Remember what was said.",
        ),
    )
    for user in _users(w, some(w, 15, 70, size)):
        turns, at = w.dialogue(), w.when.waking(owner.zone)
        if len(turns) < 3:
            turns = [*turns, *w.dialogue()[:3]]
        answers = [w.rng.choice(w.material)[:300] for _ in turns]
        for n in range(max(2, len(turns) - w.rng.randint(1, 3)), len(turns) + 1):
            w.send(owner, at, Request(turns[:n], system=system, end_user=user, answers=answers[: n - 1]))
            at += w.when.think(len(turns[n - 1]))
        if w.rng.random() < 0.5:
            chat_session(w, owner, w.when.waking(owner.zone), system=system, end_user=user)


@tenant()
def saas_router(w: World, size: float) -> None:
    """A product in front of many companies: several system prompts, many end users, several models."""
    owner, ids = new(w, "saas_router"), w.rng.random() < 0.7
    systems = [
        pick(w, (f"You assist the staff of {w.token('', 16)} with {w.rng.choice(w.texts.topics)}.", f"{w.token('', 16)} Copilot. [[House style: short.|Use our glossary.]]", f"Workspace {w.token('', 20)}. Language: [[en|de|fr|ja]].", "You are a helpful assistant."))
        for _ in range(w.rng.randint(4, 12))
    ]  # fmt: skip
    for user in _users(w, some(w, 40, 180, size)):
        turns, at, system = w.dialogue(), w.when.waking(owner.zone), w.rng.choice(systems)
        w.converse(owner, turns[:5], at, system=system, end_user=user if ids else None)
