"""Ways to hide the words of a prompt from a program while a model still reads them."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

LOOKALIKE = str.maketrans("aceopxyiBEHKMOPTX", "асеорхуіВЕНКМОРТХ")
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u202c\ufe0f\U000e0041"

Disguise = Callable[[str, random.Random], str]


def zero_width(text: str, dice: random.Random) -> str:
    """Invisible characters of many kinds after every third letter or so."""
    return "".join(c + dice.choice(INVISIBLE) if dice.random() < 0.3 else c for c in text)


def homoglyphs(text: str, dice: random.Random) -> str:
    """Half of the letters that have a Cyrillic look-alike replaced by it."""
    return "".join(c.translate(LOOKALIKE) if dice.random() < 0.5 else c for c in text)


def full_width(text: str, dice: random.Random) -> str:
    """Half of the letters, digits and signs in their full-width form."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and dice.random() < 0.5 else c for c in text)


def mathematical(text: str, dice: random.Random) -> str:
    """Letters in bold mathematical script, at random."""
    shift = {**{chr(65 + i): chr(0x1D400 + i) for i in range(26)}, **{chr(97 + i): chr(0x1D41A + i) for i in range(26)}}
    return "".join(shift.get(c, c) if dice.random() < 0.5 else c for c in text)


def struck_out(text: str, dice: random.Random) -> str:
    """Letters struck through by a combining mark, at random."""
    return "".join(c + "\u0336" if c.isalpha() and dice.random() < 0.5 else c for c in text)


def controls(text: str, dice: random.Random) -> str:
    """NUL and other control characters between the letters."""
    return "".join(c + dice.choice("\x00\x01\x08\x1b\x7f") if dice.random() < 0.2 else c for c in text)


def wrapped(text: str, dice: random.Random) -> str:
    """The whole text in base64 of either alphabet, once or twice."""
    for _ in range(dice.choice((1, 2))):
        data = text.encode()
        text = dice.choice((base64.b64encode(data), base64.urlsafe_b64encode(data))).decode()
    return text


def accents(text: str, dice: random.Random) -> str:
    """Accents on vowels, at random."""
    marked = str.maketrans("aeiouAEIOU", "áèîöúÀÉÏÔÛ")
    return "".join(c.translate(marked) if dice.random() < 0.5 else c for c in text)


def mixed_case(text: str, dice: random.Random) -> str:
    """Each letter in either case."""
    return "".join(c.upper() if dice.random() < 0.5 else c.lower() for c in text)


UNDONE: dict[str, Disguise] = {
    f.__name__: f for f in (zero_width, homoglyphs, full_width, mathematical, struck_out, controls, wrapped)
}
"""Disguises after which the canonical text is the plain one, letter by letter."""

COMPARED: dict[str, Disguise] = {f.__name__: f for f in (accents, mixed_case)}
"""Disguises that the comparison of sentences and prompts takes no notice of."""
