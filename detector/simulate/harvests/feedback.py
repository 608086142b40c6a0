"""Families in which a model's answers are the material: grading, synthesis of tasks, cleaning of traces."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from detector.simulate.harvests.base import Item, Work, harvest
from detector.simulate.world import Request

KEPT = 60  # recent answers that may come back as inputs
COMES_BACK = 0.45  # share of synthesis requests whose seed is an earlier answer


@harvest
def grader(work: Work) -> Iterator[Item]:
    """Rubrics, preferences, verification, ranking: several candidates a prompt, all of them other models' answers."""
    w = work.world
    candidates = w.rng.choice((1, 2, 4))
    for question, answer in work.walk(w.texts.pairs):
        for i in range(candidates):
            first = answer if i == 0 else work.answer(len(answer) + 200)
            yield [work.ask(question, 140, a=first[:1500], b=work.answer(len(answer) + 200))]


@harvest
def instruction_synthesis(work: Work) -> Iterator[Item]:
    """Self-instruct, evolution, personas, questions out of documents; answers come back as later inputs."""
    w = work.world
    earlier: deque[str] = deque(maxlen=KEPT)
    topics = work.walk(w.texts.topics)
    for text in work.walk(w.texts.instructions):
        comes_back = bool(earlier) and w.rng.random() < COMES_BACK
        seed = w.rng.choice(earlier) if comes_back else text
        document = w.document(3000) if work.variant == "from_document" else ""
        request = work.ask(seed, 450, t=next(topics), d=document)
        made = [w.rng.choice(w.texts.instructions)[:500] for _ in range(w.rng.randint(1, 4))]
        request.response = "\n".join(made)
        earlier.extend(made)
        yield [request]


@harvest
def trace_cleaning(work: Work) -> Iterator[Item]:
    """Captured answers rewritten, reformatted, filtered; some were captured here before, often by another account."""
    w = work.world
    captured_here = w.rng.random() < 0.5
    for question, answer in work.walk(w.texts.pairs):
        if captured_here:
            yield [Request([question], output=400, response=answer)]
        yield [work.ask(question, 320, a=answer[:2500])]
