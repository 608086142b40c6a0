"""Where the nodes of a graph are drawn: tied ones near each other, none outside. The same graph always looks the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROUNDS = 150  # of pushing and pulling; with 300 nodes some tenths of a second in all
FIRST_STEP, LAST_STEP = 0.12, 0.004  # how far a node moves at most in the first and in the last round, of the side
GRAVITY = 0.6  # towards the middle: keeps what is tied to nothing within sight
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)  # a spiral of it puts any number of nodes evenly on a disc

Edge = tuple[int, int, float]  # two nodes and how strongly they pull, in (0, 1]


def spread(nodes: int, edges: Sequence[Edge]) -> np.ndarray:
    """Coordinates of the nodes, each axis filling 0 to 1, after Fruchterman and Reingold 1991."""
    if not nodes:
        return np.zeros((0, 2))
    order = np.arange(nodes)
    radius = 0.5 * np.sqrt((order + 0.5) / nodes)
    at = np.column_stack([radius * np.cos(order * GOLDEN_ANGLE), radius * np.sin(order * GOLDEN_ANGLE)])
    ends = np.array([(a, b) for a, b, _ in edges], dtype=int).reshape(-1, 2)
    strength = np.array([s for _, _, s in edges])[:, None]
    ideal = 1 / nodes**0.5
    for step in np.geomspace(FIRST_STEP, LAST_STEP, ROUNDS):
        norms = (at**2).sum(axis=1)
        push = ideal**2 / np.maximum(norms[:, None] + norms - 2 * at @ at.T, 1e-6)
        move = at * push.sum(axis=1, keepdims=True) - push @ at - GRAVITY * at
        along = at[ends[:, 1]] - at[ends[:, 0]]
        pull = along * np.linalg.norm(along, axis=1, keepdims=True) / ideal * strength
        np.add.at(move, ends[:, 0], pull)
        np.add.at(move, ends[:, 1], -pull)
        length = np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
        at += move / length * np.minimum(length, step)
    low, high = at.min(axis=0), at.max(axis=0)
    return np.where(high > low, (at - low) / np.maximum(high - low, 1e-9), 0.5)
