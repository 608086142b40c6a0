"""Cases beside cases: the reviewed accounts most like one, and the members of a campaign with what ties each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from api.schemas.case import CampaignGraph, Edge, Handover, Node, SignalRow, Twin, Twins
from api.storage import actions, campaigns, cases
from api.storage.engine import Database
from detector.assessment import AccountFinding, Evidence
from detector.failover import Failover, failovers

TWINS = 3  # shown of each outcome
REVIEWED = 500  # the last ones of each outcome that are looked at
MAX_NODES = 300  # of a graph: more is no picture
MAX_EDGES = 2000


def twins(database: Database, account_id: str) -> Twins | None:
    """The reviewed accounts nearest to one by what speaks for and against them; None for an unknown account."""
    found = cases.get(database, account_id)
    if found is None:
        return None
    mine = _reasons(found[1])
    reviewed = {state: cases.closed(database, state, REVIEWED) for state in ("confirmed", "dismissed")}
    nearest = {
        state: [_twin(f, row, likeness, mine) for likeness, row, f in _nearest(mine, rows, account_id)]
        for state, rows in reviewed.items()
    }
    spoke = {
        state: [{e.signal for e in f.evidence if e.direction == "for"} for _, f in rows]
        for state, rows in reviewed.items()
    }
    signals = [
        SignalRow(
            signal=e.signal,
            title=e.title,
            value=_shown(e),
            contribution=e.contribution,
            confirmed=sum(e.signal in s for s in spoke["confirmed"]),
            reviewed=sum(e.signal in s for both in spoke.values() for s in both),
        )
        for e in mine.values()
    ]
    return Twins(signals=signals, **nearest)


def graph(database: Database, campaign_id: str) -> CampaignGraph | None:
    """Members with their course and what ties them; None for an unknown campaign."""
    found = campaigns.get(database, campaign_id)
    if found is None:
        return None
    with database.read() as connection:
        members = cases.whole(connection, found[1].accounts)
        stopped = actions.stopped(connection, members)
    work = found[1].work or {a: (row.first_seen, row.last_seen) for a, (row, _) in members.items()}
    chosen = sorted(members.values(), key=lambda m: (-m[0].risk, m[0].account_id))[:MAX_NODES]
    names = {row.account_id for row, _ in chosen}
    edges: dict[tuple[str, str], Edge] = {}
    for row, finding in chosen:
        for other in finding.related:
            pair = (min(row.account_id, other.account_id), max(row.account_id, other.account_id))
            if other.account_id in names and (pair not in edges or edges[pair].weight < other.weight):
                edges[pair] = Edge(source=pair[0], target=pair[1], weight=other.weight, text=other.text)
    columns = ("account_id", "risk", "verdict", "state", "requests", "output_tokens", "first_seen", "last_seen")
    heaviest = sorted(edges.values(), key=lambda e: (-e.weight, e.source, e.target))[:MAX_EDGES]
    return CampaignGraph(
        nodes=[
            Node(
                days=f.days,
                joined_at=work[row.account_id][0] if row.account_id in work else row.first_seen,
                **{name: getattr(row, name) for name in columns},
            )
            for row, f in chosen
        ],
        edges=heaviest,
        left_out=len(found[1].accounts) - len(chosen),
        handovers=[_handover(f) for f in failovers(work, stopped)],
    )


def _handover(found: Failover) -> Handover:
    values = msgspec.structs.asdict(found)
    return Handover(after_seconds=values.pop("after").total_seconds(), **values)


def _reasons(finding: AccountFinding | cases.Reasons) -> dict[str, Evidence]:
    return {e.signal: e for e in finding.evidence}


def _nearest(
    mine: Mapping[str, Evidence], rows: Sequence[tuple[cases.CaseRecord, cases.Reasons]], account_id: str
) -> list[tuple[float, cases.CaseRecord, cases.Reasons]]:
    ranked = [(_likeness(mine, _reasons(f)), row, f) for row, f in rows if row.account_id != account_id and f.evidence]
    return sorted(ranked, key=lambda r: (-r[0], r[1].account_id))[:TWINS] if mine else []


def _likeness(one: Mapping[str, Evidence], other: Mapping[str, Evidence]) -> float:
    """Cosine of the contributions to the log-odds, 0 where they point apart."""
    signals = sorted(one.keys() | other.keys())
    a = np.array([one[s].contribution if s in one else 0.0 for s in signals])
    b = np.array([other[s].contribution if s in other else 0.0 for s in signals])
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return max(float(a @ b) / length, 0.0) if length else 0.0


def _twin(finding: cases.Reasons, row: cases.CaseRecord, likeness: float, mine: Mapping[str, Evidence]) -> Twin:
    columns = ("account_id", "state", "verdict_id", "risk", "requests", "harvest")
    values = {e.signal: _shown(e) for e in finding.evidence if e.signal in mine}
    return Twin(likeness=likeness, values=values, **{name: getattr(row, name) for name in columns})


def _shown(evidence: Evidence) -> str:
    if evidence.unit.startswith("share of "):
        return f"{evidence.value:.0%}"
    return f"{evidence.value:,.3g} {evidence.unit}"
