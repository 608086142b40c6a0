"""Room for bodies: how much of them may be in memory, and how many are worked on, at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from api.services.bodies import TooLarge, too_large
from api.services.writer import Busy


class Room:
    """Bytes of request bodies in memory, from their first byte to the answer; used by one event loop alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A request's share, given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.used -= share.held

    def take(self, size: int, held: int = 0) -> None:
        """Take room for more of a body that holds some already. Raises Busy; one body alone always has room."""
        if self.used > held and self.used + size > self._limit:
            raise Busy(f"{self.used >> 20} MiB of bodies are being worked on")
        self.used += size


class Share:
    """What one request holds."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.held = 0

    async def read(self, chunks: AsyncIterator[bytes], limit: int) -> bytes:
        """The whole body. Raises TooLarge as soon as it is beyond the limit, Busy where there is no room for it."""
        body = bytearray()
        async for chunk in chunks:
            if len(body) + len(chunk) > limit:
                raise TooLarge(too_large(limit))
            self._room.take(len(chunk), self.held)
            self.held += len(chunk)
            body += chunk
        return bytes(body)
