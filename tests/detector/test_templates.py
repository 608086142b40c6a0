"""Templates in words: the frame stands, what varies is a slot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.templates import SLOT, frame_of


def test_a_frame_with_two_slots() -> None:
    """Constant words are kept and each varying stretch becomes one slot."""
    texts = [
        f"Question: {q}\nThink step by step, then answer in {language}."
        for q, language in (
            ("How far is the moon?", "French"),
            ("Who built Petra?", "Dutch"),
            ("Why is ice slippery?", "Thai"),
        )
    ]
    frame, fillings = frame_of(texts)
    assert frame.count(SLOT) == 2
    assert frame.startswith("Question: " + SLOT)
    assert "Think step by step, then answer in" in frame
    assert any("moon" in f for f in fillings)


def test_equal_texts_have_no_slot() -> None:
    """One text repeated is its own frame."""
    assert frame_of(["Say hello."] * 3) == ("Say hello.", [])


@given(st.lists(st.text(max_size=200), max_size=6))
def test_any_texts_give_a_frame(texts: list[str]) -> None:
    """Whatever the texts are, the frame is text and fillings are texts."""
    frame, fillings = frame_of(texts)
    assert isinstance(frame, str)
    assert all(isinstance(f, str) for f in fillings)
