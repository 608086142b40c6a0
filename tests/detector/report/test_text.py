"""Suspects' text made visible, and numbers in words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.report import text

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=100)


@given(ANY)
def test_nothing_hidden_remains(words: str) -> None:
    """No control, format (but honest joiners), surrogate, private or unassigned character is left in visible text."""
    shown = text.visible_text(words).replace("\u200c", "").replace("\u200d", "")
    assert not [
        c for c in shown if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    ]
    shown.encode("utf-8")


@given(ANY)
def test_visible_text_is_stable(words: str) -> None:
    """Making text visible twice changes nothing more."""
    once = text.visible_text(words, 10_000)
    assert text.visible_text(once, 10_000) == once


@given(ANY, st.integers(1, 50))
def test_a_line_is_one_short_line(words: str, limit: int) -> None:
    """A line has no line break and at most the limit and an ellipsis."""
    shown = text.line(words, limit)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= limit + 1


@pytest.mark.parametrize(
    "words",
    ["plain text\nand\ttabs", "नमस्ते क्‍ष", "می‌خواهم", "👩‍💻 emoji ❤️", "中文 العربية עברית", "naïve “quotes” – dash"],
)
def test_honest_writing_stays(words: str) -> None:
    """Text of any script, with the joiners it needs, is shown as it is."""
    assert text.visible_text(words) == words


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("pass\u200dword", "pass⟨U+200D⟩word"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
        ("nul\x00", "nul⟨U+0000⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("windows\r\nline", "windows\nline"),
        ("lone\rreturn", "lone⟨U+000D⟩return"),
    ],
)
def test_hidden_characters_are_shown(words: str, shown: str) -> None:
    """Characters that hide or turn text appear as codes."""
    assert text.visible_text(words) == shown


def test_cut_text_says_so() -> None:
    """What is cut is counted."""
    assert text.visible_text("x" * 2000, 1500) == "x" * 1500 + "… (500 more characters)"


def test_certainty_is_never_claimed() -> None:
    """Shares and risks near the ends are not rounded to 0 or 100 percent."""
    assert text.percent(0.9999) == "over 99.9\u00a0%"
    assert text.percent(0.0001) == "under 0.1\u00a0%"
    assert text.percent(1.0) == "100\u00a0%"
    assert text.risk(1.0) == "99.9\u00a0%"
    assert text.expected(0.01) == "under 0.1"
    assert "over 99" in text.standing(1.0, "ordinary accounts")


def test_weights_in_plain_words() -> None:
    """Log-odds read as factors of the odds and bits as chances."""
    assert text.factor(2.4849) == "×12"
    assert text.factor(-1.0986) == "÷3"
    assert text.factor(9.0) == "×over 1,000"
    assert text.chance(10) == "about 1 in 1,024"
    assert text.chance(1) == "about 1 in 2"
    assert text.chance(60) == "less than 1 in a trillion"
    assert text.duration(0.25) == "250 ms"
    assert text.duration(200) == "3 min 20 s"
    assert text.size(12_828_517) == "12.8 MB"
    assert text.quantity(1, "account") == "1 account"
    assert text.quantity(2, "account") == "2 accounts"


def test_error_rates_in_plain_words() -> None:
    """What is expected to be false, with its bounds and the share it follows from; how many honest accounts score as high."""
    assert text.false_flags(12, 1.4, (0, 4), 0.001) == (
        "Of the 12 flags, about 1.4 (0 to 4) are expected to be false: "
        "thresholds are set for at most 0.1\u00a0% of honest accounts, those of all sizes together."
    )
    assert text.false_flags(1, 0.01, (0, 1), 0.0) == "Of the 1 flag, under 0.1 (0 to 1) is expected to be false."
    assert text.ordinary(1 / 4800) == "At most 1 in 4,800 honest accounts of its size scores as high"
    assert text.ordinary(0.75) == "At most 75\u00a0% of honest accounts of its size score as high"
    assert text.ordinary(1 / 93) == "At most 1 in 93 honest accounts of its size scores as high"
    assert text.ordinary(1.0) == ""
