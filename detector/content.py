"""What may be kept of an event's text: all of it, all but personal data and secrets, or none.

The features that the detector needs are computed before, in memory (``encode_rows``), so that an account is judged alike
whatever is kept of its texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import polars as pl
import zstandard

from detector.event import Event, Message
from detector.features import FeatureFrame
from detector.formats.redaction import MAX_DEPTH, SECRET_VALUE

SECRET, EMAIL, CARD, IBAN, PHONE, ADDRESS = (
    "[secret]",
    "[email]",
    "[card number]",
    "[account number]",
    "[phone number]",
    "[ip address]",
)

_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?!\w)")
_PHONE = re.compile(
    r"(?<![\w.])(?:(?:\+|00?(?=[1-9]))\d(?:[ ()./-]{0,2}\d){6,13}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?!\w)"
)
_IP = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{0,4}(?![\w:])"
)

_ENCODER = msgspec.msgpack.Encoder()


def without_text(event: Event) -> Event:
    """The event with no word of its prompts, answers and tools; roles, counts, settings and ids stay."""
    return msgspec.structs.replace(
        event, system=None, messages=[Message(role=m.role) for m in event.messages], tools=None, response=None, extra={}
    )


def redacted(event: Event) -> Event:
    """The event with personal data and secrets in its texts replaced by what they are: ``[email]``."""
    messages = [
        msgspec.structs.replace(m, content=_mapped(m.content, hide), tool_calls=_mapped(m.tool_calls, hide))
        for m in event.messages
    ]
    return msgspec.structs.replace(
        event,
        system=_mapped(event.system, hide),
        messages=messages,
        tools=_mapped(event.tools, hide),
        response=_mapped(event.response, hide),
        extra=_mapped(event.extra, hide),
    )


def hide(text: str) -> str:
    """Text with e-mail addresses, card and account numbers, telephone numbers, IP addresses and secrets replaced.

    By their form alone: names and postal addresses are not found.
    """
    text = SECRET_VALUE.sub(SECRET, text)
    text = _EMAIL.sub(EMAIL, text)
    text = _IBAN.sub(lambda m: IBAN if _is_iban(m[0]) else m[0], text)
    text = _CARD.sub(lambda m: CARD if _luhn(re.sub(r"\D", "", m[0])) else m[0], text)
    text = _IP.sub(ADDRESS, text)
    return _PHONE.sub(PHONE, text)


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 * (d > 9) for d in doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1  # ISO 13616


def _mapped(value: Any, change: Callable[[str], str], depth: int = 0) -> Any:
    """A value of JSON with each text changed, the names of fields aside."""
    if isinstance(value, str):
        return change(value)
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, list):
        return [_mapped(inner, change, depth + 1) for inner in value]
    if isinstance(value, dict):
        return {name: _mapped(inner, change, depth + 1) for name, inner in value.items()}
    return value


def encode_rows(frame: FeatureFrame) -> list[bytes]:
    """Each row of a feature frame by itself, compressed."""
    pack = zstandard.ZstdCompressor().compress
    return [pack(_ENCODER.encode(row)) for row in frame.iter_rows(named=True)]


def decode_rows(rows: Sequence[bytes], like: FeatureFrame) -> FeatureFrame:
    """Inverse of :func:`encode_rows`, with the columns of ``like``; what a row of another version lacks is empty."""
    unpack = zstandard.ZstdDecompressor().decompress
    found = [msgspec.msgpack.decode(unpack(row)) for row in rows]
    columns = {name: [row.get(name) for row in found] for name in like.columns}
    frame = pl.DataFrame({n: pl.Series(n, v, like.schema[n]) for n, v in columns.items()})
    filled = [c for c, t in frame.schema.items() if t.is_numeric() and c != "created"]
    return frame.with_columns(pl.col(filled).fill_null(0))
