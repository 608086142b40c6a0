"""Ordinary people in front of a chat; campaigns imitate them for cover."""

from __future__ import annotations

from detector.simulate.identities import Owner
from detector.simulate.world import Request, World


def chat_session(
    w: World,
    owner: Owner,
    at: float,
    harvest: bool | None = None,
    *,
    system: str | None = None,
    end_user: str | None = None,
    most: int = 12,
    history: bool = True,
) -> None:
    """One conversation; without ``history`` the client forgets what was said before."""
    turns = w.dialogue()[:most]
    if history:
        w.converse(owner, turns, at, harvest, system=system, end_user=end_user)
        return
    for turn in turns:
        if at <= w.when.end:
            w.send(owner, at, Request([turn], system=system, end_user=end_user, output=250), harvest)
        at += w.when.think(len(turn))
