"""Pieces: the sentences and lines of a canonical text that may be a template's constant parts, known by their hashes.

Texts are cut and compared many at a time. A frame stands at the head or the tail of a prompt, so the first and the last few
pieces are kept; digits are masked, so that a counter or a date in a frame does not hide it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest

from detector import ragged
from detector.canonical_text import canonical, unaccented
from detector.encoders import well_formed

PIECE_MIN_BYTES = 24  # shorter sentences ("Thanks!", "Answer:") are shared by chance; bytes, as one ideograph is a word
PASSAGE_CHARS = 200  # a piece this long is a passage of a document, not a sentence of a frame
LENGTHS = 64  # steps in which a key tells its piece's length
MAX_PIECES = 8  # a frame stands at the head or the tail of a prompt: four pieces of each
MAX_CHARS = 12_000  # the middle of a longer prompt is a document, not a frame

_BLANK = r"[\s\x1c-\x1f]"
_RUN = rf"[{_BLANK}--\ ]{_BLANK}*|\ {_BLANK}+"  # of blanks, unless it is a single space
_BLANKS = rf"[{_BLANK}--\n]{_BLANK}*"  # those that begin within a line
_END = rf"([.!?:;]){_BLANKS}|(。)|([\u3040-\u30ff\u3400-\u9fff][!?:;])(?:{_BLANKS})?"  # of a sentence within a line


class Pieces(NamedTuple):
    """Pieces of texts: ``of`` gives each text's by their numbers in ``distinct``, between ``edges[i]`` and ``edges[i + 1]``."""

    of: np.ndarray
    edges: np.ndarray
    distinct: pl.Series


def hash64(text: str) -> int:
    """64-bit xxh3 of a text, with 0 kept for 'absent'; lone surrogates are allowed, hostile logs carry them."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) or 1


def normalise(text: str) -> str:
    """Text as compared between requests: disguise, case, accents and white space do not count."""
    return plain(canonical(text))


def plain(text: str) -> str:
    """:func:`normalise` of a text that is canonical."""
    return " ".join(unaccented(text).lower().split())


def plain_keys(texts: Sequence[str]) -> np.ndarray:
    """:func:`hash64` of each canonical text made :func:`plain`, 0 where nothing is left: uint64. ASCII is done at once."""
    ascii_texts = np.fromiter(map(str.isascii, texts), bool, len(texts))
    out = np.empty(len(texts), np.uint64)
    plainly = _plain_ascii(pl.Series([t for t in texts if t.isascii()], dtype=pl.String))
    out[ascii_texts] = np.where((plainly != "").to_numpy(), _hashes(plainly), np.uint64(0))
    others = [plain(t) for t in texts if not t.isascii()]
    out[~ascii_texts] = [hash64(t) if t else 0 for t in others]
    return out


def _plain_all(texts: pl.Series) -> pl.Series:
    """:func:`plain` of each text; those of ASCII at once, which is several times as fast."""
    plainly = _plain_ascii(texts)
    others = (texts.str.len_bytes() != texts.str.len_chars()).arg_true()
    return plainly.scatter(others, [plain(t) for t in texts.gather(others)]) if len(others) else plainly


def _plain_ascii(texts: pl.Series) -> pl.Series:
    return texts.str.to_lowercase().str.replace_all(_RUN, " ").str.strip_chars(" ")


def _hashes(texts: pl.Series) -> np.ndarray:
    """:func:`hash64` of each text: uint64."""
    return np.maximum(np.fromiter(map(xxh3_64_intdigest, texts.cast(pl.Binary).to_list()), np.uint64, len(texts)), 1)


def cut(texts: Sequence[str]) -> Pieces:
    """The pieces of texts: of those with at least PIECE_MIN_BYTES the first and the last four, digits masked."""
    raw = pl.Series([_well_formed_ends(t) for t in texts], dtype=pl.String)
    lines = raw.str.replace_all(_END, "${1}${2}${3}\n").str.split("\n")
    edges = ragged.bounds(lines.list.len().to_numpy())
    lines = lines.explode()

    long = (lines.str.len_bytes() >= PIECE_MIN_BYTES).to_numpy()
    lines, edges = lines.filter(long), ragged.kept(edges, long)
    chosen = ragged.ends(edges, MAX_PIECES)
    coded = lines.filter(chosen).to_arrow().dictionary_encode()
    edges = ragged.kept(edges, chosen)

    words = _plain_all(pl.Series(coded.dictionary, dtype=pl.String))
    codes = coded.indices.to_numpy()
    long = (words.str.len_bytes() >= PIECE_MIN_BYTES).to_numpy()[codes]
    codes, edges = codes[long], ragged.kept(edges, long)
    chosen = ragged.ends(edges, MAX_PIECES // 2)
    return Pieces(codes[chosen], ragged.kept(edges, chosen), words.str.replace_all("[0-9]+", "0"))


def pieces_of(text: str) -> list[str]:
    """The pieces of one text."""
    pieces = cut([text])
    return pieces.distinct.gather(pieces.of).to_list()


def piece_keys(pieces: pl.Series) -> np.ndarray:
    """Keys of pieces, uint64: a hash, a coarse length (see :func:`length_of`), and a lowest bit that tells passages (1) from
    sentences (0)."""
    chars = pieces.str.len_chars().cast(pl.UInt64).to_numpy()
    length = np.minimum(chars * LENGTHS // PASSAGE_CHARS, LENGTHS - 1)
    return _hashes(pieces) & ~np.uint64(2 * LENGTHS - 1) | length << 1 | (chars >= PASSAGE_CHARS)


def length_of(key: pl.Expr) -> pl.Expr:
    """Length of the pieces with these keys in characters, to within three; of passages at most PASSAGE_CHARS."""
    return ((key % (2 * LENGTHS)) // 2 + 0.5) * (PASSAGE_CHARS / LENGTHS)


def keys(texts: Sequence[str], min_chars: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Keys of the texts' pieces that have at least ``min_chars``: uint64, one text's after another's, and their bounds."""
    pieces = cut(texts)
    of = pieces.of
    known = piece_keys(pieces.distinct)
    if not min_chars:
        return known[of], pieces.edges
    long = (pieces.distinct.str.len_chars() >= min_chars).to_numpy()[of]
    return known[of[long]], ragged.kept(pieces.edges, long)


def _well_formed_ends(text: str) -> str:
    half = MAX_CHARS // 2
    return well_formed(text if len(text) <= MAX_CHARS else f"{text[:half]}\n{text[-half:]}")
