"""Families of harvest, each in several variants."""

from detector.simulate.harvests import corpora, feedback, loops, sessions  # noqa: F401 - they register their families
from detector.simulate.harvests.base import HARVESTS, PUBLISHED, Item, start, variants

__all__ = ["HARVESTS", "PUBLISHED", "Item", "start", "variants"]
