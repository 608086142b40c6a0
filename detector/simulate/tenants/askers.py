"""People who ask single questions of every kind: what they ask may stand in any corpus, only how they ask is theirs.

The scorer is taught by them that words alone are no evidence. They are no part of the benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.simulate.identities import Owner
from detector.simulate.people import chat_session
from detector.simulate.tenants.base import new, pick, some, tenant
from detector.simulate.world import Request, World

MAX_CHARS = 3000  # of a question
WEIGHTS = (5, 5, 3, 2, 2, 1, 1, 0.5)  # of the pools of texts
OPENINGS = (
    "You are an expert in {t}. Answer the following question.",
    "Act as a [[patient|strict|friendly]] teacher of {t}.",
    "[[Context|Background]]: I work on {t} and need precise answers.",
    "Answer [[briefly|in detail|in plain words]], [[no lists|with examples|as a table where it helps]].",
    "Please write in [[simple|formal|British]] English.",
    "I am learning about {t}. Explain as if I were [[twelve|a beginner|a colleague]].",
    "Rewrite this so that it sounds more [[natural|professional]]:",
    "Give me [[three|five|ten]] ideas for this:",
    "continue in the same style as before, do not repeat yourself.",
)


@tenant(lookalike=False)
def curious_user(w: World, size: float) -> None:
    """A person who asks whatever comes up, each question by itself; some keep to one field."""
    owner, r, texts = new(w, "curious_user", "person"), w.rng, w.texts
    own: list[str] = []
    if r.random() < 0.3:
        own = w.related(r.choice((texts.instructions, texts.questions, texts.code, texts.snippets)))
    output = r.choice((120, 250, 400, 600))
    for _ in range(some(w, 2, 14, size)):
        count = min(1 + int(r.expovariate(1 / 5)), 40)
        asked = [r.choice(own) if own and r.random() < 0.8 else _question(w) for _ in range(count)]
        _sitting(w, owner, asked, output)


@tenant(lookalike=False)
def preamble_user(w: World, size: float) -> None:
    """A person who pastes the same words before each question of a sitting."""
    owner, r = new(w, "preamble_user", "person"), w.rng
    for _ in range(some(w, 2, 10, size)):
        if r.random() < 0.4:
            chat_session(w, owner, w.when.waking(owner.zone), history=False)
            continue
        opening = pick(w, OPENINGS).replace("{t}", r.choice(w.texts.topics))
        if r.random() < 0.4:  # some paste a page, not a sentence
            opening = w.document(r.randint(150, 900))
        asked = [_question(w) for _ in range(r.randint(3, 16))] if r.random() < 0.5 else list(w.dialogue())
        if len(asked) < 4:
            asked += [_question(w) for _ in range(r.randint(3, 9))]
        between = r.choice((" ", "\n", "\n\n"))
        texts = [f"{opening}{between}{ask}" if r.random() < 0.9 else ask for ask in asked[:20]]
        _sitting(w, owner, texts, r.choice((150, 300, 500)))


def _question(w: World) -> str:
    """Something to ask, from any pool."""
    return w.rng.choice(w.rng.choices(w.texts.pools(), WEIGHTS)[0])


def _sitting(w: World, owner: Owner, texts: Sequence[str], output: float) -> None:
    """Questions one after the other, with time to read the answer and to type."""
    at = w.when.waking(owner.zone)
    for text in texts:
        if at <= w.when.end:
            w.send(owner, at, Request([text[:MAX_CHARS]], output=output))
        at += w.when.think(len(text))
