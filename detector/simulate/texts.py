"""Texts for simulated traffic: pools by role, made by a grammar of our own.

A :class:`Texts` is only lists; benchmarks fill them from real corpora instead, and nothing else of the simulator changes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

Dialogue = list[str]  # the user's turns


@dataclass
class Texts:
    """Pools that tenants and campaigns draw from."""

    chats: list[Dialogue] = field(default_factory=list)  # what ordinary people ask, turn by turn
    instructions: list[str] = field(default_factory=list)  # self-contained tasks of an instruction corpus
    questions: list[str] = field(default_factory=list)  # problems with a checkable answer
    code: list[str] = field(default_factory=list)  # programming tasks
    agent_tasks: list[str] = field(default_factory=list)  # tasks that need tools
    documents: list[str] = field(default_factory=list)  # long material
    support: list[Dialogue] = field(default_factory=list)  # service dialogues
    answers: list[str] = field(default_factory=list)  # model answers
    snippets: list[str] = field(default_factory=list)  # short texts to be classified
    sql: list[str] = field(default_factory=list)  # questions to a database
    choices: list[str] = field(default_factory=list)  # multiple-choice questions of an evaluation set
    topics: list[str] = field(default_factory=list)


_DOMAINS: dict[str, tuple[str, ...]] = {
    "cooking": (
        "sourdough bread",
        "a vegetable curry",
        "pasta sauce",
        "grilling fish",
        "a birthday cake",
        "fermented cabbage",
        "rice noodles",
        "knife care",
    ),
    "health": (
        "back pain",
        "sleep problems",
        "marathon training",
        "vitamin D",
        "stretching",
        "a cold",
        "blood pressure",
        "meditation",
    ),
    "money": (
        "a household budget",
        "index funds",
        "a mortgage",
        "tax returns",
        "freelance invoices",
        "pension plans",
        "currency risk",
        "a credit score",
    ),
    "history": (
        "the Hanseatic League",
        "the Meiji era",
        "Roman aqueducts",
        "the Silk Road",
        "the Black Death",
        "the printing press",
        "Maya astronomy",
        "the Suez crisis",
    ),
    "science": (
        "black holes",
        "plate tectonics",
        "enzymes",
        "superconductors",
        "tides",
        "soil bacteria",
        "entropy",
        "the ozone layer",
        "RNA",
        "neutrinos",
    ),
    "mathematics": (
        "prime numbers",
        "matrix inverses",
        "conditional probability",
        "fractions",
        "integrals",
        "graph colouring",
        "geometric series",
        "modular arithmetic",
    ),
    "software": (
        "a race condition",
        "database indexes",
        "a REST client",
        "regular expressions",
        "unit tests",
        "git branches",
        "a memory leak",
        "CSS grids",
        "a cron job",
        "Docker images",
    ),
    "travel": (
        "a week in Lisbon",
        "night trains",
        "visa rules",
        "hiking in Norway",
        "packing light",
        "airport transfers",
        "a road trip in Chile",
        "Kyoto temples",
    ),
    "work": (
        "a difficult colleague",
        "a job interview",
        "meeting notes",
        "a resignation letter",
        "project plans",
        "performance reviews",
        "a sales pitch",
        "onboarding",
    ),
    "language": (
        "Spanish subjunctive",
        "German cases",
        "business English",
        "Japanese particles",
        "etymology",
        "idioms",
        "pronunciation",
        "a cover letter",
    ),
    "garden": (
        "tomato blight",
        "compost",
        "pruning roses",
        "a small pond",
        "indoor herbs",
        "slugs",
        "raised beds",
        "fruit trees",
    ),
    "art": (
        "watercolour skies",
        "portrait light",
        "chord progressions",
        "a short story",
        "film editing",
        "typography",
        "clay glazes",
        "a sonnet",
    ),
    "law": (
        "a rental contract",
        "copyright",
        "employment notice",
        "small claims",
        "data protection",
        "a patent search",
        "wills",
        "consumer rights",
    ),
    "family": (
        "a toddler's tantrums",
        "homework",
        "screen time",
        "a wedding speech",
        "elderly parents",
        "pet adoption",
        "sibling rivalry",
        "birthday games",
    ),
    "machines": (
        "bicycle gears",
        "heat pumps",
        "a leaking tap",
        "car batteries",
        "3D printing",
        "solar panels",
        "drones",
        "a dishwasher fault",
    ),
    "society": (
        "urban planning",
        "voting systems",
        "public libraries",
        "energy policy",
        "migration",
        "social media",
        "the welfare state",
        "trade unions",
    ),
}
_TASKS = (
    "Describe the main features of {t}.",
    "Explain {t} to a beginner.",
    "Write a paragraph about {t}.",
    "List five important facts about {t}.",
    "Compare {t} with {u}.",
    "Summarize what is known about {t}.",
    "Give an example that involves {t}.",
    "What are the advantages and drawbacks of {t}?",
    "Create a short quiz question on {t}.",
    "Write a dialogue between two people who discuss {t}.",
    "Suggest three ways to improve {t}.",
    "Classify the following as belonging to {t} or {u}: {v}.",
    "Propose a title for an article on {t}.",
    "Write a poem about {t}.",
    "Outline a lesson plan on {t}.",
    "Identify common mistakes with {t}.",
    "Rewrite this sentence formally: {t} is really hard to get right.",
    "Provide a step-by-step guide for {t}.",
    "How does {t} relate to {u}?",
    "Generate a list of keywords for {t}.",
    "Draft an e-mail that asks an expert about {t}.",
    "Discuss the role of {v} in {t}.",
    "What questions should one ask before starting with {t}?",
    "Design a small experiment on {t}.",
)
_OPENERS = (
    "",
    "",
    "",
    "hi, ",
    "hey ",
    "hello! ",
    "so ",
    "ok ",
    "quick question: ",
    "sorry if this is silly but ",
    "um ",
)
_ASKS = (
    "how do i deal with {t}",
    "what's the deal with {t}?",
    "my {p} asked me about {t} and i have no idea",
    "can you help me with {t} please",
    "i've been struggling with {t} for weeks",
    "is it normal that {t} takes so long",
    "need ideas for {t}",
    "why does {t} never work for me",
    "what would you do about {t}",
    "i want to get better at {t}, where do i start",
    "do you know anything about {t}",
    "thinking about {t} vs {u}, thoughts?",
    "{t} - any tips",
    "could you check my plan for {t}? i start on monday",
    "explain {t} like i'm tired",
)
_FOLLOW = (
    "ok but what about {v}",
    "can you make that shorter",
    "thanks! and how long does it take",
    "i don't get the second part",
    "no i meant {u}",
    "hmm my {p} says the opposite",
    "give me an example",
    "and if i can't afford that?",
    "great, now write it as a list",
    "are you sure",
    "what did you mean by that",
    "that didn't work, it still fails",
    "in which order",
    "ok last question, is {v} worth it",
    "cool thanks",
    "could you say that in simpler words",
    "what if it rains",
    "and for two people?",
    "put that in an email to my {p}",
)
_PEOPLE = (
    "boss",
    "sister",
    "neighbour",
    "teacher",
    "flatmate",
    "mum",
    "friend",
    "client",
    "doctor",
    "landlord",
    "coach",
    "son",
)
_FOREIGN = (
    "¿Cómo puedo mejorar con {t}?",
    "Necesito ayuda con {t}, por favor",
    "Wie fange ich mit {t} an?",
    "Kannst du mir {t} erklären?",
    "Comment expliquer {t} simplement ?",
    "请问怎么学习{t}？",
    "帮我写一封关于{t}的邮件",
    "{t}について教えてください",
    "Как начать заниматься темой {t}?",
    "Me explica {t} de forma simples?",
)
_NAMES = (
    "Ana",
    "Bo",
    "Chidi",
    "Dana",
    "Emil",
    "Fatima",
    "Goro",
    "Hana",
    "Ivo",
    "Jun",
    "Kemal",
    "Lena",
    "Milo",
    "Nadia",
    "Omar",
    "Pia",
    "Quinn",
    "Rosa",
    "Sven",
    "Tala",
)
_THINGS = (
    "apples",
    "tickets",
    "boxes",
    "stamps",
    "bottles",
    "pages",
    "coins",
    "metres of rope",
    "chairs",
    "seeds",
    "photos",
    "litres of paint",
)
_SURNAMES = (
    "Adler",
    "Bakker",
    "Costa",
    "Duarte",
    "Eze",
    "Fischer",
    "Grant",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lindgren",
    "Mbeki",
    "Novak",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Silva",
    "Tanaka",
)
_KINDS = (
    "red",
    "small",
    "wooden",
    "old",
    "cheap",
    "striped",
    "round",
    "heavy",
    "rare",
    "green",
    "broken",
    "numbered",
    "empty",
    "blue",
    "folded",
    "long",
)
_LANGUAGES = ("Python", "JavaScript", "Go", "Rust", "Java", "C", "SQL", "TypeScript", "Kotlin", "Bash")
_VERBS = (
    "reverses",
    "sorts",
    "merges",
    "counts",
    "validates",
    "parses",
    "deduplicates",
    "caches",
    "rotates",
    "compresses",
    "tokenises",
    "paginates",
)
_OBJECTS = (
    "a list of dates",
    "nested dictionaries",
    "log lines",
    "a linked list",
    "CSV rows",
    "two sorted arrays",
    "IP addresses",
    "a binary tree",
    "user sessions",
    "file paths",
    "JSON records",
    "a matrix",
)
_LABELS = ("billing", "delivery", "praise", "spam", "fault", "refund", "question")
_SENTENCES = (
    "The committee met on {d} and discussed {t} at length.",
    "Costs rose by {n} percent because of {v}.",
    "According to the report, {t} will need {n} more months.",
    "Several members pointed to {u} as the main risk.",
    "In the second quarter {n} customers asked about {t}.",
    "A trial with {n} participants showed mixed results for {v}.",
    "The supplier confirmed delivery of {n} units by {d}.",
    "Nothing in the contract forbids {u}.",
    "Earlier work on {t} had assumed that {v} plays no part.",
    "The board asked for a second opinion on {u} before {d}.",
    "Staff were trained in {t} over {n} sessions.",
    "The figures for {v} were corrected twice.",
)


class Grammar:
    """Makes texts from word lists; every call draws afresh from ``rng``."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.topics = [t for group in _DOMAINS.values() for t in group]
        rng.shuffle(self.topics)
        self._weights = [1 / (i + 3) ** 0.7 for i in range(len(self.topics))]  # topics are unequal, as in life

    def topic(self) -> str:
        """A topic, popular ones more often."""
        return self.rng.choices(self.topics, self._weights)[0]

    def fill(self, pattern: str, topic: str | None = None) -> str:
        """A pattern with its slots filled."""
        r = self.rng
        return pattern.format(
            t=topic or self.topic(),
            u=r.choice(self.topics),
            v=r.choice(self.topics),
            p=r.choice(_PEOPLE),
            n=r.randint(2, 400),
            d=f"{r.randint(1, 28)} {r.choice(('March', 'May', 'June', 'October'))}",
        )

    def chat(self) -> Dialogue:
        """A person's dialogue of one to nine turns about something of theirs."""
        r, topic = self.rng, self.topic()
        if r.random() < 0.12:
            return [
                self.fill(r.choice(_FOREIGN), topic),
                *(self.fill(r.choice(_FOREIGN), topic) for _ in range(r.randint(0, 3))),
            ]
        first = r.choice(_OPENERS) + self.fill(r.choice(_ASKS), topic)
        if r.random() < 0.25:
            first += ". " + " ".join(self.fill(r.choice(_ASKS)) for _ in range(r.randint(1, 2)))
        turns = [first, *(self.fill(r.choice(_FOLLOW), topic) for _ in range(min(int(r.expovariate(0.5)), 8)))]
        return [self._typo(t) if r.random() < 0.3 else t for t in turns]

    def _typo(self, text: str) -> str:
        i = self.rng.randrange(max(len(text) - 1, 1))
        return text[:i] + text[i + 1 : i + 2] + text[i : i + 1] + text[i + 2 :]

    def instruction(self) -> str:
        """A self-contained task."""
        return self.fill(self.rng.choice(_TASKS), self.rng.choice(self.topics))

    def question(self) -> str:
        """A small problem with a number as its answer."""
        r = self.rng
        a, b = (f"{r.choice(_NAMES)} {r.choice(_SURNAMES)}" for _ in range(2))
        c = f"{r.choice(_KINDS)} {r.choice(_THINGS)}"
        n, m, k = r.randint(3, 90), r.randint(2, 40), r.randint(2, 9)
        return r.choice(
            (
                f"{a} has {n} {c} and gives {b} {m % n + 1} of them, then buys {k} times as many as are left. How many {c} does {a} have?",
                f"{a} takes a train at {k}:{m:02d} that travels {n} km at {m + 30} km/h to meet {b}. When does it arrive?",
                f"What is the probability that {a} draws {k} {c} in a row from a bag with {n} of them and {m} others, without putting any back?",
                f"{a} is {k} years older than {b}. In {m} years {a} and {b} will be {n + 2 * m} together. How old is {b} now?",
                f"{a} seeks the smallest number of {c} above {n} that leaves {k % 3 + 1} when shared among {m + 3} friends. What is it?",
                f"If {a} and {k} helpers pack {m} {c} in {n} hours, how long do {k + 2} helpers need for {m * 2} of them?",
                f"The garden of {a} is {k} metres longer than wide and holds {n * m} square metres of {c}; what fence do {a} and {b} need?",
            )
        )

    def programming(self) -> str:
        """A programming task."""
        r = self.rng
        return r.choice(
            (
                "Write a {l} function that {v} {o}.",
                "Implement in {l}: a class that {v} {o}, with tests.",
                "Fix the bug: my {l} code that {v} {o} fails for empty input.",
                "Refactor the {l} module that {v} {o} so that it streams.",
                "Explain the complexity of a {l} routine that {v} {o}.",
            )
        ).format(l=r.choice(_LANGUAGES), v=r.choice(_VERBS), o=r.choice(_OBJECTS)) + (
            f" It must handle {r.randint(10, 9000)} items." if r.random() < 0.5 else ""
        )

    def agent_task(self) -> str:
        """A task for an agent with a shell."""
        r = self.rng
        return r.choice(
            (
                "In the repository {a}, the test for the part that {v} {o} is flaky; find out why and fix it.",
                "Set up a {l} project that {v} {o} and add a command line.",
                "Search the web for {t}, compare three sources and write report.md.",
                "Book the cheapest option for {t} under {n} dollars and put it into the calendar.",
                "The service {a} crashes when it {v} {o}; reproduce it, bisect, patch.",
            )
        ).format(
            a=f"{r.choice(_NAMES).lower()}-{r.choice(_OBJECTS).split()[-1]}",
            v=r.choice(_VERBS),
            o=r.choice(_OBJECTS),
            l=r.choice(_LANGUAGES),
            t=self.topic(),
            n=r.randint(20, 900),
        )

    def document(self, sentences: int | None = None) -> str:
        """A document of some ten to forty sentences on one subject."""
        topic = self.topic()
        return " ".join(
            self.fill(self.rng.choice(_SENTENCES), topic) for _ in range(sentences or self.rng.randint(10, 40))
        )

    def answer(self) -> str:
        """A model's answer."""
        return self.document(self.rng.randint(2, 8))

    def service(self) -> Dialogue:
        """A customer's side of a service dialogue."""
        r = self.rng
        order = r.randint(10_000, 99_999)
        first = r.choice(
            (
                f"Where is my order {order}?",
                f"I want to return item {order}",
                "my card was charged twice",
                "how do i change my address",
                f"the {r.choice(_THINGS)} arrived broken, order {order}",
                "cancel my subscription please",
            )
        )
        more = (
            "yes",
            "no",
            "that's right",
            "when will i get the money",
            "ok thank you",
            f"it's {order}",
            "can i talk to a person",
            "the blue one",
            "by card",
        )
        return [first, *(r.choice(more) for _ in range(r.randint(0, 4)))]

    def snippet(self) -> str:
        """A short customer text to be classified."""
        return self.fill(self.rng.choice(_SENTENCES + _ASKS))

    def database(self) -> str:
        """A question to a company's database."""
        r = self.rng
        return r.choice(
            (
                "how many {o} did we sell in {d}",
                "show the top {n} customers by revenue since {d}",
                "which {o} have no price",
                "average basket of {o} per store",
                "list {o} returned after {d}",
            )
        ).format(
            o=r.choice(_THINGS), n=r.randint(3, 50), d=f"{r.choice(('March', 'May', 'June'))} {r.randint(2021, 2026)}"
        )

    def multiple_choice(self) -> str:
        """A multiple-choice question."""
        stem = self.fill(
            self.rng.choice(
                ("Which statement about {t} is true?", "What best explains {t}?", "{t} is mainly caused by")
            )
        )
        return stem + "".join(f"\n{letter}. {self.rng.choice(self.topics)}" for letter in "ABCD") + "\nAnswer:"


def built_in(seed: int, size: int = 4000) -> Texts:
    """Pools of about ``size`` texts a role, mostly distinct, the same for the same seed."""
    g = Grammar(random.Random(seed))
    return Texts(
        chats=[g.chat() for _ in range(size)],
        instructions=list(dict.fromkeys(g.instruction() for _ in range(2 * size))),
        questions=[g.question() for _ in range(size)],
        code=[g.programming() for _ in range(size)],
        agent_tasks=[g.agent_task() for _ in range(size // 2)],
        documents=[g.document() for _ in range(size // 4)],
        support=[g.service() for _ in range(size // 2)],
        answers=[g.answer() for _ in range(size // 2)],
        snippets=[g.snippet() for _ in range(size)],
        sql=[g.database() for _ in range(size // 2)],
        choices=[g.multiple_choice() for _ in range(size // 2)],
        topics=list(g.topics),
    )
