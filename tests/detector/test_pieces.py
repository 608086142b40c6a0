"""Pieces of texts: cut many at a time, they are what cutting each by itself, sentence by sentence, would give."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.canonical_text import canonical
from detector.pieces import (
    MAX_CHARS,
    MAX_PIECES,
    PASSAGE_CHARS,
    PIECE_MIN_BYTES,
    cut,
    keys,
    length_of,
    piece_keys,
    pieces_of,
    plain,
)

SENTENCE_END = re.compile(r"\n+|(?<=[.!?:;])\s+|(?<=。)|(?<=[\u3040-\u30ff\u3400-\u9fff][!?:;])")
PARTS = (
    *("A sentence of several words", "number 42 and 7, counted", "tiny.", "x" * 30, "字字字字字字字字字", "字", "Ünïcödé wörds stånd here"),
    *("\n", "\n\n", " \n", ". ", "! ", "; ", "。", "；", "?", ":", "\x1c", "\t", " ", "\x85", "\u2028", "?  \n  "),
)  # fmt: skip


def one_by_one(text: str) -> list[str]:
    """The definition, for one text: sentences and lines, of each the first and the last few."""
    raws = [raw for raw in SENTENCE_END.split(text) if len(raw.encode()) >= PIECE_MIN_BYTES]
    raws = raws if len(raws) <= 2 * MAX_PIECES else raws[:MAX_PIECES] + raws[-MAX_PIECES:]
    parts = [p for raw in raws if len((p := plain(raw)).encode()) >= PIECE_MIN_BYTES]
    parts = parts if len(parts) <= MAX_PIECES else parts[: MAX_PIECES // 2] + parts[-MAX_PIECES // 2 :]
    return [re.sub("[0-9]+", "0", p) for p in parts]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=60).map("".join), max_size=4))
def test_many_texts_are_cut_as_one(texts: list[str]) -> None:
    """Pieces do not depend on what else is cut, and keys are those of the pieces."""
    texts = list(map(canonical, texts))
    pieces = cut(texts)
    for text, start, end in zip(texts, pieces.edges[:-1], pieces.edges[1:], strict=True):
        assert pieces.distinct.gather(pieces.of[start:end]).to_list() == one_by_one(text) == pieces_of(text)
    flat, edges = keys(texts)
    assert (
        flat.tolist()
        == piece_keys(pl.Series([p for text in texts for p in one_by_one(text)], dtype=pl.String)).tolist()
    )
    assert edges.tolist() == pieces.edges.tolist()


def test_short_pieces_can_be_left_out() -> None:
    """A least number of characters counts after digits are masked."""
    texts = ["A sentence of some words.\nA much longer sentence, with the number 1234567890123456789012.", "", "x" * 60]
    flat, edges = keys(texts, min_chars=48)
    assert flat.tolist() == piece_keys(pl.Series(["x" * 60])).tolist()
    assert edges.tolist() == [0, 0, 0, 1]


def test_digits_do_not_hide_a_frame() -> None:
    """A frame with a counter in it is one piece whatever the count."""
    assert pieces_of("Answer task number 17 of 400 now.") == pieces_of("Answer task number 3 of 400 now.")


@pytest.mark.parametrize("text", ["", "short", "\ud83d" * 40, "word " * 10_000])
def test_any_text_can_be_cut(text: str) -> None:
    """Empty, short, broken and huge texts have at most eight pieces, none longer than what is read of a text."""
    found = pieces_of(text)
    assert len(found) <= MAX_PIECES
    assert all(len(p) <= MAX_CHARS for p in found)


def test_the_middle_of_a_huge_text_is_not_read() -> None:
    """A sentence in the middle of a document is no frame; one at its tail is."""
    tail, middle = "Think about it step by step.", "This stands amid the document."
    text = "\n".join(["some words " * 600, middle, "some words " * 600, tail])
    assert plain(tail) in pieces_of(text)
    assert plain(middle) not in pieces_of(text)


@given(st.text(min_size=1, max_size=3 * PASSAGE_CHARS))
def test_a_key_tells_length_and_kind(piece: str) -> None:
    """Length to within three characters, a passage's at most PASSAGE_CHARS; the lowest bit tells passages from sentences."""
    keys = piece_keys(pl.Series([piece]))
    key = pl.DataFrame({"key": keys})
    length = key.select(length_of(pl.col("key")))["key"][0]
    assert abs(length - min(len(piece), PASSAGE_CHARS)) <= 3.2
    assert keys[0] % 2 == (len(piece) >= PASSAGE_CHARS)
