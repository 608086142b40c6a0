"""The accounts that the benchmark asks for."""

from __future__ import annotations

STANDING = 5  # one in so many is flagged or watched
ACTING = 50  # one in so many is under an action
CHANGING = range(1000, 6000)  # of these, two fifths change with each publication


def name(number: int) -> str:
    """Id of the n-th account."""
    return f"acct_{number:07}"


def risk(number: int, shift: int = 0) -> float:
    """Risk of the n-th account."""
    return 0.9 if (number + shift) % STANDING == 0 else 0.1
