"""Where webhooks may go: public addresses, and what the operator allows. Checked at the moment of connecting.

A name that is harmless when a webhook is made may point inside the house when it is used, so the name is resolved once, every
address is checked, and the connection goes to a checked address, not to the name.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last bits


class Refused(ValueError):
    """The address may not be reached."""


def check_url(url: str, allowed: Sequence[Network]) -> SplitResult:
    """The parts of a webhook's address, if it may be one. Raises Refused, with what to do.

    Plain http is for allowed networks only.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused(f"the address cannot be read: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("give an address that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise Refused("the address carries a user or password: leave them out, the signature shows who sends")
    if parts.fragment:
        raise Refused("the address has a part after #, which is never sent: leave it out")
    found = resolve(parts.hostname, port or (443 if parts.scheme == "https" else 80), allowed)
    if parts.scheme == "http" and not all(_within(address, allowed) for address in found):
        raise Refused("plain http is for allowed networks only: use https")
    return parts


def resolve(host: str, port: int, allowed: Sequence[Network]) -> list[Address]:
    """The addresses of a host, each of which may be reached. Raises Refused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"the name {host!r} has no address: {error}") from error
    addresses = list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    for address in addresses:
        if not (_public(address) or _within(address, allowed)):
            raise Refused(
                f"{host} is at {address}, which is not public: allow its network by DISTILLWATCH_WEBHOOK_ALLOWED_NETWORKS"
            )
    return addresses


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if not all(_public(one) for one in inner if one is not None):
            return False
    return address.is_global and not address.is_multicast


def _within(address: Address, allowed: Iterable[Network]) -> bool:
    plain = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    return any(plain in network for network in allowed if network.version == plain.version)
