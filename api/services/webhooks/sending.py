"""One attempt to deliver: connects only to checked addresses, follows no redirect, reads little, takes little time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import httpcore

from api.services.webhooks.addresses import Network, Refused, check_url, resolve

TIMEOUT_SECONDS = 15.0  # Standard Webhooks: 15 to 30; of each of connecting, writing and reading
MAX_SECONDS = (
    20.0  # of everything together, so that a receiver that drips holds up neither others nor the end of the service
)
MAX_ANSWER_BYTES = 2000  # of the answer, for the log
GONE = 410  # the receiver wants nothing more, ever


class Outcome(NamedTuple):
    """What became of an attempt. Without an error it was delivered; ``retry_after`` in seconds, if the receiver said so."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: float | None = None


class TimedStream(httpcore.NetworkStream):
    """A connection on which everything together ends by a deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read. Raises ReadTimeout."""
        return self._inner.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write. Raises WriteTimeout."""
        self._inner.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The connection, encrypted. Raises ConnectTimeout."""
        left = self._left(timeout, httpcore.ConnectTimeout)
        return TimedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def close(self) -> None:
        """Close."""
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        """What the connection beneath says of itself."""
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error(f"no whole answer within {MAX_SECONDS:.0f} s")
        return left if timeout is None else min(left, timeout)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that :func:`resolve` let through; the certificate is still checked against the name."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._inner = httpcore.SyncBackend()
        self._deadline = time.monotonic() + MAX_SECONDS

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """A connection to the first address that answers. Raises Refused."""
        error: Exception = Refused(f"{host} has no address")
        for address in resolve(host, port, self._allowed):
            try:
                stream = self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
                return TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


def send(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network], context: ssl.SSLContext | None = None
) -> Outcome:
    """Post a body once."""
    start = time.monotonic()

    def outcome(status: int | None, error: str | None, retry_after: float | None = None) -> Outcome:
        return Outcome(status, error, round((time.monotonic() - start) * 1000), retry_after)

    limits = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SECONDS)
    try:
        check_url(url, allowed)
        with httpcore.ConnectionPool(
            ssl_context=context or ssl.create_default_context(), network_backend=GuardedBackend(allowed)
        ) as pool:
            request: dict[str, Any] = {"headers": list(headers.items()), "content": body}
            with pool.stream("POST", url, **request, extensions={"timeout": limits}) as response:
                text = _beginning(response)
                if 200 <= response.status < 300:
                    return outcome(response.status, None)
                return outcome(response.status, _words(response.status, text), _retry_after(response))
    except Refused as error:
        return outcome(None, f"refused: {error}")
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        return outcome(None, str(error) or type(error).__name__)
    except (OSError, ValueError, UnicodeError) as error:
        return outcome(None, f"{type(error).__name__}: {error}")


def _beginning(response: httpcore.Response) -> str:
    found = bytearray()
    for chunk in response.iter_stream():
        found += chunk
        if len(found) >= MAX_ANSWER_BYTES:
            break
    return found[:MAX_ANSWER_BYTES].decode(errors="replace").replace("\0", "\ufffd")


def _words(status: int, text: str) -> str:
    if 300 <= status < 400:
        return "redirects are not followed: change the webhook's address"
    return text.strip() or f"status {status}"


def _retry_after(response: httpcore.Response) -> float | None:
    value = {k.lower(): v for k, v in response.headers}.get(b"retry-after", b"")
    return float(value) if value.isdigit() else None
