"""``report.json``: the run, totals, campaigns, and the flagged accounts with their evidence."""

from __future__ import annotations

from typing import Any

import msgspec

from detector.assessment import AccountFinding, Assessment, CampaignFinding
from detector.event import Event
from detector.report.examples import examples_of
from detector.report.summary import RunSummary, totals

SCHEMA = "distillwatch.report/1"
EXAMPLES = 5  # of each finding

NOTE = "A log shows conduct, never intent or contract: what is flagged looks like harvesting; check entitlement, and let a person decide."


def render(run: RunSummary, assessment: Assessment, examples: dict[str, Event]) -> bytes:
    """The report as JSON. Texts stand in it as they were logged: whoever shows them must escape them."""
    findings: list[CampaignFinding | AccountFinding] = [*assessment.campaigns, *assessment.flagged()]
    shown = {e.event_id: e for f in findings for e in examples_of(f.example_event_ids, examples, EXAMPLES)}
    content = {
        "schema": SCHEMA,
        "note": NOTE,
        "run": {**msgspec.to_builtins(run), "events_per_second": run.events_per_second},
        "totals": totals(run, assessment),
        "thresholds": {"flag": assessment.threshold, "watch": assessment.watch_threshold},
        "campaigns": assessment.campaigns,
        "accounts": assessment.flagged(),
        "watched": [a for a in assessment.accounts if a.verdict == "watch"],
        "examples": shown,
    }
    return pretty(content)


def pretty(content: Any) -> bytes:
    """JSON of anything that msgspec encodes, indented; halves of surrogate pairs, for which JSON has no place, are replaced."""
    try:
        packed = msgspec.json.encode(content)
    except UnicodeEncodeError:
        packed = msgspec.json.encode(encodable(msgspec.to_builtins(content)))
    return msgspec.json.format(packed, indent=1) + b"\n"


def encodable(value: Any) -> Any:
    """A plain value with lone surrogates in its texts replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {encodable(k): encodable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(v) for v in value]
    return value
