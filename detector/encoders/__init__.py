"""Encoders: text to unit vectors. Heavy libraries are imported when an encoder is loaded, not before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

HEAD_CHARS, TAIL_CHARS = 1000, 300
"""Of longer texts the head and the tail are read: frames stand there, and documents name their subject early."""


class Encoder(Protocol):
    """Maps texts to float32 unit vectors of shape (n, dimension); a text without known words gets the zero vector."""

    name: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of ``texts``, each depending on its own text alone."""
        ...


class WeightsError(RuntimeError):
    """The weights on disk are not the ones that this version was measured with."""


def verify(path: Path, sha256: str) -> None:
    """Raise :class:`WeightsError` unless the file has this SHA-256."""
    if not path.is_file():
        raise WeightsError(f"{path} is missing: reinstall the package that brings it")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        raise WeightsError(f"{path} has SHA-256 {digest}, expected {sha256}: reinstall the package that brought it")


def clip(text: str) -> str:
    """The part of a text that is embedded."""
    return text if len(text) <= HEAD_CHARS + TAIL_CHARS else text[:HEAD_CHARS] + " " + text[-TAIL_CHARS:]


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced: hostile logs carry them, tokenizers refuse them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def encode_distinct(
    texts: Sequence[str], dimension: int, chunk: int, encode: Callable[[list[str]], np.ndarray]
) -> np.ndarray:
    """Clip the texts, call ``encode`` on at most ``chunk`` distinct ones at a time, and give each text its vector."""
    first: dict[str, int] = {}
    where = np.fromiter((first.setdefault(clip(t), len(first)) for t in texts), np.int64, len(texts))
    distinct = list(first)
    if not distinct:
        return np.zeros((0, dimension), np.float32)
    parts = [encode(distinct[start : start + chunk]) for start in range(0, len(distinct), chunk)]
    vectors = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return vectors if len(distinct) == len(texts) else vectors[where]


def load_encoder(name: str = "static") -> Encoder:
    """The ``static`` encoder (256 dimensions, for every request) or the ``transformer`` (384, for chosen samples)."""
    if name == "static":
        from detector.encoders.static import StaticEncoder

        return StaticEncoder()
    if name == "transformer":
        from detector.encoders.transformer import TransformerEncoder

        return TransformerEncoder()
    raise ValueError(f"unknown encoder {name!r}: choose static or transformer")
