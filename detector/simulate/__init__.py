"""Labelled traffic: honest customers of many kinds, and campaigns that harvest among them.

traffic = simulate(PRESETS["demo"], seed=1)
write(traffic, Path("traffic"))
"""

from detector.simulate.arrivals import Arrivals
from detector.simulate.campaign import Campaign
from detector.simulate.frames import FRAMES, GROUPS
from detector.simulate.grammar import built_in
from detector.simulate.harvests import HARVESTS
from detector.simulate.planting import Surroundings, plant_among, plant_into
from detector.simulate.presets import PRESETS, TEACHING, anything, benchmark
from detector.simulate.scenario import Scenario, Traffic, simulate, write
from detector.simulate.tenants import LOOKALIKES, TENANTS
from detector.simulate.texts import Prompt, Texts

__all__ = [
    "FRAMES",
    "GROUPS",
    "HARVESTS",
    "LOOKALIKES",
    "PRESETS",
    "TEACHING",
    "TENANTS",
    "Arrivals",
    "Campaign",
    "Prompt",
    "Scenario",
    "Surroundings",
    "Texts",
    "Traffic",
    "anything",
    "benchmark",
    "built_in",
    "plant_among",
    "plant_into",
    "simulate",
    "write",
]
