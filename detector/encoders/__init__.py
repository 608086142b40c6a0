"""Encoders: text to unit vectors. Heavy libraries are imported when an encoder is loaded, not before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np


class Encoder(Protocol):
    """Anything that maps texts to float32 unit vectors of shape (n, dimension); a zero vector for a text without known words."""

    name: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of ``texts``, each depending on its own text alone."""
        ...


class WeightsError(RuntimeError):
    """The weights on disk are not the ones that this version was measured with."""


def verify(path: Path, sha256: str) -> None:
    """Raise :class:`WeightsError` unless the file has this SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        raise WeightsError(f"{path} has SHA-256 {digest}, expected {sha256}: reinstall the package that brought it")


def load_encoder(name: str = "static") -> Encoder:
    """The ``static`` encoder (256 dimensions, for every request) or the ``transformer`` (384, for samples that deserve it)."""
    if name == "static":
        from detector.encoders.static import StaticEncoder

        return StaticEncoder()
    if name == "transformer":
        from detector.encoders.transformer import TransformerEncoder

        return TransformerEncoder()
    raise ValueError(f"unknown encoder {name!r}: choose static or transformer")
