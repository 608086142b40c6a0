"""Signals, and which of them are in shadow."""

from __future__ import annotations

from urllib.parse import quote

from api.schemas.signals import SignalIn, SignalOut, SignalState
from dashboard.client import Client, checked


def signals(client: Client) -> list[SignalOut]:
    """Those that can be in shadow: all that speak for harvesting."""
    return [s for s in client.fetch_list("/v1/signals", SignalOut) if s.direction == "for"]


def switch(client: Client, signal: str, state: SignalState, reason: str) -> SignalOut:
    """Put one into shadow, or make it live."""
    body = checked(SignalIn, state=state, reason=reason)
    return client.send("PUT", f"/v1/signals/{quote(signal, safe='')}", body, SignalOut)
