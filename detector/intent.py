"""Request-level intent: which harvest does this one request look like, from its meaning and its structure.

A multinomial logistic regression over the embeddings of the head and the tail of the last user text (where a frame stands)
and of the head of the system prompt, and over structural counts. Trained by
``python -m benchmarks.detection.train_intent`` with scikit-learn, shipped as plain arrays. One request proves nothing:
profiles add the probabilities up, and signals read the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import softmax

from detector.encoders import well_formed

DEFAULT = Path(__file__).parent / "assets" / "intent.npz"

CLASSES = ("ordinary", "reasoning", "grading", "synthesis", "cleaning", "dataset")
"""ordinary work; eliciting reasoning; grading or comparing answers; writing new tasks; cleaning captured answers;
self-contained instructions and questions as instruction data sets have them."""

LIKELY = 500  # thousandths of a class from which a request counts as of that class
HEAD_CHARS = 1500  # structure is read off the head of a prompt; a frame does not hide beyond it
END_CHARS = 140  # head and tail of a prompt that are embedded by themselves: a sentence or two
SYSTEM_CHARS = 300  # head of a system prompt that is embedded
VECTOR_SCALE = 8.0  # brings the components of unit vectors to the order of the structural features

_COUNTS = {
    "lines": r"\n",
    "questions": r"[?？]",
    "tags": r"</?[A-Za-z_]{2,20}>|\[/?[A-Z_]{2,20}\]",
    "code": r"```",
    "numbered": r"(?m)^\s*(?:\d{1,2}|[A-Ea-e])[.):]\s",
    "headings": r"(?m)^\s*#{1,4}\s|^[A-Z][A-Za-z ]{2,30}:\s*$",
    "braces": r"[{}]",
    "digits": r"\d",
    "upper": r"[A-Z]",
    "sentences": r"[.!。！]\s|[.!。！]$",
    "non_ascii": r"[^\x00-\x7F]",
    "first_person": r"(?i)\b(?:i|i'm|my|me|we|our|ich|mein|yo|mi|je|mon)\b|我",
}
_SPACES = pl.col("p").str.count_matches(" ", literal=True) + pl.col("p").str.count_matches(
    r"[^\S ]"
)  # fast, as most are " "

STRUCTURE = (
    "log_chars",
    "log_system_chars",
    "has_system",
    "lower_start",
    "open_end",
    "log_user_turns",
    "log_tool_turns",
    "has_tools",
    *(f"{k}_rate" for k in _COUNTS),
    "spaces_rate",
    "has_tags",
    "has_code",
    "has_numbered",
)


def structure(prompts: Sequence[str], rows: pl.DataFrame) -> np.ndarray:
    """Structural features of a batch: float32 of shape (n, len(STRUCTURE)), each of order 1."""
    heads: dict[str, int] = {}
    of = [heads.setdefault(p[:HEAD_CHARS], len(heads)) for p in prompts]
    text = pl.DataFrame({"p": [well_formed(p) for p in heads]}, schema={"p": pl.String})
    counts = {name: pl.col("p").str.count_matches(pattern) for name, pattern in _COUNTS.items()} | {"spaces": _SPACES}
    per_char = pl.col("p").str.len_chars().clip(40)
    of_text = text.select(
        pl.col("p").str.contains(r"^\s*[a-z]").alias("lower_start"),
        (~pl.col("p").str.contains(r"[.?!:。？！：`}\]\"')]\s*$")).alias("open_end"),
        *((count / per_char * 10).alias(f"{name}_rate") for name, count in counts.items()),
    ).with_columns(
        (pl.col("tags_rate") > 0).alias("has_tags"),
        (pl.col("code_rate") > 0).alias("has_code"),
        (pl.col("numbered_rate") > 0).alias("has_numbered"),
    )
    out = of_text[of].with_columns(
        (rows["prompt_chars"].clip(0) + 1).log().alias("log_chars") / 8,
        (rows["system_chars"].clip(0) + 1).log().alias("log_system_chars") / 8,
        (rows["system_chars"] > 0).alias("has_system"),
        rows["user_turns"].clip(1).log().alias("log_user_turns"),
        (rows["tool_turns"] + 1).log().alias("log_tool_turns"),
        (rows["tools"] != 0).alias("has_tools"),
    )
    return out.select(pl.col(c).cast(pl.Float32) for c in STRUCTURE).to_numpy()


def ends(prompts: Sequence[str], systems: Sequence[str]) -> list[str]:
    """What is embedded: the heads of all prompts, then their tails, then the heads of the system texts."""
    return [
        *(p[:END_CHARS] for p in prompts),
        *(p[-END_CHARS:] for p in prompts),
        *(s[:SYSTEM_CHARS] for s in systems),
    ]


class IntentModel:
    """Weights of shape (3 d + len(STRUCTURE), classes) and biases of shape (classes,)."""

    def __init__(
        self, weights: np.ndarray, bias: np.ndarray, mean: np.ndarray, scale: np.ndarray, version: str
    ) -> None:
        self.weights = weights.astype(np.float32)
        self.bias = bias.astype(np.float32)
        self.mean = mean.astype(np.float32)
        self.scale = scale.astype(np.float32)
        self.version = version
        self.classes = CLASSES

    @classmethod
    def load(cls, path: Path = DEFAULT) -> IntentModel:
        """Read a model written by :meth:`save` (plain arrays, no pickle)."""
        with np.load(path, allow_pickle=False) as data:
            return cls(data["weights"], data["bias"], data["mean"], data["scale"], str(data["version"]))

    def save(self, path: Path) -> None:
        """Write the model as plain arrays."""
        np.savez_compressed(
            path, weights=self.weights, bias=self.bias, mean=self.mean, scale=self.scale, version=np.array(self.version)
        )

    def predict(self, vectors: np.ndarray, ends: np.ndarray, structural: np.ndarray) -> np.ndarray:
        """Class probabilities of shape (n, classes).

        ``vectors`` (m, d) are those of different texts; ``ends`` (3, n) holds the places of each request's :func:`ends`
        among them; ``structural`` is (n, len(STRUCTURE)). In double precision, so that the batch's size changes nothing.
        """
        d, classes = vectors.shape[1], len(self.classes)
        weights = self.weights[: 3 * d].reshape(3, d, classes).transpose(1, 0, 2).reshape(d, 3 * classes)
        projected = (vectors.astype(np.float64) @ (weights * VECTOR_SCALE)).reshape(-1, 3, classes)
        logits = (structural - self.mean).astype(np.float64) / self.scale @ self.weights[3 * d :] + self.bias
        for i, place in enumerate(ends):
            logits += projected[place, i]
        return softmax(logits, axis=1)
