"""Families of conversations that were not held here: replayed sessions and relayed users."""

from __future__ import annotations

from collections.abc import Iterator

from detector.simulate.harvests.base import Item, Work, harvest
from detector.simulate.world import Request


@harvest
def session_replay(work: Work) -> Iterator[Item]:
    """Stored sessions that arrive whole, each asked for its next answer; nothing of them was built up here."""
    w = work.world
    every_turn = w.rng.random() < 0.3
    while True:
        turns = w.dialogue()
        if len(turns) < 2:
            turns = [*turns, *w.dialogue()[:2]]
        frame = work.frame()
        answers = [work.answer(300) for _ in turns]
        lengths = range(2, len(turns) + 1) if every_turn else [len(turns)]
        for n in sorted(lengths, key=lambda _: w.rng.random()):
            yield [Request(turns[:n], system=frame.system, answers=answers[: n - 1], output=350)]


@harvest
def relay(work: Work) -> Iterator[Item]:
    """Real users of a foreign product, load-balanced: any account may get any turn of a dialogue."""
    w = work.world
    product = w.rng.choice(("Nara", "Lumo", "Teta", "Boba", "Orin", "Sage", "Vela")) + w.token("", 12)
    while True:
        turns = w.dialogue()
        frame = work.frame()
        answers = [w.rng.choice(w.texts.answers)[:400] for _ in turns]
        shown = [frame.fill(x=turn, p=product, n=str(w.rng.randint(10_000, 99_999))) for turn in turns]
        for n in range(1, len(turns) + 1):
            yield [
                Request(
                    [f.user for f in shown[:n]],
                    system=shown[0].system,
                    answers=answers[: n - 1],
                    output=280,
                    response=answers[n - 1],
                )
            ]
