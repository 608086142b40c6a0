"""Request bodies: read within a limit, decompressed within a limit, made readable where single rows are not."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator

import zstandard

_STEP = 1 << 20
_BOTH = zlib.MAX_WBITS | 32  # gzip or zlib, told apart by the header
# An escaped backslash, a good pair of surrogates, or half of one. The last would make a whole array unreadable.
_ESCAPES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class TooLarge(ValueError):
    """The body is beyond the limit."""


class Undecodable(ValueError):
    """The body is not what its Content-Encoding says, or that is unknown."""


async def read(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is beyond the limit."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise TooLarge(_too_large(limit))
    return bytes(body)


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a Content-Encoding, never making more than ``limit`` bytes. Raises TooLarge, Undecodable."""
    for name in reversed([e.strip().lower() for e in encoding.split(",") if e.strip()]):
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
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode(errors="replace").encode()
    if b"\\ud" in body or b"\\uD" in body:
        body = _ESCAPES.sub(lambda match: match[1] or b"\\ufffd", body)
    return body


def _inflate(body: bytes, name: str, limit: int) -> bytes:
    wbits = _BOTH
    if name == "deflate" and not (len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0):
        wbits = -zlib.MAX_WBITS  # some clients send deflate without the zlib header
    out = bytearray()
    try:
        while body:
            stream = zlib.decompressobj(wbits)
            out += stream.decompress(body, limit + 1 - len(out))
            if len(out) > limit:
                raise TooLarge(_too_large(limit, compressed=True))
            if not stream.eof:
                raise Undecodable(f"the {name} body is cut off")
            body = stream.unused_data  # gzip may have several members
    except zlib.error as error:
        raise Undecodable(f"the body is no {name}: {error}") from error
    return bytes(out)


def _zstd(body: bytes, limit: int) -> bytes:
    out = bytearray()
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body, read_across_frames=True) as reader:
            while chunk := reader.read(_STEP):
                out += chunk
                if len(out) > limit:
                    raise TooLarge(_too_large(limit, compressed=True))
    except zstandard.ZstdError as error:
        raise Undecodable(f"the body is no zstd: {error}") from error
    return bytes(out)


def _too_large(limit: int, compressed: bool = False) -> str:
    what = "decompressed body" if compressed else "body"
    return f"the {what} is larger than {limit >> 20} MiB: send smaller batches"
