"""The static encoder: one vector a token, averaged; made from all-MiniLM-L6-v2 by model2vec (Tulkens & van Dongen 2024).

Ships with the package (15 MB) and is loaded by sentence-transformers. Two orders of magnitude faster than the transformer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from detector.encoders import verify

FOLDER = Path(__file__).parent.parent / "assets" / "static-minilm-256"
SHA256 = {
    "model.safetensors": "3ad0f737a50e1eb792dad270e26461f7eb9f1b9d0ff47bd699b4e2d67af01611",
    "tokenizer.json": "dd33465341c98889c3338356b6200c8b232b89af5f1b7aa8e6ee1d4d7a699631",
}
HEAD_CHARS, TAIL_CHARS = 1000, 300
"""Of longer texts the head and the tail are read: frames stand there, and documents name their subject early."""
CHUNK = 4096  # texts per call of the tokenizer; bounds memory


def clip(text: str) -> str:
    """The part of a text that is embedded."""
    return text if len(text) <= HEAD_CHARS + TAIL_CHARS else text[:HEAD_CHARS] + " " + text[-TAIL_CHARS:]


class StaticEncoder:
    """Mean of static token vectors, L2-normalised."""

    name = "static-minilm-256"

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load and verify the shipped weights. Raises WeightsError when they were changed."""
        import torch
        from safetensors.numpy import load_file
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
        from tokenizers import Tokenizer

        for file, digest in SHA256.items():
            verify(folder / file, digest)
        weights = load_file(folder / "model.safetensors")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        matrix = weights["embeddings"].astype(np.float32)
        if "weights" in weights:  # per-token weights (SIF) are folded in
            matrix = matrix * weights["weights"].astype(np.float32)[:, None]
        self._torch = torch
        self._module = StaticEmbedding(tokenizer, embedding_weights=matrix).eval()
        self.dimension = int(matrix.shape[1])

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of shape (n, 256). Equal texts are encoded once."""
        clipped = [clip(t) for t in texts]
        first: dict[str, int] = {}
        where = np.fromiter((first.setdefault(t, len(first)) for t in clipped), np.int64, len(clipped))
        unique = list(first)
        vectors = np.zeros((len(unique), self.dimension), np.float32)
        for start in range(0, len(unique), CHUNK):
            vectors[start : start + CHUNK] = self._mean(unique[start : start + CHUNK])
        return vectors[where]

    def _mean(self, texts: list[str]) -> np.ndarray:
        encodings = self._module.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        ids = [e.ids for e in encodings]
        sizes = np.fromiter(map(len, ids), np.int64, len(ids))
        offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        flat = np.fromiter((i for row in ids for i in row), np.int64, int(sizes.sum()))
        with self._torch.inference_mode():
            mean = self._module.embedding(self._torch.from_numpy(flat), self._torch.from_numpy(offsets)).numpy()
        norm = np.linalg.norm(mean, axis=1, keepdims=True)
        return mean / np.where(norm > 0, norm, 1.0)
