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
    distinct: list[str]


def hash64(text: str) -> int:
    """64-bit xxh3 of a text, with 0 kept for 'absent'; lone surrogates are allowed, hostile logs carry them."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) or 1


def normalise(text: str) -> str:
    """Text as compared between requests: disguise, case, accents and white space do not count."""
    return plain(canonical(text))


def plain(text: str) -> str:
    """:func:`normalise` of a text that is canonical."""
    return " ".join(unaccented(text).lower().split())


def plain_all(texts: Sequence[str]) -> list[str]:
    """:func:`plain` of each text; those of ASCII at once, which is several times as fast."""
    ascii_texts = pl.Series([t for t in texts if t.isascii()], dtype=pl.String)
    done = iter(ascii_texts.str.to_lowercase().str.replace_all(_RUN, " ").str.strip_chars(" ").to_list())
    return [next(done) if t.isascii() else plain(t) for t in texts]


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

    words = pl.Series(plain_all(coded.dictionary.to_pylist()), dtype=pl.String)
    codes = coded.indices.to_numpy()
    long = (words.str.len_bytes() >= PIECE_MIN_BYTES).to_numpy()[codes]
    codes, edges = codes[long], ragged.kept(edges, long)
    chosen = ragged.ends(edges, MAX_PIECES // 2)
    return Pieces(codes[chosen], ragged.kept(edges, chosen), words.str.replace_all("[0-9]+", "0").to_list())


def pieces_of(text: str) -> list[str]:
    """The pieces of one text."""
    pieces = cut([text])
    return [pieces.distinct[i] for i in pieces.of]


def piece_key(piece: str) -> int:
    """Key of a piece: a hash, a coarse length (see :func:`length_of`), and a lowest bit that tells passages (1) from sentences (0)."""
    length = min(len(piece) * LENGTHS // PASSAGE_CHARS, LENGTHS - 1)
    return hash64(piece) & ~(2 * LENGTHS - 1) | length << 1 | (len(piece) >= PASSAGE_CHARS)


def length_of(key: pl.Expr) -> pl.Expr:
    """Length of the pieces with these keys in characters, to within three; of passages at most PASSAGE_CHARS."""
    return ((key % (2 * LENGTHS)) // 2 + 0.5) * (PASSAGE_CHARS / LENGTHS)


def keys(texts: Sequence[str], min_chars: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Keys of the texts' pieces that have at least ``min_chars``: uint64, one text's after another's, and their bounds."""
    pieces = cut(texts)
    of = pieces.of
    known = np.fromiter(map(piece_key, pieces.distinct), np.uint64, len(pieces.distinct))
    if not min_chars:
        return known[of], pieces.edges
    long = np.fromiter((len(p) >= min_chars for p in pieces.distinct), bool, len(pieces.distinct))[of]
    return known[of[long]], ragged.kept(pieces.edges, long)


def _well_formed_ends(text: str) -> str:
    half = MAX_CHARS // 2
    return well_formed(text if len(text) <= MAX_CHARS else f"{text[:half]}\n{text[-half:]}")
