"""Reads bodies for the API in a process of its own: python -m api.services.parser_process, with a socket as standard input.

A message is its length in eight bytes and that many bytes. A task is followed by its body; one answer comes back. The process
ends with its socket, and so with the API, however that ends.
"""

from __future__ import annotations

import signal
import socket
import struct

import msgspec

from api.output import configure_log
from api.services import bodies, parsing

READY = b"ready"
FAULTS = (parsing.BadBody, parsing.TooMany, bodies.TooLarge)  # by their place

_LENGTH = struct.Struct("<Q")
_TASK = msgspec.msgpack.Decoder(parsing.Task)


class Answer(msgspec.Struct, array_like=True):
    """What became of a body: its rows, or which of ``FAULTS`` it has, and in which words."""

    parsed: parsing.Parsed | None = None
    fault: int = 0
    reason: str = ""


def send(end: socket.socket, *messages: bytes) -> None:
    """Send messages. Raises OSError."""
    for message in messages:
        end.sendall(_LENGTH.pack(len(message)))
        end.sendall(message)


def receive(end: socket.socket) -> bytearray:
    """The next message. Raises OSError, EOFError where the other end is gone."""
    (size,) = _LENGTH.unpack(_exactly(end, _LENGTH.size))
    return _exactly(end, size)


def _exactly(end: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    left = memoryview(data)
    while left:
        count = end.recv_into(left)
        if not count:
            raise EOFError("the other end is gone")
        left = left[count:]
    return data


def answer(task: bytes | bytearray, body: bytes) -> Answer:
    """Read a body."""
    try:
        return Answer(parsing.parse(body, _TASK.decode(task)))
    except FAULTS as error:
        return Answer(None, FAULTS.index(type(error)), str(error))


def main() -> None:
    """Read bodies until the API ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the API, which may still have bodies to be read
    configure_log("parser")
    encoder = msgspec.msgpack.Encoder()
    with socket.socket(fileno=0) as end:
        try:
            send(end, READY)
            while True:
                task = receive(end)
                send(end, encoder.encode(answer(task, bytes(receive(end)))))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main()
