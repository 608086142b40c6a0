"""Honest customers of every kind, the look-alikes of harvesting among them."""

from detector.simulate.tenants import apps, askers, batch, developers, organisations, persons  # noqa: F401 - they register
from detector.simulate.tenants.base import LOOKALIKES, TENANTS

__all__ = ["LOOKALIKES", "TENANTS"]
