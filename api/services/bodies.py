"""Request bodies: decompressed within a limit, made readable where single rows are not."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import zstandard

MAX_LAYERS = 3  # of compression, one in the other
MAX_MEMBERS = 10_000  # compressed by themselves, one after another: empty ones cost time and make nothing
MAX_WINDOW_BYTES = 128 << 20  # what zstd itself asks for at most, short of --long=28 and more

Unpack = Callable[[bytes, int], bytes]  # of some more bytes, making so many at most where that can be asked for

_STEP = 1024  # bytes: even the densest zstd makes 32 MiB of them at most
_BOTH = zlib.MAX_WBITS | 32  # gzip or zlib, told apart by the header
# An escaped backslash, a good pair of surrogates, or half of one. The last would make a whole array unreadable.
_ESCAPES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class TooLarge(ValueError):
    """The body is beyond the limit."""


class Undecodable(ValueError):
    """The body is not what its Content-Encoding says, or that is unknown."""


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a Content-Encoding, never making more than ``limit`` bytes. Raises TooLarge, Undecodable."""
    names = [e.strip().lower() for e in encoding.split(",") if e.strip()]
    if len(names) > MAX_LAYERS:
        raise Undecodable(f"Content-Encoding names {len(names)} layers, at most {MAX_LAYERS} are undone")
    for name in reversed(names):
        if name in ("identity", "none"):
            continue
        if name in ("gzip", "x-gzip", "deflate"):
            body = _inflate(body, name, limit)
        elif name == "zstd":
            body = _zstd(body, limit)
        else:
            raise Undecodable(f"Content-Encoding {name!r} is not known here: use gzip, deflate, zstd or none")
    return body


def readable(body: bytes) -> bytes:
    """The body without bytes that are no UTF-8 and escapes that are no character: U+FFFD stands for them.

    One such row would otherwise make the whole array unreadable, and a client could hide its requests that way.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode(errors="replace").encode()
    if _names_surrogates(body):
        body = _ESCAPES.sub(lambda match: match[1] or b"\\ufffd", body)
    return body


def _names_surrogates(body: bytes) -> bool:
    r"""Whether there is a ``\ud`` or ``\uD``; several times as fast as two searches for them."""
    text = np.frombuffer(body, np.uint8)
    backslashes = np.flatnonzero(text[:-2] == ord("\\"))
    return bool(np.any((text[backslashes + 1] == ord("u")) & ((text[backslashes + 2] | 0x20) == ord("d"))))


def _inflate(body: bytes, name: str, limit: int) -> bytes:
    wbits = _BOTH
    if name == "deflate" and not (len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0):
        wbits = -zlib.MAX_WBITS  # some clients send deflate without the zlib header

    def start() -> tuple[Any, Unpack]:
        stream = zlib.decompressobj(wbits)
        return stream, lambda data, most: stream.decompress(data, most)

    try:
        return _unpack(body, name, limit, start)
    except zlib.error as error:
        raise Undecodable(f"the body is no {name}: {error}") from error


def _zstd(body: bytes, limit: int) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)

    def start() -> tuple[Any, Unpack]:
        frame = unpacker.decompressobj()
        return frame, lambda data, _: frame.decompress(data)

    try:
        return _unpack(body, "zstd", limit, start)
    except zstandard.ZstdError as error:
        raise Undecodable(f"the body is no zstd: {error}") from error


def _unpack(body: bytes, name: str, limit: int, start: Callable[[], tuple[Any, Unpack]]) -> bytes:
    """The content of all members or frames, fed in small steps: none makes much of itself before it is measured."""
    out = bytearray()
    at = members = 0
    stream, unpack = start()
    begun = False
    while at < len(body):
        step = body[at : at + _STEP]
        at += len(step)
        begun = True
        while step:
            out += unpack(step, limit + 1 - len(out))
            if len(out) > limit:
                raise TooLarge(too_large(limit, compressed=True))
            step = getattr(stream, "unconsumed_tail", b"")
        if stream.eof:
            at -= len(stream.unused_data)
            members += 1
            if members > MAX_MEMBERS:
                raise Undecodable(f"the {name} body has more than {MAX_MEMBERS:,} members")
            (stream, unpack), begun = start(), False
    if begun:
        raise Undecodable(f"the {name} body is cut off")
    return bytes(out)


def too_large(limit: int, compressed: bool = False) -> str:
    """What is said of a body beyond the limit."""
    what = "decompressed body" if compressed else "body"
    return f"the {what} is larger than {limit >> 20} MiB: send smaller batches"
