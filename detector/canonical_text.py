"""Canonical text: what requests are compared by, in whatever disguise the same words come.

A model reads full-width letters, letters of another script that look alike, text with invisible characters in it and base64
as it reads the plain words; so must the detector, or a template is hidden by any of them. Undone here, in this order:

* control characters and those that Unicode says to ignore in matching (``Default_Ignorable_Code_Point``: zero-width spaces
  and joiners, direction overrides, tags, variation selectors);
* compatibility forms, by NFKC: full-width, mathematical, circled letters, ligatures; small capitals, which NFKC leaves;
  combining marks that compose with nothing (struck-out letters);
* look-alikes (of Cyrillic, Greek, Armenian, Cherokee; checked by Unicode's confusables), only in texts with words that mix scripts and
  become words of one script by it: real Russian or Greek stays as it is, and English words in it as well;
* base64 whose bytes are readable text, up to MAX_UNWRAPS layers deep.

Source: Unicode TR15 (normalisation), TR31 (ignorable characters), TR39 (confusables). Linear in the length of the text, which
``unicodedata.normalize`` alone is not: it sorts runs of combining marks by insertion, so runs are shortened before.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from functools import cache
from itertools import groupby

MAX_UNWRAPS = 3  # layers of base64; each is a quarter smaller, so no text can grow by it
MIN_WRAPPED = 32  # characters of base64, 24 bytes: random ones of so many are readable text once in 10^10 times
CHARS_PER_BLANK = 12  # English has a blank every six characters: where they are rarer, half of the text may be wrapped
MIN_DISGUISED = 3  # letters of a word with look-alikes in it that shows a text to be disguised
READABLE = 0.95  # share of printable characters in text that was unwrapped
JUDGED = 4096  # characters by which that is judged
MAX_CHARS = 100_000  # of a longer text that is not ASCII the head and the tail are undisguised: the middle is a document, no frame
MARKS_IN_A_ROW = 4  # combining marks kept of a run; no script piles more on one letter

_CONTROLS = bytes([*range(0x09), *range(0x0E, 0x1C), 0x7F])  # without white space
_IGNORABLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_DIACRITIC = (
    "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # of Latin, Greek, Cyrillic
)
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡ", "abcdefghijklmnoprstuvwyzag", strict=True))

_LOOKALIKES = {
    "Cyrillic": (
        "асԁеһіӏӀјкморԛѕтѵԝхуАВСЕԌНІЈКМОРЅТѴԜХУ",
        "acdehilljkmopqstvwxyABCEGHIJKMOPSTVWXY",
    ),
    "Greek": ("αιϳκηοσρτυνγΑΒΕϜΗΙͿΚΜΝΟΡΤΧΥΖ", "aijknooptuvyABEFHIJKMNOPTXYZ"),
    "Armenian": ("քցհոռօզսաՕՏՍ", "fghnnoquwOSU"),
    "Cherokee": ("ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃ", "ABCDEHJKLMPRSTVWYZ"),
}
_LETTERS = {
    "Latin": "A-Za-z\u00c0-\u024f",
    "Cyrillic": "\u0400-\u0482\u048a-\u052f",
    "Greek": "\u0370-\u03ff",
    "Armenian": "\u0531-\u0587",
    "Cherokee": "\u13a0-\u13f5\uab70-\uabbf",
}
_OTHER = "".join(letters for script, letters in _LETTERS.items() if script != "Latin")
_TO_LATIN = str.maketrans(*("".join(column) for column in zip(*_LOOKALIKES.values(), strict=True)))
_FROM_LATIN = {s: str.maketrans(latin[::-1], own[::-1]) for s, (own, latin) in _LOOKALIKES.items()}


def _ranges(points: list[int]) -> str:
    """Code points as the inside of a character class."""
    runs = (list(run) for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0]))
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


# Python's regular expressions look a character of the basic plane up in a table, but walk a list for all others. So the
# first look takes every character beyond it (emoji, say) for a suspect, and only suspects get the second.
_BEYOND = "\U00010000-\U0010ffff"
_MARK = _ranges([c for c in range(0x300, 0x20000) if unicodedata.combining(chr(c))])  # planes 2 and on have none
_PLANE_MARK = _ranges([c for c in range(0x300, 0x10000) if unicodedata.combining(chr(c))])
_PLANE_IGNORABLE = _IGNORABLE.partition("\U0001bca0")[0]
_DISGUISED = re.compile(f"[{_PLANE_IGNORABLE}{_PLANE_MARK}{''.join(_SMALL_CAPITALS)}{_BEYOND}]")
_IGNORED = re.compile(f"[{_IGNORABLE}]+")
_CROWDED = re.compile(f"[{_PLANE_MARK}{_BEYOND}]{{{MARKS_IN_A_ROW + 1}}}")
_CROWD = re.compile(f"([{_MARK}]{{{MARKS_IN_A_ROW}}})[{_MARK}]+")
_LOOSE = re.compile(f"[{_DIACRITIC}]+")
_WITHOUT_ACCENT = {
    chr(c): bare
    for c in (*range(0xC0, 0x530), *range(0x1E00, 0x2000))
    if (bare := _LOOSE.sub("", unicodedata.normalize("NFD", chr(c)))) and bare != chr(c)
}
_ACCENTED = re.compile(f"[{_ranges(list(map(ord, _WITHOUT_ACCENT)))}]")
_WIDE = re.compile("[\u3000\uff01-\uffe2\uffe4-\uffee]")
_RESIDUE = re.compile(f"[{_DIACRITIC}{''.join(_SMALL_CAPITALS)}]")
_MIXED = re.compile(f"[{_LETTERS['Latin']}][{_OTHER}]|[{_OTHER}][{_LETTERS['Latin']}]")
_WORD = re.compile(r"[^\W\d_]+")
_OF_SCRIPT = {script: re.compile(f"[{letters}]") for script, letters in _LETTERS.items()}
_NOT_LATIN = re.compile(f"[{_OTHER}]")
_WRAPPED = re.compile(rf"[A-Za-z0-9+/_-]{{{MIN_WRAPPED},}}(?:\r?\n[A-Za-z0-9+/_-]{{4,}})*={{0,2}}")


def canonical(text: str) -> str:
    """The text without disguise; plain ASCII comes back as it is. Case, accents and white space are kept.

    Idempotent for texts of up to MAX_CHARS.
    """
    text = _undisguised(text)
    for _ in range(MAX_UNWRAPS):
        if len(text) < MIN_WRAPPED or text.count(" ") * CHARS_PER_BLANK > len(text):
            break
        unwrapped = _WRAPPED.sub(_unwrap, text)
        if unwrapped == text:
            break
        text = _undisguised(unwrapped)
    return text


def unaccented(text: str) -> str:
    """A canonical text without accents on Latin, Greek and Cyrillic letters, as the encoders read it."""
    return text if text.isascii() else _ACCENTED.sub(_bare, text)


def _bare(found: re.Match[str]) -> str:
    return _WITHOUT_ACCENT[found[0]]


def _undisguised(text: str) -> str:
    if text.isascii():
        raw = text.encode()
        kept = raw.translate(None, _CONTROLS)
        return text if len(kept) == len(raw) else kept.decode()
    if len(text) > MAX_CHARS:
        half = MAX_CHARS // 2
        return _undisguised(text[:half]) + text[half:-half] + _undisguised(text[-half:])
    disguised = _DISGUISED.search(text) is not None
    if disguised:
        text = _thinned(_IGNORED.sub("", text))
    text = _WIDE.sub(_narrow, text)  # by itself, as it is common in honest Chinese, and ten times as fast as NFKC
    plain = unicodedata.normalize("NFKC", text)
    if disguised or plain != text:
        plain = unicodedata.normalize("NFC", _RESIDUE.sub(lambda m: _SMALL_CAPITALS.get(m[0], ""), plain))
    return _folded(plain) if _NOT_LATIN.search(plain) and _MIXED.search(plain) else plain


@cache
def _compatible(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


def _narrow(found: re.Match[str]) -> str:
    return _compatible(found[0])


def _thinned(text: str) -> str:
    """The text with at most MARKS_IN_A_ROW combining marks in a row."""
    return _CROWD.sub(r"\1", text) if _CROWDED.search(text) else text


def _folded(text: str) -> str:
    """A text that mixes scripts within words, with look-alikes written in the script that most of its letters are of.

    Nothing is folded where no word of MIN_DISGUISED letters becomes one of a single script: Δx is mathematics.
    """
    main = max(_OF_SCRIPT, key=lambda script: len(_OF_SCRIPT[script].findall(text)))

    def fold(word: str) -> str:
        own = word.translate(_FROM_LATIN[main]) if main != "Latin" else ""
        if own and not _OF_SCRIPT["Latin"].search(own):
            return own
        latin = word.translate(_TO_LATIN) if main == "Latin" or _MIXED.search(word) else ""
        return latin if latin and not _NOT_LATIN.search(latin) else word

    mixed = (w for w in _WORD.findall(text) if len(w) >= MIN_DISGUISED and _MIXED.search(w))
    return _WORD.sub(lambda m: fold(m[0]), text) if any(fold(w) != w for w in mixed) else text


def _unwrap(found: re.Match[str]) -> str:
    """The text that is wrapped in base64, what follows the wrapping in its own line kept; the match as it is where there is none."""
    lines = found[0].splitlines()
    full = next((i for i, line in enumerate(lines) if len(line) != len(lines[0])), len(lines) - 1)
    for end in (full + 1, full):  # a last line may be shorter, or a word of what follows
        text = _decoded("".join(lines[:end]))
        if text is not None:
            return "\n".join([text, *lines[end:]])
    return found[0]


def _decoded(wrapped: str) -> str | None:
    """The readable text that a string in base64 stands for, of either alphabet, with its padding or without."""
    data = wrapped.rstrip("=").translate(_URL_SAFE)
    try:
        text = base64.b64decode(data + "=" * (-len(data) % 4), validate=True).decode()
    except ValueError:
        return None
    head = text[:JUDGED]
    return text if head and sum(c.isprintable() or c.isspace() for c in head) >= READABLE * len(head) else None


_URL_SAFE = str.maketrans("-_", "+/")
