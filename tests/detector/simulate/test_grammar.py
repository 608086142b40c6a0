"""The built-in texts: mostly distinct, unequal topics, several languages, and human slips."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from detector.simulate import Texts, built_in
from detector.simulate.grammar import Grammar

ROLES = (
    "chats",
    "instructions",
    "questions",
    "code",
    "agent_tasks",
    "documents",
    "support",
    "answers",
    "snippets",
    "choices",
)


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    """A grammar."""
    return Grammar(random.Random(8))


@pytest.mark.parametrize("role", ROLES)
def test_texts_are_mostly_distinct(role: str) -> None:
    """At least four texts in five of each role are like no other."""
    pool = [str(text) for text in getattr(built_in(4, 2500), role)]
    assert len(set(pool)) > 0.8 * len(pool)


def test_ten_thousand_prompts_are_mostly_distinct(grammar: Grammar) -> None:
    """Of ten thousand first questions nine in ten are distinct."""
    assert len({grammar.chat()[0] for _ in range(10_000)}) > 9000


def test_topics_are_unequal_in_chat_and_even_in_corpora(grammar: Grammar) -> None:
    """People ask about some things far more often than about others; an instruction corpus does not."""
    asked = Counter(grammar.slots()["t"] for _ in range(8000)).most_common()
    walked = Counter(grammar.slots(even=True)["t"] for _ in range(8000)).most_common()
    assert len(grammar.topics) >= 300
    assert asked[0][1] > 20 * asked[250][1]
    assert walked[0][1] < 4 * walked[250][1]


def test_several_languages_are_spoken(grammar: Grammar) -> None:
    """Chat holds Chinese, Japanese, Cyrillic and accented Latin letters."""
    text = "".join(turn for _ in range(1500) for turn in grammar.chat())
    for low, high in (("一", "鿿"), ("ぁ", "ヿ"), ("а", "я"), ("¿", "ÿ")):
        assert sum(low <= c <= high for c in text) > 50


def test_people_are_informal(grammar: Grammar) -> None:
    """Chat is often lower-case, instructions hardly ever are."""

    def low(texts: list[str]) -> float:
        return sum(t == t.lower() for t in texts) / len(texts)

    assert low([grammar.chat()[0] for _ in range(800)]) > 0.3
    assert low([grammar.instruction() for _ in range(800)]) < 0.15


def test_no_slot_is_left_open(grammar: Grammar) -> None:
    """Every text is complete."""
    made = (
        grammar.instruction,
        grammar.question,
        grammar.programming,
        grammar.agent_task,
        grammar.document,
        grammar.answer,
    )
    made += (grammar.snippet, grammar.database, grammar.multiple_choice)
    for make in made:
        assert not any(mark in text for text in (make() for _ in range(300)) for mark in ("{", "}", "[[", "]]"))


def test_missing_texts_are_named() -> None:
    """Pools that are empty and must not be are named."""
    with pytest.raises(ValueError, match=r"chats.*topics"):
        Texts().check()
