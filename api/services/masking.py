"""Prompts under a mask: lengths, punctuation and what a template has in common stay legible, everything else does not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from api.schemas.evidence import ExamplePrompt
from detector.assessment import Template

DOT = "•"
_WORD = re.compile(r"\w+")


def common_words(templates: Iterable[Template]) -> frozenset[str]:
    """Words of the constant parts of templates: what many requests share says nothing about one of them."""
    return frozenset(word.casefold() for t in templates for word in _WORD.findall(t.text))


def mask(text: str, legible: frozenset[str]) -> str:
    """A text whose words, but for the legible ones, are dots of the same number."""
    return _WORD.sub(lambda m: m[0] if m[0].casefold() in legible else DOT * len(m[0]), text)


def masked(example: ExamplePrompt, legible: frozenset[str]) -> ExamplePrompt:
    """An example request under the mask; who, when and which model are left."""
    texts = {name: getattr(example, name) for name in ("system", "prompt", "response")}
    return example.model_copy(update={name: mask(t, legible) if t else t for name, t in texts.items()})
