"""Power analysis: which harvesting would be caught in the operator's own log, and which would not.

rehearsal = rehearse(profiles, surroundings, detector, Plan())
blind = [r.shape for r in rehearsal.shapes() if r.blind]
"""

from detector.rehearse.plan import Plan, Shape
from detector.rehearse.results import Outcome, Rehearsal, ShapeResult
from detector.rehearse.run import rehearse

__all__ = ["Outcome", "Plan", "Rehearsal", "Shape", "ShapeResult", "rehearse"]
