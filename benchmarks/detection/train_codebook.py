"""Train the shipped codebook: python -m benchmarks.detection.train_codebook

Prompts of the permissively licensed corpora and of the built-in simulator, at most PER_CORPUS of each, distinct.
"""

from __future__ import annotations

import random
from collections import defaultdict

from benchmarks.detection.licences import rows
from detector.codebook import DEFAULT, DEFAULT_K, Codebook
from detector.encoders import load_encoder

PER_CORPUS = 3000


def main() -> None:
    """Train on every permissive corpus and write the asset."""
    texts: dict[str, set[str]] = defaultdict(set)
    for corpus, row in rows():
        users = [
            t["content"]
            for t in row.get("turns") or []
            if t.get("role") == "user" and isinstance(t.get("content"), str)
        ]
        texts[corpus].update(t for t in [row.get("text"), *users] if t and t.strip())
    rng = random.Random(7)
    chosen = [t for c in sorted(texts) for t in rng.sample(sorted(texts[c]), min(PER_CORPUS, len(texts[c])))]
    vectors = load_encoder("static").encode(chosen)
    codebook = Codebook.train(vectors[vectors.any(axis=1)], DEFAULT_K, version="default-1")
    codebook.save(DEFAULT)
    print(f"{len(chosen)} prompts of {len(texts)} corpora -> {codebook.k} clusters in {DEFAULT}")


if __name__ == "__main__":
    main()
