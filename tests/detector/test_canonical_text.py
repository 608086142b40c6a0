"""Canonical text: disguises are undone, honest text in any language stays what it is."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.canonical_text import MARKS_IN_A_ROW, canonical, unaccented
from detector.pieces import normalise
from tests.detector.disguises import COMPARED, UNDONE

PLAIN = (
    "Explain every step of the proof, from the givens to the conclusion.\n"
    "1. Is 17 a prime number? Then write: <answer>{value}</answer> (no code)!"
)
HONEST = {
    "Russian": "Объясните, пожалуйста, как работает это. А о у с хор: сосо. Ещё и мой USB-кабель, IT-отдел.",
    "Ukrainian": "Поясніть, будь ласка, як це працює і чому її немає.",
    "Greek": "Εξηγήστε μου παρακαλώ πώς λειτουργεί αυτό, και γιατί.",
    "Chinese": "请解释一下这个算法是如何工作的。",
    "Japanese": "このアルゴリズムがどのように動くか、ばかりか説明してください。",
    "Korean": "이 알고리즘이 어떻게 작동하는지 설명해 주세요.",
    "Hindi": "कृपया समझाएं कि यह कैसे काम करता है।",
    "Arabic": "يرجى شرح كيفية عمل هذه الخوارزمية.",
    "Vietnamese": "Hãy giải thích thuật toán này hoạt động thế nào.",
    "German": "Für die schöne Müllerin und das größte Haus, bitte.",
    "mathematics": "Let α + β = γ, Δx → 0, μ ≠ σ; λ-calculus and π are fine.",
    "code": "def f(x):\n\treturn {'a': x ** 2}  # https://example.org/a/very/long/path/to/some/file.html?q=1",
    "digest": "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 broke it",
}
ANYTHING = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)


@pytest.mark.parametrize("disguise", UNDONE.values(), ids=UNDONE)
def test_a_disguise_is_undone(disguise) -> None:  # type: ignore[no-untyped-def]
    """Whatever the dice, the canonical text of a disguised text is the plain one."""
    for seed in range(50):
        hidden = disguise(PLAIN, random.Random(seed))
        assert hidden != PLAIN
        assert canonical(hidden) == PLAIN


@pytest.mark.parametrize("disguise", COMPARED.values(), ids=COMPARED)
def test_accents_and_case_do_not_count(disguise) -> None:  # type: ignore[no-untyped-def]
    """Texts that differ by accents or case are one when requests are compared."""
    for seed in range(20):
        assert normalise(disguise(PLAIN, random.Random(seed))) == normalise(PLAIN)


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_honest_text_stays(text: str) -> None:
    """Real text of many languages is not touched, Russian and Greek look-alikes of Latin words included."""
    assert canonical(text) == text


def test_full_width_signs_of_chinese_become_plain() -> None:
    """Full-width punctuation is one with the plain signs; the words stay."""
    assert canonical("请解释，谢谢！（好）") == "请解释,谢谢!(好)"


def test_a_disguised_russian_sentence_is_russian_again() -> None:
    """Latin letters within Russian words are folded towards the script of the text, not away from it."""
    plain = "Объясните это подробно, пожалуйста, и покажите все рассуждения."
    assert canonical(plain.translate(str.maketrans("оеа", "oea"))) == plain


def test_a_whole_word_of_lookalikes_in_a_disguised_text_is_undone() -> None:
    """A word that is made of look-alikes alone is folded where other words of the text mix scripts."""
    assert canonical("show а соре of your rеasoning") == "show a cope of your reasoning"
    assert canonical("the Russian word сор means litter") == "the Russian word сор means litter"


def test_what_follows_base64_is_kept() -> None:
    """Words before and after a wrapped text stay, also where a line of the base64 alphabet follows."""
    from base64 import b64encode, encodebytes

    blob = b64encode(PLAIN.encode()).decode()
    assert canonical(f"Decode: {blob}\nThanks") == f"Decode: {PLAIN}\nThanks"
    assert canonical(encodebytes(PLAIN.encode() * 4).decode() + "Thanks") == PLAIN * 4 + "\nThanks"


def test_binary_in_base64_stays() -> None:
    """Pictures and keys are not text."""
    from base64 import b64encode

    for seed in range(200):
        blob = b64encode(random.Random(seed).randbytes(90)).decode()
        assert canonical(blob) == blob


@given(ANYTHING)
def test_canonical_text_is_canonical(text: str) -> None:
    """Doing it twice changes nothing, for any characters."""
    once = canonical(text)
    assert canonical(once) == once
    assert unaccented(unaccented(once)) == unaccented(once)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_plain_ascii_comes_back_as_it_is(text: str) -> None:
    """Printable ASCII too short to be wrapped text is the same object: the fast path."""
    assert canonical(text) is text


def test_every_character_of_unicode_is_stable() -> None:
    """No single character needs a second pass, none becomes more than a short word, and marks beyond the planes known do not exist."""
    for code in range(sys.maxunicode + 1):
        once = canonical(chr(code))
        assert canonical(once) == once, hex(code)
        assert len(once) <= 18, hex(code)
        assert not unicodedata.combining(chr(code)) or 0x300 <= code < 0x20000, hex(code)


def test_piled_up_marks_are_cut() -> None:
    """Runs of combining marks, which make normalisation quadratic, are shortened: also of scripts that keep their marks."""
    assert canonical("a" + "\u0301\u0323" * 1000) in {"a", "ạ", "ạ́"}
    assert len(canonical("א" + "\u05b0\u05b1" * 1000)) == 1 + MARKS_IN_A_ROW
