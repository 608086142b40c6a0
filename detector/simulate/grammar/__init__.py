# ruff: noqa: E501
"""Texts made by a grammar of our own, so that tests and the demo need no outside data."""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import accumulate

from detector.simulate.grammar import phrases
from detector.simulate.grammar.languages import LANGUAGES
from detector.simulate.grammar.technical import Technical
from detector.simulate.grammar.topics import DOMAINS
from detector.simulate.texts import Dialogue, Texts

__all__ = ["Grammar", "built_in"]

ZIPF = (
    0.8  # exponent of the topics' popularity: the first of 350 is asked about some hundred times as often as the last
)
TYPOS = 0.25  # share of chat turns with slips of the finger
FOREIGN = 0.16  # share of dialogues in another language than English
MAX_FOLLOW_UPS = 9


class Grammar(Technical):
    """Makes texts from word lists; every call draws afresh from ``rng``."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.places = [(topic, domain) for domain in DOMAINS.values() for topic in domain.topics]
        self.topics = [topic for topic, _ in self.places]
        popular = rng.sample(range(len(self.places)), len(self.places))
        self._order = [self.places[i] for i in popular]
        self._weights = list(accumulate(1 / (rank + 2) ** ZIPF for rank in range(len(popular))))
        self._languages = list(LANGUAGES.values())
        self._language_weights = (5, 4, 4, 3, 2, 2, 2)

    def slots(self, even: bool = False) -> dict[str, str]:
        """One filling of all slots around a topic; ``even`` draws topics evenly, else the popular ones more often."""
        r = self.rng
        topic, domain = r.choice(self.places) if even else r.choices(self._order, cum_weights=self._weights)[0]
        side, other = r.sample(domain.sides, 2)
        n = int(r.random() ** 2 * 190) + 2
        return {
            "t": topic,
            "T": topic[0].upper() + topic[1:],
            "u": r.choice(domain.topics),
            "s": side,
            "v": other,
            "p": r.choice(phrases.PEOPLE),
            "p2": r.choice(phrases.NAMES),
            "q": r.choice(phrases.SURNAMES),
            "c": r.choice(phrases.CITIES),
            "n": str(n),
            "m": str(n % 9 + 2),
            "d": f"{r.randint(1, 28)} {r.choice(phrases.MONTHS)}",
        }

    def chat(self) -> Dialogue:
        """A person's dialogue of one to ten turns about something of theirs."""
        r = self.rng
        more = min(int(r.expovariate(0.5)), MAX_FOLLOW_UPS)
        if r.random() < FOREIGN:
            language = r.choices(self._languages, self._language_weights)[0]
            topic = r.choice(language.topics)
            patterns = [r.choice(language.asks), *(r.choice(language.follow) for _ in range(more))]
            return [p.format(t=topic, u=r.choice(language.topics)) for p in patterns]
        slots = self.slots()
        first = r.choice(phrases.OPENERS) + r.choice(phrases.ASKS).format_map(slots)
        while r.random() < 0.3:
            first += r.choice((". ", "\n", " - ", ", also ")) + r.choice(phrases.ASKS).format_map(
                slots | {"t": "it", "s": slots["v"]}
            )
        turns = [first]
        for _ in range(more):
            pattern = r.choice(phrases.FOLLOW) if r.random() < 0.85 else r.choice(phrases.ASKS)
            turns.append(pattern.format_map(slots))
            slots["s"], slots["v"] = slots["v"], slots["s"]
        return [self._informal(t) for t in turns]

    def _informal(self, text: str) -> str:
        r = self.rng
        if r.random() < 0.3:
            text = text.lower()
        if r.random() < 0.2:
            text = text.rstrip("?.")
        if r.random() < TYPOS and len(text) > 4:
            i = r.randrange(len(text) - 2)
            slip = r.random()
            if slip < 0.4:
                text = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
            elif slip < 0.7:
                text = text[:i] + text[i + 1 :]
            else:
                text = text[:i] + text[i] + text[i:]
        return text

    def instruction(self) -> str:
        """A self-contained task, as instruction corpora have them."""
        r = self.rng
        if r.random() < 0.12:
            language = r.choices(self._languages, self._language_weights)[0]
            return r.choice(language.tasks).format(t=r.choice(language.topics), u=r.choice(language.topics))
        slots = self.slots(even=True)
        task = r.choice(phrases.TASKS).format_map(slots)
        if r.random() < 0.25:
            task += f" {r.choice(('Use', 'Write', 'Limit yourself to'))} {r.choice((2, 3, 4, 5, 6, 50, 80, 100, 150))} {r.choice(('sentences', 'words', 'lines'))}."
        if r.random() < 0.1:
            task += "\n\nInput: " + r.choice(phrases.SENTENCES).format_map(slots)
        return task

    def document(self, sentences: int | None = None) -> str:
        """A document of some ten to forty sentences on one subject."""
        r = self.rng
        slots = self.slots()
        out = []
        for i in range(sentences or r.randint(10, 40)):
            if i % 4 == 3:
                fresh = self.slots()
                slots |= {k: fresh[k] for k in ("n", "m", "d", "q", "c")}
                slots["s"], slots["v"] = slots["v"], slots["s"]
            out.append(r.choice(phrases.SENTENCES).format_map(slots))
        return " ".join(out)

    def answer(self, slots: dict[str, str] | None = None) -> str:
        """A model's answer."""
        slots = slots or self.slots()
        return " ".join(p.format_map(slots) for p in self.rng.sample(phrases.EXPLANATIONS, self.rng.randint(2, 9)))

    def pair(self) -> tuple[str, str]:
        """An instruction and a model's answer to it."""
        slots = self.slots(even=True)
        return self.rng.choice(phrases.TASKS).format_map(slots), self.answer(slots)

    def snippet(self) -> str:
        """A short text of a customer or a clerk."""
        slots = self.slots()
        if self.rng.random() < 0.5:
            return self._informal(self.rng.choice(phrases.ASKS).format_map(slots))
        return " ".join(p.format_map(slots) for p in self.rng.sample(phrases.SENTENCES, self.rng.choice((1, 1, 2, 3))))

    def multiple_choice(self) -> str:
        """A multiple-choice question."""
        r = self.rng
        slots = self.slots(even=True)
        _, domain = next(p for p in self.places if p[0] == slots["t"])
        stem = r.choice(
            (
                "Which statement about {t} is true?",
                "What explains {s} of {t} best?",
                "{T} is mainly determined by",
                "A trainee is asked about {t} and mentions {s}. What should come next?",
                "With regard to {v}, {t} differs from {u} in",
                "In {c}, {n} cases of {t} were studied. The decisive factor was",
            )
        ).format_map(slots)
        options = r.sample(domain.sides, 4)
        return stem + "".join(f"\n{letter}. {o}" for letter, o in zip("ABCD", options, strict=True)) + "\nAnswer:"


@lru_cache(maxsize=2)
def _pools(seed: int, size: int) -> Texts:
    g = Grammar(random.Random(seed))
    few = max(size // 4, 50)
    return Texts(
        chats=[g.chat() for _ in range(size)],
        instructions=list(dict.fromkeys(g.instruction() for _ in range(2 * size))),
        questions=list(dict.fromkeys(g.question() for _ in range(size))),
        code=list(dict.fromkeys(g.programming() for _ in range(size))),
        agent_tasks=[g.agent_task() for _ in range(size // 2)],
        documents=[g.document() for _ in range(few)],
        support=[g.service() for _ in range(size // 2)],
        answers=[g.answer() for _ in range(size)],
        pairs=[g.pair() for _ in range(size // 2)],
        snippets=[g.snippet() for _ in range(size)],
        sql=[g.database() for _ in range(size // 2)],
        choices=[g.multiple_choice() for _ in range(size // 2)],
        topics=list(g.topics),
    )


def built_in(seed: int, size: int = 4000) -> Texts:
    """Pools of about ``size`` texts a role, mostly distinct, the same for the same seed. Do not change them: they are kept."""
    return _pools(seed, size)
