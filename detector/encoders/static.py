"""The static encoder: one vector a token, averaged; made from all-MiniLM-L6-v2 by model2vec (2024).

It ships with the package (15 MB; ``python -m detector.encoders.distill`` rebuilds it) in the form that sentence-transformers'
``StaticEmbedding`` loads, and gives the vectors that one gives. It is read here without that library, whose import takes
ten times as long as reading the weights; words are cut by polars and remembered, tokens averaged as a sparse product.
Two orders of magnitude faster than the transformer. The order of the words does not count.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl
import pyarrow as pa
from scipy.sparse import csr_array

from detector import ragged
from detector.encoders import encode_distinct, verify, well_formed

FOLDER = Path(__file__).parent.parent / "assets" / "static-minilm-256"
SHA256 = {
    "model.safetensors": "3ad0f737a50e1eb792dad270e26461f7eb9f1b9d0ff47bd699b4e2d67af01611",
    "tokenizer.json": "dd33465341c98889c3338356b6200c8b232b89af5f1b7aa8e6ee1d4d7a699631",
}
CHUNK = 16384  # texts per step; bounds memory
CACHED_WORDS = 200_000  # about 50 MB; a week of mixed traffic has fewer frequent words
CACHED_WORD_CHARS = 40  # longer ones are encoded data or unspaced scripts, which seldom come back

_PUNCTUATION = r"!-/:-@\[-`{-~"
_BLANK = r"\t\n\r\p{Z}"  # what BERT's normaliser takes for white space; it drops other controls without cutting there


class StaticEncoder:
    """Mean of static token vectors, L2-normalised.

    WordPiece never joins characters across blanks or punctuation, so every word between them has its tokens whatever stands
    beside it. They are remembered: looking words up is several times as fast as cutting the text anew.
    """

    name = "static-minilm-256"

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load and verify the shipped weights. Raises WeightsError when they were changed."""
        for file, digest in SHA256.items():
            verify(folder / file, digest)

        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self._matrix = load_file(folder / "model.safetensors")["embeddings"].astype(np.float32)
        self._matrix[self.tokenizer.token_to_id("[UNK]")] = 0.0  # unknown characters say nothing of the topic
        self.dimension = int(self._matrix.shape[1])
        special = "|".join(re.escape(t.content) for t in self.tokenizer.get_added_tokens_decoder().values())
        self._has_special = re.compile(special).search
        self._word = rf"{special}|[{_PUNCTUATION}]|[^{_BLANK}{_PUNCTUATION}]+"
        self._words: dict[str, list[int]] = {}
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of shape (n, 256). Equal texts are encoded once; of long ones the head and the tail are read."""
        return encode_distinct(texts, self.dimension, CHUNK, self._encode)

    def _encode(self, texts: list[str]) -> np.ndarray:
        tokens, bounds = self.tokens(texts)
        ones = np.ones(len(tokens), np.float32)
        counts = csr_array((ones, tokens, bounds), shape=(len(texts), len(self._matrix)))
        vectors: np.ndarray = counts @ self._matrix
        vectors /= np.maximum(np.diff(bounds), 1).astype(np.float32)[:, None]
        norm = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(norm > 0, norm, 1.0)
        return vectors

    def tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Token ids of all texts in a row, and the bounds of each text's: of shape (tokens,) and (n + 1,)."""
        simple = np.fromiter((t.isascii() and not self._has_special(t) for t in texts), bool, len(texts))
        parts = [_ascii_words([t for t, plainly in zip(texts, simple, strict=True) if plainly])]
        if not simple.all():
            parts.append(self._words_of([t for t, plainly in zip(texts, simple, strict=True) if not plainly]))
        coded = pa.concat_arrays([words for words, _ in parts]).dictionary_encode()
        ids = self._ids(coded.dictionary.to_pylist())
        flat = np.fromiter(chain.from_iterable(ids), np.int32)
        of_word = ragged.bounds(np.fromiter(map(len, ids), np.int64, len(ids)))
        tokens, ends = ragged.take(flat, of_word, coded.indices.to_numpy())
        bounds = ends[ragged.bounds(np.concatenate([sizes for _, sizes in parts]))]
        if simple.all():
            return tokens, bounds
        place = np.empty(len(texts), np.int64)
        place[np.concatenate([np.flatnonzero(simple), np.flatnonzero(~simple)])] = np.arange(len(texts))
        return ragged.take(tokens, bounds, place)

    def _words_of(self, texts: list[str]) -> tuple[pa.Array, np.ndarray]:
        """The words of any texts, one text's after another's, and how many each has."""
        words = pl.Series(map(well_formed, texts), dtype=pl.String).str.extract_all(self._word)
        return words.explode().drop_nulls().to_arrow(), words.list.len().to_numpy()

    def _ids(self, words: list[str]) -> list[list[int]]:
        """Token ids of each word, remembered or cut; plain ones by the model alone, as normalising them is lower-casing."""
        with self._lock:
            known = self._words
            new = [word for word in words if word not in known]
            plain = {word for word in new if word.isascii() and word.isalnum()}
            model = self.tokenizer.model
            known.update((word, [token.id for token in model.tokenize(word.lower())]) for word in plain)
            other = [word for word in new if word not in plain]
            cut = self.tokenizer.encode_batch_fast(other, add_special_tokens=False)
            known.update((word, encoding.ids) for word, encoding in zip(other, cut, strict=True))
            rows = list(map(known.__getitem__, words))
            for word in new:
                if len(word) > CACHED_WORD_CHARS:
                    del known[word]
            if len(known) > CACHED_WORDS:
                known.clear()
        return rows


def _kinds() -> bytes:
    """For each byte of ASCII what it is: blank 0, part of a word 1, punctuation 2."""
    kinds = bytearray(b"\x01" * 256)
    for blank in b"\t\n\r ":
        kinds[blank] = 0
    for mark in string.punctuation.encode():
        kinds[mark] = 2
    return bytes(kinds)


_KINDS = _kinds()


def _ascii_words(texts: list[str]) -> tuple[pa.Array, np.ndarray]:
    """The words of texts in ASCII, as the pattern finds them, and how many each has: their bytes are told apart all at once."""
    body = "\n".join(texts).encode()
    kind = np.frombuffer(body.translate(_KINDS), np.uint8)
    begins = kind == 2
    begins[1:] |= (kind[1:] == 1) & (kind[:-1] != 1)
    begins[:1] |= kind[:1] == 1
    within = kind != 0
    data = np.frombuffer(body, np.uint8)[within]
    offsets = np.append(np.flatnonzero(begins[within]), len(data))
    words = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1  # with what joins them
    before = ragged.bounds(begins)[np.minimum(ragged.bounds(lengths), len(body))]
    return words, np.diff(before)
