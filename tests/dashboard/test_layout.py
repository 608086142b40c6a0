"""Where the nodes of a campaign's graph are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.layout import spread


@pytest.mark.parametrize("nodes", [0, 1, 2, 3, 24, 300])
def test_all_nodes_are_within_the_picture(nodes: int) -> None:
    """Each has a place of its own within 0 and 1, also those that nothing ties, and always the same one."""
    edges = [(n, n + 1, 1.0) for n in range(nodes // 2)]
    at = spread(nodes, edges)
    assert at.shape == (nodes, 2)
    assert np.all((at >= 0) & (at <= 1))
    assert len({tuple(xy) for xy in at.round(6).tolist()}) == nodes
    assert np.array_equal(at, spread(nodes, edges))


def test_tied_nodes_are_near_each_other() -> None:
    """Two groups of ten, tied within and not between, lie apart."""
    edges = [(a + g, b + g, 1.0) for g in (0, 10) for a in range(10) for b in range(a)]
    at = spread(20, edges)
    within = max(np.linalg.norm(at[g : g + 10] - at[g : g + 10].mean(axis=0), axis=1).max() for g in (0, 10))
    assert np.linalg.norm(at[:10].mean(axis=0) - at[10:].mean(axis=0)) > 2 * within
