"""Families that walk through a corpus or a field: pairs, reasoning, a fixed prompt, benchmarks, sweeps, probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from detector.event import Params
from detector.simulate.harvests.base import Item, Work, asked, harvest
from detector.simulate.world import Request


@harvest
def sft_pairs(work: Work) -> Iterator[Item]:
    """Instruction/answer pairs: an instruction corpus walked through, no frame or a thin one."""
    instructions = work.walk(work.world.texts.instructions)
    for text in instructions:
        if work.variant == "several":
            yield [work.ask(text, 700, y=next(instructions), z=next(instructions))]
        else:
            yield [work.ask(text, 420)]


@harvest
def reasoning(work: Work) -> Iterator[Item]:
    """Chains of thought over problems: forced in the prompt, in the system prompt, in another language, or after the fact."""
    texts = work.world.texts
    if work.variant == "rationale":
        for question, answer in work.walk(texts.pairs):
            yield [work.ask(question, 500, a=answer[:300])]
    r = work.world.rng
    for text in work.walk(r.choice((texts.questions, texts.questions, texts.questions + texts.choices, texts.code))):
        frame = work.frame().fill(x=text)
        first = asked(frame, 650)
        if frame.after is None:
            yield [first]
        else:
            short = work.answer(200)
            first.output, first.response = 60, short
            yield [first, Request([frame.user, frame.after], system=frame.system, answers=[short], output=600)]


@harvest
def fixed_prompt(work: Work) -> Iterator[Item]:
    """Human-looking work of every kind with one constant sentence."""
    instructions = work.walk(work.world.texts.instructions)
    while True:
        text = work.world.dialogue()[0] if work.world.rng.random() < 0.7 else next(instructions)
        yield [work.ask(text, 550)]


@harvest
def corpus_replay(work: Work) -> Iterator[Item]:
    """A public training split, once each."""
    texts, r = work.world.texts, work.world.rng
    questions = r.choice((texts.choices, texts.questions, texts.questions + texts.code))
    output = 20 if questions is texts.choices else 280
    examples = r.sample(texts.pairs, min(6, len(texts.pairs)))
    for text in work.walk(questions):
        example, answer = r.choice(examples)
        yield [work.ask(text, output, y=example, a=answer[:300])]


@harvest
def domain_sweep(work: Work) -> Iterator[Item]:
    """A field walked through evenly: every topic by every frame, or every document, or every sentence to translate."""
    w = work.world
    sources = work.walk(w.texts.snippets + w.texts.documents)
    for topic in work.walk(w.texts.topics):
        if work.variant == "translation":
            yield [work.ask(next(sources)[:1500], 260)]
        elif work.variant == "long_context":
            yield [work.ask("", 350, d=w.document(), t=topic)]
        else:
            yield from ([asked(frame.fill(t=topic), 700)] for frame in work.frames)


@harvest
def logprobs(work: Work) -> Iterator[Item]:
    """The teacher's distribution over a broad corpus."""
    w = work.world
    r = w.rng
    params = Params(
        temperature=r.choice((0.0, 1.0, 1.0)),
        max_tokens=r.choice((1, 8, 64, 256)),
        logprobs=True,
        top_logprobs=r.choice((20, 20, 20, 10)),
    )
    for text in work.walk(r.choice((w.texts.instructions, w.texts.instructions + w.texts.questions, w.texts.snippets))):
        if work.variant == "bias_sweep":
            for _ in range(r.choice((4, 8))):
                bias = {str(r.randrange(100_000)): 100.0 for _ in range(r.choice((1, 5, 20)))}
                sweep = Params(temperature=0.0, max_tokens=1, logprobs=True, top_logprobs=params.top_logprobs, logit_bias=bias)  # fmt: skip
                request = work.ask(text, 1)
                request.params = sweep
                yield [request]
        else:
            request = work.ask(text, min(params.max_tokens or 60, 90))
            request.params = params
            yield [request]
