"""The static encoder and the transformer: vectors depend on their own text alone, and only verified weights load."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.encoders import HEAD_CHARS, TAIL_CHARS, WeightsError, clip, load_encoder, verify
from detector.encoders.static import CACHED_WORD_CHARS, FOLDER, SHA256, StaticEncoder
from detector.encoders.transformer import TransformerEncoder, weights_folder

SENTENCES = [
    "Explain how a mortgage works, step by step.",
    "Write a haiku about the sea",
    "def add(a, b):\n    return a + b",
    "¿Cómo se prepara una tortilla?",
    "解释什么是量子纠缠",
]
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@cache
def _shared() -> StaticEncoder:
    return StaticEncoder()


@pytest.fixture
def static() -> StaticEncoder:
    """One encoder for all tests and examples: loading takes seconds."""
    return _shared()


@pytest.fixture(scope="module")
def transformer() -> TransformerEncoder:
    """The transformer, loaded once."""
    return TransformerEncoder()


def test_static_gives_unit_float32_rows(static: StaticEncoder) -> None:
    """Rows are float32, 256 wide and of length one."""
    vectors = static.encode(SENTENCES)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(SENTENCES), static.dimension) == (5, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_nothing_known_is_a_zero_vector(static: StaticEncoder) -> None:
    """No text, blanks and unknown characters give zeros; no texts give no rows."""
    assert not static.encode(["", "  \n", "\U0001f9ff", "a" * 101]).any()
    assert static.encode([]).shape == (0, 256)


def test_unknown_characters_do_not_move_a_text(static: StaticEncoder) -> None:
    """An emoji without a token leaves the direction of the rest as it was."""
    plain, with_emoji = static.encode(["bake bread", "bake bread \U0001f9ff \U0001f9ff"])
    np.testing.assert_allclose(plain, with_emoji, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_order_and_batching_do_not_matter(texts: list[str], random: object) -> None:
    """A text's vector is the same, bit by bit, alone, among others and in any order."""
    encoder = _shared()
    together = dict(zip(texts, encoder.encode(texts), strict=True))
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for text, vector in zip(shuffled, encoder.encode(shuffled), strict=True):
        assert np.array_equal(vector, together[text])
    assert np.array_equal(encoder.encode(texts[:1])[0], together[texts[0]])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.text(
            st.sampled_from("aBé字\u0301ΣИ .,'[-]\n\t\x0b\x1c\x85\xa0\u2028=≠。")
            | st.characters(exclude_categories=("Cs",))
        )
    )
)
def test_remembered_words_have_the_tokenizers_ids(texts: list[str]) -> None:
    """Cutting at blanks and punctuation and remembering words gives exactly the tokens of the whole text."""
    encoder = _shared()
    texts += ["[PAD]s of [UNK]", "it's well-known"]
    expected = [encoder.tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    tokens, bounds = encoder.tokens(texts)
    assert [tokens[a:b].tolist() for a, b in pairwise(bounds)] == expected


def test_equals_the_plain_sentence_transformer(static: StaticEncoder) -> None:
    """sentence-transformers' own loading and pooling of the shipped files gives the same vectors for known words."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = StaticEmbedding.load(str(FOLDER), local_files_only=True)
    plain = SentenceTransformer(modules=[module], device="cpu").float()
    expected = plain.encode(SENTENCES[:3], normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(static.encode(SENTENCES[:3]), expected, atol=1e-5)


@pytest.mark.parametrize("fixture", ["static", "transformer"])
def test_lone_surrogates_are_read_over(fixture: str, request: pytest.FixtureRequest) -> None:
    """Half a character, as hostile logs carry, raises nothing."""
    assert request.getfixturevalue(fixture).encode(["bake bread \ud83d"]).any()


def test_long_texts_keep_head_and_tail(static: StaticEncoder) -> None:
    """The middle of a long text is not read; its head and tail are."""
    head, tail = "h" * HEAD_CHARS, "t" * TAIL_CHARS
    assert clip(head + tail) == head + tail
    assert clip(head + "middle" + tail) == head + " " + tail


def test_long_words_are_not_kept(static: StaticEncoder) -> None:
    """Addresses and encoded data do not fill the memory of words."""
    static.encode(["x" * (CACHED_WORD_CHARS + 1) + " friend"])
    assert "friend" in static._words
    assert max(map(len, static._words)) <= CACHED_WORD_CHARS


def test_a_full_memory_starts_anew(monkeypatch: pytest.MonkeyPatch, static: StaticEncoder) -> None:
    """When the memory of words is full it is emptied, and vectors stay the same."""
    before = static.encode(SENTENCES)
    monkeypatch.setattr("detector.encoders.static.CACHED_WORDS", 3)
    assert np.array_equal(static.encode(SENTENCES), before)
    assert not static._words
    assert np.array_equal(static.encode(SENTENCES), before)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    """One flipped byte in the weights, or a missing file, is an error that says what to do."""
    for file in SHA256:
        shutil.copy(FOLDER / file, tmp_path / file)
    changed = tmp_path / "model.safetensors"
    data = bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    with pytest.raises(WeightsError, match="reinstall"):
        StaticEncoder(tmp_path)
    changed.unlink()
    with pytest.raises(WeightsError, match="missing"):
        StaticEncoder(tmp_path)


def test_transformer_weights_are_the_official_ones() -> None:
    """The installed package carries the weights with the known SHA-256, and a wrong sum is refused."""
    with pytest.raises(WeightsError):
        verify(weights_folder() / "model.safetensors", "0" * 64)


def test_transformer_rows_do_not_depend_on_the_batch(transformer: TransformerEncoder) -> None:
    """The transformer's unit rows agree within rounding whatever stands beside them; empty text is zero."""
    texts = [*SENTENCES, "", "a much longer text " * 40]
    together = transformer.encode(texts)
    assert together.dtype == np.float32
    assert together.shape == (7, 384)
    assert not together[5].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(together, 5, 0), axis=1), 1.0, atol=1e-5)
    alone = np.concatenate([transformer.encode([text]) for text in texts[::-1]])[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("fixture", ["static", "transformer"])
def test_related_texts_are_nearer_than_unrelated(fixture: str, request: pytest.FixtureRequest) -> None:
    """Both encoders put a paraphrase nearer than another subject."""
    a, b, c = request.getfixturevalue(fixture).encode(
        ["How do I bake bread at home?", "Baking a loaf of bread in my kitchen", "Fix a null pointer in my Java code"]
    )
    assert a @ b > a @ c + 0.2


def test_unknown_encoder_is_named() -> None:
    """A misspelt name is answered with the choices."""
    with pytest.raises(ValueError, match="static or transformer"):
        load_encoder("statik")


def test_importing_is_light() -> None:
    """The static encoder needs neither torch nor sentence-transformers, which take seconds to import."""
    code = "import sys, detector.encoders as e; e.load_encoder(); print([m for m in ('torch', 'transformers') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
