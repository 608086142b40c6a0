"""The static encoder: one vector a token, averaged; made from all-MiniLM-L6-v2 by model2vec (2024).

It ships with the package (15 MB; ``python -m detector.encoders.distill`` rebuilds it); sentence-transformers loads it.
Two orders of magnitude faster than the transformer. The order of the words does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from threading import Lock

import numpy as np

from detector.encoders import encode_distinct, verify, well_formed

FOLDER = Path(__file__).parent.parent / "assets" / "static-minilm-256"
SHA256 = {
    "model.safetensors": "3ad0f737a50e1eb792dad270e26461f7eb9f1b9d0ff47bd699b4e2d67af01611",
    "tokenizer.json": "dd33465341c98889c3338356b6200c8b232b89af5f1b7aa8e6ee1d4d7a699631",
}
CHUNK = 2048  # texts per step; bounds memory
CACHED_WORDS = 200_000  # about 50 MB; a week of mixed traffic has fewer frequent words
CACHED_WORD_CHARS = 40  # longer ones are addresses, encoded data or unspaced scripts, which seldom come back


class StaticEncoder:
    """Mean of static token vectors, L2-normalised.

    WordPiece never joins characters across a blank, so every blank-separated word has its tokens whatever stands beside
    it. They are remembered: looking words up is about twice as fast as cutting the text anew.
    """

    name = "static-minilm-256"

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load and verify the shipped weights. Raises WeightsError when they were changed."""
        for file, digest in SHA256.items():
            verify(folder / file, digest)

        import torch
        from safetensors.numpy import load_file
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        matrix = load_file(folder / "model.safetensors")["embeddings"].astype(np.float32)
        matrix[tokenizer.token_to_id("[UNK]")] = 0.0  # unknown characters say nothing of the topic
        self._torch = torch
        self._module = StaticEmbedding(tokenizer, embedding_weights=matrix).eval()
        self.dimension = int(matrix.shape[1])
        self._words: dict[str, list[int]] = {}
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of shape (n, 256). Equal texts are encoded once; of long ones the head and the tail are read."""
        return encode_distinct(texts, self.dimension, CHUNK, self._encode)

    def _encode(self, texts: list[str]) -> np.ndarray:
        rows = self._token_ids(texts)
        sizes = np.fromiter(map(len, rows), np.int64, len(rows))
        offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        flat = np.fromiter(chain.from_iterable(rows), np.int64, int(sizes.sum()))
        with self._torch.inference_mode():
            mean = self._module.embedding(self._torch.from_numpy(flat), self._torch.from_numpy(offsets)).numpy()
        norm = np.linalg.norm(mean, axis=1, keepdims=True)
        return mean / np.where(norm > 0, norm, 1.0)

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        split = [text.split() for text in texts]
        with self._lock:
            known = self._words
            new = list(set().union(*split) - known.keys())
            encodings = self._module.tokenizer.encode_batch_fast(list(map(well_formed, new)), add_special_tokens=False)
            known.update(zip(new, (e.ids for e in encodings), strict=True))
            rows = [list(chain.from_iterable(map(known.__getitem__, words))) for words in split]
            for word in new:
                if len(word) > CACHED_WORD_CHARS:
                    del known[word]
            if len(known) > CACHED_WORDS:
                known.clear()
        return rows
