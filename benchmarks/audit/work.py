"""One measured piece of work in a process of its own: python -m benchmarks.audit.work WORK LOG OUT, which prints JSON.

``audit`` is the whole audit. The floors only parse the log and embed each request's last prompt, on as many cores:
``own`` with the encoder and the threads that the audit uses, ``sentence-transformers`` and ``model2vec`` with the same weights
in those libraries, as an operator would take them. Loading is told apart from the work.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.audit import audit
from detector.encoders import load_encoder
from detector.encoders.static import FOLDER
from detector.engines.local import LocalEngine
from detector.formats import read
from detector.pipeline import Detector
from detector.templates import prompt_text

BATCH = 1024  # texts at a time in sentence-transformers, whose 32 is meant for transformers

Encode = Callable[[list[str]], object]


def own() -> Encode:
    """This product's encoder."""
    return load_encoder("static").encode


def sentence_transformers() -> Encode:
    """The shipped weights in sentence-transformers."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = StaticEmbedding.load(str(FOLDER), local_files_only=True)
    model = SentenceTransformer(modules=[module], device="cpu")
    return lambda texts: model.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)


def model2vec() -> Encode:
    """The shipped weights in model2vec."""
    from model2vec import StaticModel
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    vectors = load_file(FOLDER / "model.safetensors")["embeddings"]
    return StaticModel(vectors, Tokenizer.from_file(str(FOLDER / "tokenizer.json")), normalize=True).encode


FLOORS = {"own": own, "sentence-transformers": sentence_transformers, "model2vec": model2vec}


def embed(log: Path, encode: Encode, threads: int | None) -> dict[str, int]:
    """Parse a log and embed its prompts; returns how many there are and how many of them differ."""
    different: set[int] = set()

    def prompts() -> Sequence[list[str]]:
        for batch in read([log]):
            texts = [prompt_text(e)[1] for e in batch.events]
            different.update(map(hash, texts))
            yield texts

    events = 0
    for texts, _ in LocalEngine(threads).map(lambda texts: (texts, encode(texts)), prompts()):
        events += len(texts)
    return {"events": events, "different_prompts": len(different)}


def main() -> None:
    """Do one piece of work and say what it took."""
    name, log, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    begun = time.perf_counter()
    if name == "audit":
        detector = Detector.load()
    else:
        encode = FLOORS[name]()
    loaded, cpu = time.perf_counter(), time.process_time()
    told: dict[str, object]
    if name == "audit":
        done = audit([log], out, detector=detector)
        told = {"stages": done.timings, "flagged": len(done.assessment.flagged()), "accounts": done.run.accounts}
    else:
        told = dict(embed(log, encode, None if name == "own" else 1))
    told |= {"load": loaded - begun, "wall": time.perf_counter() - loaded, "cpu": time.process_time() - cpu}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
