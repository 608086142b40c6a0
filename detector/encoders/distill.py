"""Rebuild the static encoder from the verified transformer: ``python -m detector.encoders.distill --out DIR``.

Every token of the vocabulary goes through all-MiniLM-L6-v2 alone, principal components reduce it to 256 dimensions, and
frequent tokens are weighted down (SIF: smooth inverse frequency). Needs ``model2vec[distill]``, part of the dev extra.
Takes about a minute on two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from detector.encoders.transformer import weights_folder

DIMENSIONS = 256
SIF_COEFFICIENT = 1e-4  # model2vec's default: a token of this frequency counts half


def distill(out: Path) -> None:
    """Write ``model.safetensors`` (half precision) and ``tokenizer.json`` to ``out``."""
    from model2vec.distill import distill as distill_model

    model = distill_model(
        model_name=str(weights_folder()), pca_dims=DIMENSIONS, sif_coefficient=SIF_COEFFICIENT, device="cpu"
    )
    model.save_pretrained(out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Rebuild the static encoder from the verified transformer.")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.safetensors and tokenizer.json")
    out = parser.parse_args().out
    distill(out)
    print(f"wrote {out / 'model.safetensors'} and {out / 'tokenizer.json'}")


if __name__ == "__main__":
    main()
