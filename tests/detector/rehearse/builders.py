"""Rehearsals made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from detector.rehearse.plan import Plan, Shape
from detector.rehearse.results import Disturbance, Outcome, Rehearsal

START = datetime(2026, 9, 7, tzinfo=UTC)


def shape(family: str = "reasoning", accounts: int = 1, cover: float = 0.0, **fields: Any) -> Shape:
    """A shape of twenty requests an account."""
    return Shape(**{"family": family, "accounts": accounts, "requests": 20, "cover": cover, "paraphrases": 1} | fields)


def outcome(of: Shape, caught: bool, repeat: int = 0, **fields: Any) -> Outcome:
    """What became of a campaign: all of its accounts flagged after ten requests, or none."""
    made: dict[str, Any] = {
        "shape": of,
        "repeat": repeat,
        "round": repeat,
        "variant": "tags",
        "pace": "job",
        "aged": False,
        "harvest": of.harvest,
        "caught": caught,
        "flagged": of.accounts if caught else 0,
        "exposure": 0.25 if caught else 1.0,
        "first_flag": 10 if caught else None,
        "risk": 0.98 if caught else 0.1,
        "signals": {"Reasoning elicitation": of.accounts} if caught else {},
        "ties": {},
        "strangers": 0,
    }
    return Outcome(**made | fields)


def rehearsal(*outcomes: Outcome, **fields: Any) -> Rehearsal:
    """A rehearsal in a log of a hundred accounts."""
    made: dict[str, Any] = {
        "plan": Plan(),
        "repeats": 3,
        "events": 5000,
        "accounts": 100,
        "first_event": START,
        "last_event": START + timedelta(days=7),
        "flag_at": 0.9,
        "outcomes": list(outcomes),
        "skipped": [],
        "disturbance": Disturbance(accounts=100, assessments=4, changed={}, newly_flagged=0),
    }
    return Rehearsal(**made | fields)
