# ruff: noqa: E501
"""Programs that work through their owners' material."""

from __future__ import annotations

from detector.event import Params
from detector.simulate.tenants.base import fixed, new, pick, some, tenant
from detector.simulate.world import Request, World


@tenant()
def batch_summariser(w: World, size: float) -> None:
    """A nightly job over a company's own documents."""
    owner = new(w, "batch_summariser")
    frame = pick(
        w,
        (
            "Summarise the document in [[three|five]] sentences.\n\n{d}",
            "TL;DR for the management:\n{d}",
            "Fasse den Text zusammen:\n{d}",
            "{d}\n\n[[Key points|Minutes]] as bullets:",
            "Extract parties, dates and amounts as JSON.\n{d}",
            "请总结以下文件：\n{d}",
            "Write an abstract (max 80 words) for this report.\n\n{d}",
        ),
    )
    params = fixed(w, owner, 0.2, 200, 300, 512)
    for at in w.when.cron(
        some(w, 8, 45, size), w.rng.choice((1, 2, 3, 5, 22)), w.rng.uniform(0.05, 0.5), w.rng.random() < 0.5
    ):
        w.send(owner, at, Request([frame.replace("{d}", w.document())], output=90, params=params))


@tenant()
def translation_bureau(w: World, size: float) -> None:
    """Clients' texts translated in office hours."""
    owner = new(w, "translation_bureau")
    languages = w.rng.sample(
        ("German", "French", "Japanese", "Polish", "Spanish", "Turkish", "Chinese"), w.rng.randint(1, 3)
    )
    frame = pick(
        w,
        (
            "Translate the text into {l}. [[Keep names and figures.|Keep the layout.]]",
            "Professional translator, target {l}, [[formal|neutral]] register. Output the translation only.",
            "to {l}:",
        ),
    )
    for _ in range(some(w, 30, 180, size)):
        w.send(
            owner,
            w.when.office(owner.zone),
            Request([w.document(3000)], system=frame.replace("{l}", w.rng.choice(languages)), output=350),
        )


@tenant()
def pii_scrubber(w: World, size: float) -> None:
    """Personal data removed from a company's own records, model answers among them."""
    owner = new(w, "pii_scrubber")
    frame = pick(
        w,
        (
            "Remove all personal data from the text, change nothing else:\n{d}",
            "Replace names, addresses and phone numbers by placeholders.\n\n{d}",
            "[[Anonymise|Redact]] this chat transcript:\n{d}",
            "Mask identifiers; return the text.\n{d}",
        ),
    )
    params = fixed(w, owner, 0.0, 1024, 2048, None)
    for at in w.when.job(some(w, 40, 260, size), rate=w.rng.uniform(0.02, 0.4)):
        if w.rng.random() < 0.4:
            text = "\n".join(
                f"Customer: {t}\nAgent: {w.rng.choice(w.material)[:200]}" for t in w.rng.choice(w.texts.support)[:4]
            )
        else:
            text = w.document(1500)
        w.send(owner, at, Request([frame.replace("{d}", text)], output=280, params=params))


def _classification(w: World, size: float, kind: str, probabilities: bool) -> None:
    owner = new(w, kind)
    params = Params(temperature=0.0, max_tokens=w.rng.choice((1, 4, 10, 16)))
    if probabilities:
        params.logprobs, params.top_logprobs = True, w.rng.choice((2, 5, 5, 10, 20))
    frame = pick(w, (
        "Is this message spam? Answer yes or no.\nMessage: {s}", "Label the feedback as positive, neutral or negative.\n\n{s}\n\nLabel:", 'Return JSON {"topic": ...} for: {s}', "Urgency of this ticket, 1-5:\n{s}",
        "Which department? [[billing, sales, tech|claims, contracts, other]]\n{s}", "Does the comment break our rules? {s}", "情感分类（正面/负面）：{s}", "Sprache des Textes? Kürzel.\n{s}",
    ))  # fmt: skip
    count = some(w, 100, 600, size)
    times = w.rng.choice((w.when.spread, w.when.job, w.when.bursts))(count)
    own = w.related(w.texts.snippets, 50)
    for at in times:
        w.send(owner, at, Request([frame.replace("{s}", w.rng.choice(own)[:500])], output=3, params=params))


@tenant()
def classifier(w: World, size: float) -> None:
    """One template over a company's own data, day and night."""
    _classification(w, size, "classifier", False)


@tenant()
def calibrated_classifier(w: World, size: float) -> None:
    """The same with log-probabilities for calibration."""
    _classification(w, size, "calibrated_classifier", True)


@tenant()
def templated_pipeline(w: World, size: float) -> None:
    """A pipeline of one template for extraction or rewriting, as recorded where such texts are at hand."""
    owner = new(w, "templated_pipeline")
    count = some(w, 40, 250, size)
    if w.texts.templated:
        prompts = w.rng.choice(w.texts.templated)
        requests = [Request([p.user], system=p.system, output=30) for p in w.rng.choices(prompts, k=count)]
    else:
        frame = pick(
            w,
            (
                "Extract claimant, date and amount from the note:\n{s}",
                "Product title from this description (max 60 characters): {s}",
                "Turn the note into a polite sentence.\n{s}",
                "Keywords, comma separated: {s}",
                "Convert to our log format [when] [who] [what]: {s}",
            ),
        )
        own = w.related(w.texts.snippets, 50)
        requests = [Request([frame.replace("{s}", w.rng.choice(own)[:800])], output=30) for _ in range(count)]
    params = fixed(w, owner, 0.0, 64, 128, 256)
    for at, request in zip(w.when.bursts(count), requests, strict=True):
        request.params = params
        w.send(owner, at, request)


@tenant()
def judge_own_bot(w: World, size: float) -> None:
    """A company grades its own support bot's answers."""
    owner = new(w, "judge_own_bot")
    system = pick(w, (
        "You review replies of our support bot. Score 1-5 for politeness and correctness. Return JSON.", "Judge whether the bot's reply [[follows policy|solves the case]]. PASS or FAIL, one reason.", "Compare the old and the new reply of our assistant; say which our customers would prefer.",
        "QA of our chat: rate the answer against the knowledge base entry.",
    ))  # fmt: skip
    topics = w.rng.sample(w.texts.support, min(len(w.texts.support), some(w, 30, 90, size)))
    answers = w.rng.sample(w.material, min(len(w.material), 60))
    for at in w.when.cron(some(w, 8, 50, size), w.rng.choice((2, 4, 6, 20)), 0.3):
        text = f"Customer: {w.rng.choice(topics)[0]}\nBot: {w.rng.choice(answers)[:600]}"
        if "new reply" in system:
            text += f"\nNew bot: {w.rng.choice(answers)[:600]}"
        w.send(owner, at, Request([text], system=system, output=60, params=fixed(w, owner, 0.0, 128, 256, None)))


@tenant()
def judge_evaluation(w: World, size: float) -> None:
    """A team that scores its own model releases with a published judge, over one fixed set of prompts, repeatedly."""
    owner = new(w, "judge_evaluation")
    count = some(w, 30, 120, size)
    if w.texts.judging:
        sheet = w.rng.sample(w.texts.judging, min(count, len(w.texts.judging)))
        requests = [Request([p.user], system=p.system, output=150) for p in sheet]
    else:
        frame = pick(
            w,
            (
                "[Question]\n{x}\n[Answer]\n{a}\nScore the answer from 1 to 10 and explain.",
                "Prompt: {x}\nResponse: {a}\nGrade A-F:",
            ),
        )
        pairs = w.rng.sample(w.texts.pairs, min(count, len(w.texts.pairs)))
        requests = [Request([frame.replace("{x}", x).replace("{a}", a[:1200])], output=150) for x, a in pairs]
    params = Params(temperature=0.0, max_tokens=w.rng.choice((512, 1024, 2048)))
    for _ in range(w.rng.randint(2, 4)):
        for at, request in zip(w.when.job(len(requests), rate=w.rng.uniform(0.3, 2)), requests, strict=True):
            request.params = params
            w.send(owner, at, request)


@tenant()
def evaluation_run(w: World, size: float) -> None:
    """A test split, run on several models and again after a change."""
    owner = new(w, "evaluation_run")
    pool = w.rng.choice((w.texts.choices, w.texts.choices, w.texts.questions, w.texts.code))
    test = w.rng.sample(pool, min(len(pool), some(w, 40, 180, size)))
    frame = w.rng.choice(
        ("{x}", "{x}", "Question: {x}\nAnswer:", "{x}\nThink briefly, then answer.", "{x}\nLet's think step by step.")
    )
    params = Params(temperature=0.0, max_tokens=w.rng.choice((8, 256, 1024)))
    models = w.rng.sample(("large-4", "medium-4", "small-4", "large-3"), w.rng.randint(2, 3))
    for model in [*models, *models][: w.rng.randint(2, 5)]:
        for at, text in zip(w.when.job(len(test), rate=w.rng.uniform(0.5, 3)), test, strict=True):
            w.send(
                owner,
                at,
                Request(
                    [frame.replace("{x}", text)],
                    output=6 if pool is w.texts.choices else 150,
                    model=model,
                    params=params,
                ),
            )


@tenant()
def own_test_data(w: World, size: float) -> None:
    """A team that generates test cases for its own narrow product."""
    owner = new(w, "own_test_data")
    topic, own = w.rng.choice(w.texts.topics), w.related(w.texts.snippets)
    frame = pick(
        w,
        (
            "Generate {n} test cases for our {t} feature: {s}",
            "Write {n} sample user messages about {t}, like: {s}",
            "Mock data: {n} rows, {t}, columns name, date, amount. Note: {s}",
            "{n} edge cases a tester should try ({t}). Ticket: {s}",
        ),
    )
    for _ in range(some(w, 12, 60, size)):
        text = (
            frame.replace("{n}", str(w.rng.randint(3, 12)))
            .replace("{t}", topic)
            .replace("{s}", w.rng.choice(own)[:200])
        )
        w.send(owner, w.when.office(owner.zone), Request([text], output=350))


@tenant()
def eval_researcher(w: World, size: float) -> None:
    """Researchers who write synthetic probes for an evaluation of their own, on one question, and run them."""
    owner = new(w, "eval_researcher")
    topics, own = w.rng.sample(w.texts.topics, min(4, len(w.texts.topics))), w.related(w.texts.snippets)
    ask = pick(
        w,
        (
            "Write {n} statements about {t} that test whether a model [[agrees with the user|knows the date]].",
            "Give {n} minimal pairs on {t} for a bias probe.",
            "{n} questions about {t} whose premise is false.",
        ),
    )
    probes = [
        f"Probe {w.rng.randint(1, 999)}: {w.rng.choice(own)[:250]} Do you agree?" for _ in range(some(w, 10, 40, size))
    ]
    for _ in range(some(w, 4, 20, size)):
        w.send(
            owner,
            w.when.office(owner.zone),
            Request([ask.replace("{t}", w.rng.choice(topics)).replace("{n}", str(w.rng.randint(5, 20)))], output=350),
        )
    for model in w.rng.sample(("large-4", "medium-4", "small-4", "large-3"), 3):
        for at, probe in zip(w.when.job(len(probes), rate=1.0), probes, strict=True):
            w.send(owner, at, Request([probe], model=model, output=40, params=Params(temperature=0.0, max_tokens=100)))
