"""Honest customers of every kind, the look-alikes of harvesting among them."""

from __future__ import annotations

from collections.abc import Callable

from detector.event import Params
from detector.simulate.world import DAY, HOUR, Owner, Request, World

Tenant = Callable[[World, float], None]  # (world, size factor)
TENANTS: dict[str, Tenant] = {}
LOOKALIKES: set[str] = set()


def tenant(lookalike: bool = True) -> Callable[[Tenant], Tenant]:
    """Register a kind of customer by its function's name."""

    def register(function: Tenant) -> Tenant:
        TENANTS[function.__name__] = function
        if lookalike:
            LOOKALIKES.add(function.__name__)
        return function

    return register


def _new(w: World, kind: str, **known: object) -> Owner:
    owner = w.owner(**known)  # type: ignore[arg-type]
    w.label(owner, attack=False, family=kind, lookalike=kind in LOOKALIKES)
    return owner


def _size(w: World, low: int, high: int, size: float) -> int:
    return max(3, int(w.rng.uniform(low, high) * size))


def chat_sessions(w: World, owner: Owner, sessions: int, harvest: bool | None = None, **fields: object) -> None:
    """A person's conversations over the week; also what cover traffic imitates."""
    for _ in range(sessions):
        w.converse(owner, w.rng.choice(w.texts.chats), w.waking(owner), harvest, **fields)


@tenant(lookalike=False)
def chat_user(w: World, size: float) -> None:
    """One person who chats."""
    chat_sessions(w, _new(w, "chat_user"), _size(w, 2, 14, size))


@tenant(lookalike=False)
def heavy_user(w: World, size: float) -> None:
    """One person who lives in the chat, with a pinned system prompt of their own."""
    chat_sessions(
        w,
        _new(w, "heavy_user"),
        _size(w, 30, 90, size),
        system=w.rng.choice(
            (None, "You are a helpful assistant.", f"You know a lot about {w.rng.choice(w.texts.topics)}. Be brief.")
        ),
    )


@tenant()
def single_turn_user(w: World, size: float) -> None:
    """A person whose client never sends history."""
    owner = _new(w, "single_turn_user")
    for _ in range(_size(w, 8, 60, size)):
        w.send(owner, w.waking(owner), Request([w.rng.choice(w.rng.choice(w.texts.chats))]))


@tenant()
def consumer_app(w: World, size: float) -> None:
    """A chat application on one account, with or without end-user ids."""
    owner, ids = _new(w, "consumer_app"), w.rng.random() < 0.5
    system = f"You are {w.token('', 16)}, the friendly assistant of our app. Keep answers short."
    users = [w.token("u_", 32) for _ in range(_size(w, 20, 120, size))]
    for user in users:
        for _ in range(w.rng.choice((1, 1, 2, 3, 5))):
            w.converse(
                owner,
                w.rng.choice(w.texts.chats),
                w.waking(owner),
                system=system if w.rng.random() < 0.97 else None,
                end_user=user if ids else None,
            )


@tenant()
def tutoring_app(w: World, size: float) -> None:
    """Pupils who are shown how a solution is found, step by step."""
    owner = _new(w, "tutoring_app")
    system = w.rng.choice(
        (
            "You are a patient tutor. Explain step by step how to reach the answer, and ask the pupil to try the next one.",
            "Help students with homework. Show your work and all intermediate steps. Use simple words.",
            "Du bist Nachhilfelehrer. Erkläre jeden Schritt.",
        )
    )
    homework = w.rng.sample(
        w.texts.questions, min(_size(w, 15, 60, size), len(w.texts.questions))
    )  # a class gets the same sheet
    for _ in range(_size(w, 20, 80, size)):
        user = w.token("pupil_", 32)
        for _ in range(w.rng.randint(1, 4)):
            turns = [
                w.rng.choice(homework),
                *w.rng.sample(
                    (
                        "i don't get it",
                        "why do we divide there",
                        "is it 12?",
                        "show me the steps again",
                        "ok thanks",
                        "can i do it another way",
                    ),
                    w.rng.randint(0, 3),
                ),
            ]
            w.converse(owner, turns, w.waking(owner, 0.3), system=system, end_user=user)


@tenant()
def batch_summariser(w: World, size: float) -> None:
    """A nightly job over a company's own documents."""
    owner = _new(w, "batch_summariser")
    frame = w.rng.choice(
        (
            "Summarise the document in three sentences.\n\n{d}",
            "TL;DR for the management:\n{d}",
            "Fasse den Text zusammen:\n{d}",
        )
    )
    for day in range(w.days):
        times = w.job(_size(w, 10, 50, size), day * DAY + 2 * HOUR, 0.2)
        for at in times:
            w.send(owner, at, Request([frame.replace("{d}", _document(w))], output=90))


@tenant()
def translation_bureau(w: World, size: float) -> None:
    """Clients' texts translated in office hours."""
    owner = _new(w, "translation_bureau")
    language = w.rng.choice(("German", "French", "Japanese", "Polish"))
    for _ in range(_size(w, 40, 220, size)):
        w.send(
            owner,
            w.office(owner),
            Request([_document(w)], system=f"Translate the text into {language}. Keep names and figures.", output=350),
        )


@tenant()
def rag_app(w: World, size: float) -> None:
    """Questions over one's own documents; the same passages come back."""
    owner = _new(w, "rag_app")
    passages = [_document(w)[:900] for _ in range(_size(w, 8, 30, size))]
    for at in w.crowd(owner, _size(w, 60, 400, size)):
        context = "\n\n".join(w.rng.sample(passages, 2))
        question = w.rng.choice(w.texts.sql or w.texts.snippets)
        w.send(
            owner,
            at,
            Request(
                [f"Context:\n{context}\n\nQuestion: {question}"],
                system="Answer from the context only.",
                output=120,
                end_user=w.token("u_", 20),
            ),
        )


@tenant()
def support_bot(w: World, size: float) -> None:
    """Customers of a shop."""
    owner = _new(w, "support_bot")
    system = f"You are the support agent of shop {w.token('', 20)}. Policy: returns within 30 days; never promise refunds; use the order tool."
    for _ in range(_size(w, 40, 160, size)):
        w.converse(
            owner,
            w.rng.choice(w.texts.support),
            w.waking(owner, 0.9),
            system=system,
            tools=["lookup_order", "refund"],
            end_user=w.token("c_", 32),
            output=60,
        )


@tenant()
def text2sql_bot(w: World, size: float) -> None:
    """Business questions turned into SQL over one schema."""
    owner = _new(w, "text2sql_bot")
    system = "Schema: orders(id, customer, total, day), items(order_id, sku, qty). Return one SQL statement."
    pool = w.rng.sample(w.texts.sql, min(len(w.texts.sql), _size(w, 40, 200, size)))
    for _ in range(_size(w, 50, 300, size)):
        w.send(owner, w.office(owner), Request([w.rng.choice(pool)], system=system, output=70))


def _classification(w: World, size: float, kind: str, params: Params | None) -> None:
    owner = _new(w, kind)
    frame = w.rng.choice(
        (
            "Is this message spam? Answer yes or no.\nMessage: {s}",
            "Label the feedback as positive, neutral or negative.\n\n{s}\n\nLabel:",
            'Return JSON {"topic": ...} for: {s}',
        )
    )
    for at in w.rng.choice((w.spread, w.job))(_size(w, 120, 700, size)):
        w.send(
            owner, at, Request([frame.replace("{s}", w.rng.choice(w.texts.snippets)[:500])], output=5, params=params)
        )


@tenant()
def classifier(w: World, size: float) -> None:
    """One template over a company's own data, day and night."""
    _classification(w, size, "classifier", Params(temperature=0.0, max_tokens=16))


@tenant()
def calibrated_classifier(w: World, size: float) -> None:
    """The same with log-probabilities for calibration."""
    _classification(
        w,
        size,
        "calibrated_classifier",
        Params(temperature=0.0, max_tokens=4, logprobs=True, top_logprobs=w.rng.choice((5, 10, 20))),
    )


@tenant()
def judge_own_bot(w: World, size: float) -> None:
    """A company grades its own support bot's answers."""
    owner = _new(w, "judge_own_bot")
    system = "You review replies of our support bot. Score 1-5 for politeness and correctness. Return JSON."
    answers = w.rng.sample(w.texts.answers, min(len(w.texts.answers), 60))
    for day in range(w.days):
        for at in w.job(_size(w, 10, 60, size), day * DAY + 3 * HOUR, 0.3):
            w.send(
                owner,
                at,
                Request(
                    [f"Customer: {w.rng.choice(w.texts.support)[0]}\nBot: {w.rng.choice(answers)[:600]}"],
                    system=system,
                    output=60,
                    params=Params(temperature=0.0),
                ),
            )


@tenant()
def evaluation_run(w: World, size: float) -> None:
    """A test split, run on several models and again after a change."""
    owner = _new(w, "evaluation_run")
    pool = w.texts.choices if w.rng.random() < 0.6 else w.texts.questions
    test = w.rng.sample(pool, min(len(pool), _size(w, 40, 200, size)))
    for _ in range(w.rng.randint(2, 4)):
        model = w.rng.choice(("large-4", "medium-4", "small-4"))
        for at, text in zip(w.job(len(test), rate=1.0), test, strict=True):
            w.send(
                owner,
                at,
                Request(
                    [text],
                    output=8 if pool is w.texts.choices else 150,
                    model=model,
                    params=Params(temperature=0.0, max_tokens=256),
                ),
            )


@tenant()
def self_consistency(w: World, size: float) -> None:
    """An application that votes over five samples for its users' questions."""
    owner = _new(w, "self_consistency")
    for at in w.crowd(owner, _size(w, 15, 60, size)):
        question = w.rng.choice(w.rng.choice(w.texts.chats))
        for i in range(5):
            w.send(
                owner,
                at + i,
                Request(
                    [question],
                    system="You are the assistant of our help desk.",
                    params=Params(temperature=0.7),
                    end_user=w.token("u_", 16),
                ),
            )


def agent_session(
    w: World,
    owner: Owner,
    task: str,
    at: float,
    system: str,
    tools: list[str],
    steps: int,
    harvest: bool | None = None,
    pause: float = 15.0,
) -> None:
    """An agent's loop: the history grows by a tool call a step."""
    for step in range(steps):
        if at < w.days * DAY:
            w.send(owner, at, Request([task], system=system, tools=tools, tool_steps=step, output=180), harvest)
        at += w.rng.expovariate(1 / pause) + 2


@tenant()
def coding_team(w: World, size: float) -> None:
    """Developers with an agent, in office hours, on one code base."""
    owner = _new(w, "coding_team")
    system = "You are a coding agent in the repository. Use the tools. Run the tests before you finish."
    for _ in range(_size(w, 10, 50, size)):
        at = w.office(owner)
        task = w.rng.choice(w.texts.code)
        agent_session(w, owner, task, at, system, ["bash", "edit", "search"], w.rng.randint(3, 14))
        if w.rng.random() < 0.6:
            w.converse(
                owner,
                [task, "no, keep the old name", "ok and update the readme"][: w.rng.randint(2, 3)],
                at + 900,
                system=system,
                tools=["bash", "edit", "search"],
            )


@tenant()
def ci_agent(w: World, size: float) -> None:
    """An agent that reviews each change."""
    owner = _new(w, "ci_agent")
    for _ in range(_size(w, 15, 60, size)):
        agent_session(
            w,
            owner,
            f"Review this change and run the tests:\n{w.rng.choice(w.texts.code)}",
            w.office(owner),
            "You are the CI reviewer of our monorepo.",
            ["bash"],
            w.rng.randint(2, 6),
            pause=6,
        )


def _shared_agent(w: World, size: float, kind: str, count: int) -> None:
    system = w.rng.choice(
        (
            "You are OpenPilot, an open-source agent that runs on the user's computer. "
            "Think before you act, then call one tool at a time. Never delete files without asking.",
            "You are Helm, a free assistant for the terminal. Reply with a plan and one command. Stay within the user's folder.",
        )
    )
    for _ in range(count):
        owner = _new(w, kind)
        for _ in range(_size(w, 2, 9, size)):
            agent_session(
                w,
                owner,
                w.rng.choice(w.texts.agent_tasks + w.texts.code),
                w.waking(owner),
                system,
                ["shell", "read_file", "write_file"],
                w.rng.randint(1, 8),
                pause=40,
            )


@tenant()
def open_source_agent(w: World, size: float) -> None:
    """Unrelated users of one popular agent: the same long system prompt, each their own work."""
    _shared_agent(w, 1.0, "open_source_agent", max(6, int(300 * size * 0.2)))


@tenant()
def company_template(w: World, size: float) -> None:
    """A company: forty accounts, one network, one payment, one prompt template, each clerk with their own files."""
    first = w.owner()
    first.organization_id = w.token("org_")
    frame = w.rng.choice(
        ("Draft a reply to this customer in our tone.\n\n{s}", "Extract claimant, date and amount from the note:\n{s}")
    )
    for _ in range(max(5, int(40 * min(size, 1)))):
        owner = _new(w, "company_template", like=first)
        for _ in range(_size(w, 8, 30, size)):
            w.send(
                owner,
                w.office(owner),
                Request([frame.replace("{s}", w.rng.choice(w.texts.snippets)[:800])], output=120),
            )


@tenant()
def university(w: World, size: float) -> None:
    """Students and staff behind one network address."""
    first = w.owner()
    for _ in range(max(8, int(60 * size))):
        owner = w.owner()
        owner.ips, owner.asn, owner.country, owner.email_domain, owner.zone = (
            first.ips,
            first.asn,
            first.country,
            "university.example",
            first.zone,
        )
        w.label(owner, attack=False, family="university", lookalike=True)
        chat_sessions(w, owner, _size(w, 2, 10, 1.0))


@tenant()
def quiz_author(w: World, size: float) -> None:
    """A teacher who makes quizzes for lessons on a few subjects."""
    owner = _new(w, "quiz_author")
    topics = w.rng.sample(w.texts.topics, 3)
    for _ in range(_size(w, 8, 40, size)):
        w.converse(
            owner,
            [
                f"Write {w.rng.randint(3, 10)} quiz questions about {w.rng.choice(topics)} for my class",
                *w.rng.sample(("make number 2 easier", "add the answers", "as a table"), w.rng.randint(0, 2)),
            ],
            w.waking(owner),
        )


@tenant()
def editor(w: World, size: float) -> None:
    """Editing and scrubbing of one's own texts."""
    owner = _new(w, "editor")
    frame = w.rng.choice(
        (
            "Remove all personal data from the text, change nothing else:\n{d}",
            "Polish my English, keep the meaning:\n{d}",
            "Fix grammar:\n{d}",
        )
    )
    for _ in range(_size(w, 20, 150, size)):
        w.send(owner, w.office(owner), Request([frame.replace("{d}", _document(w)[:1500])], output=300))


@tenant()
def session_restore(w: World, size: float) -> None:
    """An application that moved here with its users' old conversations."""
    owner = _new(w, "session_restore")
    for _ in range(_size(w, 20, 90, size)):
        turns = w.rng.choice(
            [c for c in (w.rng.choice(w.texts.chats) for _ in range(6)) if len(c) > 1] or [["hello", "and then?"]]
        )
        user, at = w.token("u_", 32), w.waking(owner)
        for i in range(max(2, len(turns) - 1), len(turns) + 1):
            w.send(owner, at, Request(turns[:i], system="You are the assistant of a notes app.", end_user=user))
            at += w.think()


@tenant()
def saas_router(w: World, size: float) -> None:
    """A product in front of many companies: several system prompts, many end users."""
    owner = _new(w, "saas_router")
    systems = [f"You assist the staff of {w.token('', 16)} with {w.rng.choice(w.texts.topics)}." for _ in range(6)]
    for _ in range(_size(w, 60, 250, size)):
        w.converse(
            owner,
            w.rng.choice(w.texts.chats)[:3],
            w.waking(owner),
            system=w.rng.choice(systems),
            end_user=w.token("u_", 16),
        )


@tenant()
def prompt_library_user(w: World, size: float) -> None:
    """A person who pastes long role prompts from a public library."""
    owner = _new(w, "prompt_library_user")
    for _ in range(_size(w, 4, 15, size)):
        role = (
            f"I want you to act as an expert on {w.rng.choice(w.texts.topics)}. "
            "I will describe my situation and you will advise me. Reply only with the advice."
        )
        w.converse(owner, [role, *w.rng.choice(w.texts.chats)[:3]], w.waking(owner))


@tenant()
def own_test_data(w: World, size: float) -> None:
    """A team that generates test cases for its own narrow product."""
    owner = _new(w, "own_test_data")
    topic = w.rng.choice(w.texts.topics)
    for _ in range(_size(w, 15, 70, size)):
        w.send(
            owner,
            w.office(owner),
            Request(
                [
                    f"Generate {w.rng.randint(3, 10)} test cases for our {topic} feature: {w.rng.choice(w.texts.snippets)[:200]}"
                ],
                output=400,
            ),
        )


def _document(w: World) -> str:
    return w.rng.choice(w.texts.documents)[:6000]
