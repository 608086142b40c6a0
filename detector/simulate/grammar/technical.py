# ruff: noqa: E501
"""Texts with an exact side: problems, programs, agents' tasks, service dialogues, questions to a database."""

from __future__ import annotations

import random

from detector.simulate.frames import reword
from detector.simulate.grammar.phrases import CITIES, KINDS, NAMES, SURNAMES, THINGS
from detector.simulate.grammar.problems import ASIDES, PROBLEMS, SETTINGS

_LANGUAGES = (
    "Python",
    "JavaScript",
    "Go",
    "Rust",
    "Java",
    "C",
    "C#",
    "SQL",
    "TypeScript",
    "Kotlin",
    "Bash",
    "Ruby",
    "Swift",
    "PHP",
)
_VERBS = ("reverses", "sorts", "merges", "counts", "validates", "parses", "deduplicates", "caches", "rotates", "compresses", "tokenises", "paginates", "diffs", "batches", "encrypts", "samples", "retries", "normalises")  # fmt: skip
_OBJECTS = ("a list of dates", "nested dictionaries", "log lines", "a linked list", "CSV rows", "two sorted arrays", "IP addresses", "a binary tree", "user sessions", "file paths", "JSON records", "a matrix", "UTF-8 strings", "HTTP requests", "a priority queue", "image tiles", "bank transfers", "e-mail headers")  # fmt: skip
_QUALITIES = ("in constant memory", "without recursion", "with type hints", "in place", "lazily", "concurrently", "and logs failures", "with property tests", "for very large input", "and documents edge cases", "under a time limit", "using only the standard library")  # fmt: skip
_PARTS = (
    "scheduler",
    "importer",
    "billing",
    "auth",
    "search",
    "mailer",
    "exporter",
    "gateway",
    "planner",
    "archiver",
    "indexer",
    "renderer",
)
_COLUMNS = (
    "revenue",
    "refunds",
    "visits",
    "margin",
    "late deliveries",
    "new customers",
    "stock",
    "complaints",
    "hours worked",
    "energy use",
)
_GROUPS = (
    "store",
    "region",
    "month",
    "supplier",
    "age group",
    "channel",
    "employee",
    "product line",
    "weekday",
    "city",
)


class Technical:
    """The exact half of the grammar."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def question(self) -> str:
        """A small problem with a checkable answer; its story and its parts vary, so that problems share no frame."""
        r = self.rng
        slots = {
            "a": r.choice(NAMES) + (f" {r.choice(SURNAMES)}" if r.random() < 0.4 else ""),
            "b": r.choice(NAMES) + (f" {r.choice(SURNAMES)}" if r.random() < 0.2 else ""),
            "c": (f"{r.choice(KINDS)} " if r.random() < 0.7 else "") + r.choice(THINGS),
            "e": r.choice(THINGS),
            "x": r.choice(CITIES),
            "y": r.choice(CITIES),
            "n": str(r.randint(13, 90)),
            "m": str(r.randint(2, 12)),
            "k": str(r.randint(2, 9)),
            "p": str(r.randint(2, 400) * 5),
        }
        setting = r.choice(SETTINGS) if r.random() < 0.6 else ""
        givens, asked = r.choice(PROBLEMS)
        chosen = [reword(r, g) for g in givens]
        if r.random() < 0.4:
            chosen.insert(r.randrange(len(chosen) + 1), r.choice(ASIDES))
        return " ".join(part for part in (setting, *chosen, reword(r, asked)) if part).format_map(slots)

    def programming(self) -> str:
        """A programming task."""
        r = self.rng
        return r.choice(
            (
                "Write a {l} function that {v} {o} {q}.",
                "Implement in {l}: a class that {v} {o}, {q}.",
                "Fix the bug: my {l} code that {v} {o} fails for {n} items.",
                "Refactor the {l} module that {v} {o} so that it works {q}.",
                "Explain the complexity of a {l} routine that {v} {o} {q}.",
                "Port the {p} part, which {v} {o}, from {l} to {k}.",
                "Given {n} records, write {l} that {v} {o} and then {w} the result {q}.",
                "Review: a {l} pull request that {v} {o}; it claims to work {q}.",
                "Create a command-line tool in {l} which {v} {o} {q}.",
            )
        ).format(
            l=r.choice(_LANGUAGES),
            k=r.choice(_LANGUAGES),
            v=r.choice(_VERBS),
            w=r.choice(_VERBS),
            o=r.choice(_OBJECTS),
            q=r.choice(_QUALITIES),
            p=r.choice(_PARTS),
            n=r.randint(10, 9000),
        )

    def agent_task(self) -> str:
        """A task for an agent with tools."""
        r = self.rng
        return r.choice(
            (
                "In the repository {a}, the test of the {p} that {v} {o} is flaky; find out why and fix it.",
                "Set up a {l} project that {v} {o} and add a command line.",
                "Search the web for {c} {t}, compare {k} sources and write report.md.",
                "Book the cheapest trip from {c} to {y} under {n} dollars and put it into the calendar.",
                "The service {a} crashes when it {v} {o}; reproduce it, bisect, patch.",
                "Find {k} offers for {n} {t} in {c} and put them into a table with prices.",
                "Upgrade {a} to the current {l} release; the {p} must still pass.",
                "Read the inbox, answer what concerns the {p}, and file the rest under {y}.",
                "Download the {t} figures of {c}, plot them by {g}, and explain the outlier near {n}.",
            )
        ).format(
            a=f"{r.choice(NAMES).lower()}-{r.choice(_PARTS)}",
            p=r.choice(_PARTS),
            v=r.choice(_VERBS),
            o=r.choice(_OBJECTS),
            l=r.choice(_LANGUAGES),
            c=r.choice(CITIES),
            y=r.choice(CITIES),
            t=r.choice(THINGS),
            g=r.choice(_GROUPS),
            k=r.randint(2, 6),
            n=r.randint(20, 900),
        )

    def service(self) -> list[str]:
        """A customer's side of a service dialogue."""
        r = self.rng
        order = r.randint(10_000, 99_999)
        thing = f"{r.choice(KINDS)} {r.choice(THINGS)}"
        first = r.choice(
            (
                f"Where is my order {order}?",
                f"I want to return item {order}",
                "my card was charged twice",
                f"how do i change my address, i moved to {r.choice(CITIES)}",
                f"the {thing} arrived broken, order {order}",
                "cancel my subscription please",
                f"do you ship {thing} to {r.choice(CITIES)}",
                f"voucher {order} does not work",
                f"i ordered {r.randint(2, 9)} {thing} but got {r.randint(10, 20)}",
                "your app logs me out all the time",
                f"I need an invoice for {order} with our VAT number",
                f"book a table for {r.randint(2, 9)} in {r.choice(CITIES)} on {r.randint(1, 28)}.{r.randint(1, 12)}.",
            )
        )
        more = (
            "yes", "no", "that's right", "when will i get the money", "ok thank you", f"it's {order}", "can i talk to a person", "the blue one", "by card",
            f"my name is {r.choice(NAMES)} {r.choice(SURNAMES)}", "that is not acceptable", "tomorrow", "and what about shipping costs", "any other option?",
            "i sent you a photo already", f"no, {order + 7}",
        )  # fmt: skip
        return [first, *(r.choice(more) for _ in range(min(int(r.expovariate(0.45)), 7)))]

    def database(self) -> str:
        """A question to a company's database."""
        r = self.rng
        return r.choice(
            (
                "how many {o} did we sell in {d}",
                "show the top {n} customers by {c} since {d}",
                "which {o} have no price",
                "average {c} of {o} per {g}",
                "list {o} returned after {d}",
                "{c} by {g}, last {n} weeks",
                "Which {g} had the highest {c} in {d}?",
                "compare {c} of {o} between {x} and {y}",
                "customers in {x} who bought {o} more than {n} times",
            )
        ).format(
            o=r.choice(THINGS),
            n=r.randint(3, 50),
            d=f"{r.choice(('March', 'May', 'June', 'October'))} {r.randint(2021, 2026)}",
            c=r.choice(_COLUMNS),
            g=r.choice(_GROUPS),
            x=r.choice(CITIES),
            y=r.choice(CITIES),
        )
