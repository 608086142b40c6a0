"""Findings on accounts: written by the worker, claimed and read one by one or by what they have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from api.prices import DEFAULT_PRICES, Prices
from api.schemas.base import CaseState
from api.storage.approvals import NotPossible
from api.storage.engine import Database
from api.storage.models import DECIDED, account_findings
from api.storage.upsert import common_values, upsert
from detector.assessment import AccountFinding, Evidence, top_reason

T = account_findings.c
ROW = [c for c in account_findings.columns if c.name != "finding"]
DECODER = msgspec.json.Decoder(AccountFinding)
ALIKE = 2  # strongest signals that alike cases share
TO_LOOK = timedelta(hours=48)  # within which somebody should look at what is flagged
HONEST = (1, 5)  # OCSF verdicts of dismissed accounts whose conduct is that of honest customers
CHUNK = 500  # accounts in one statement: databases bound its parameters
CaseRecord = Row  # of ROW


class Reasons(msgspec.Struct):
    """What of a finding reviews are compared by; the rest, most of it, is passed over on reading."""

    requests: int
    evidence: list[Evidence] = []


REASONS = msgspec.json.Decoder(Reasons)


class Honest(NamedTuple):
    """An account that people found honest: the score that decided on it, and its requests."""

    score: float
    requests: int


def pattern_of(finding: AccountFinding) -> str:
    """What cases that are alike have in common: what they look like, and the two strongest signals for it."""
    signals = [e.signal for e in finding.evidence if e.direction == "for" and e.signal != "campaign"][:ALIKE]
    return "|".join([(finding.harvest or "").replace("\0", "\ufffd"), *sorted(signals)])[:200]


def store(
    connection: Connection, findings: Sequence[AccountFinding], now: datetime, prices: Prices = DEFAULT_PRICES
) -> None:
    """Write findings; state and the earliest time of flagging stay. ``prices`` weigh them in the queue."""
    rows = [
        {
            "account_id": f.account_id,
            "campaign_id": f.campaign_id,
            "top_reason": top_reason(f).replace("\0", "\ufffd"),
            "false_discovery": f.false_discovery,
            "pattern": pattern_of(f),
            "due_at": now + TO_LOOK if f.verdict == "flag" else None,
            "priority": prices.priority(f.risk, f.input_tokens, f.output_tokens),
            **common_values(f, now),
        }
        for f in findings
    ]
    upsert(connection, account_findings, rows, now)


def forget(connection: Connection, account_ids: Collection[str]) -> None:
    """Remove accounts that left the window, but none that was ever flagged or decided on."""
    ids = sorted(account_ids)
    for start in range(0, len(ids), CHUNK):
        chosen = T.account_id.in_(ids[start : start + CHUNK])
        connection.execute(delete(account_findings).where(chosen, T.flagged_at.is_(None), T.state == "open"))


def ids(connection: Connection) -> set[str]:
    """All accounts with a finding."""
    return set(connection.execute(select(T.account_id)).scalars())


def claim(database: Database, account_id: str, actor: str, until: datetime, now: datetime) -> CaseRecord | None:
    """Keep a case for a person until a time; None where there is none. Raises NotPossible while another has it."""
    with database.write() as connection:
        row = connection.execute(select(T.claimed_by, T.claimed_until).where(T.account_id == account_id)).first()
        if row is None:
            return None
        refuse_claimed(row, actor, now)
        changing = update(account_findings).where(T.account_id == account_id)
        return connection.execute(changing.values(claimed_by=actor, claimed_until=until).returning(*ROW)).one()


def release(database: Database, account_id: str, actor: str | None) -> CaseRecord | None:
    """Let a case go, where ``actor`` has it, or (None) whoever has it; None where there is no such case."""
    mine = [T.account_id == account_id, *([] if actor is None else [T.claimed_by == actor])]
    with database.write() as connection:
        connection.execute(update(account_findings).where(*mine).values(claimed_by=None, claimed_until=None))
        return connection.execute(select(*ROW).where(T.account_id == account_id)).first()


def is_claimed(row: Any, actor: str, now: datetime) -> bool:
    """Whether somebody else works on it."""
    return row.claimed_by not in (None, actor) and row.claimed_until is not None and row.claimed_until > now


def refuse_claimed(row: Any, actor: str, now: datetime) -> None:
    """Raise NotPossible if somebody else has claimed it."""
    if is_claimed(row, actor, now):
        raise NotPossible(f"{row.claimed_by} works on it until {row.claimed_until:%H:%M} UTC")


def alike(database: Database, patterns: set[str]) -> dict[str, dict[str, int]]:
    """Closed cases by pattern and state, of some patterns."""
    with database.read() as connection:
        return alike_in(connection, patterns)


def alike_in(connection: Connection, patterns: set[str]) -> dict[str, dict[str, int]]:
    """Closed cases by pattern and state, of some patterns."""
    chosen = (T.pattern.in_(sorted(patterns - {""})), T.state.in_(["confirmed", "dismissed"]))
    query = select(T.pattern, T.state, func.count().label("n")).where(*chosen).group_by(T.pattern, T.state)
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.pattern, {})[row.state] = row.n
    return found


def get(database: Database, account_id: str) -> tuple[CaseRecord, AccountFinding] | None:
    """One account with its whole finding."""
    with database.read() as connection:
        row = connection.execute(select(account_findings).where(T.account_id == account_id)).first()
    return (row, DECODER.decode(row.finding)) if row else None


def reviewed(database: Database) -> list[tuple[CaseState, Reasons]]:
    """Accounts that were once flagged, and that people confirmed or dismissed: state, and reasons of the last assessment."""
    chosen = (DECIDED, T.state.in_(["confirmed", "dismissed"]), T.flagged_at.is_not(None))
    with database.read() as connection:
        rows = connection.execute(select(T.state, T.finding).where(*chosen).order_by(T.account_id)).all()
    return [(state, REASONS.decode(finding)) for state, finding in rows]


def states(database: Database) -> dict[str, CaseState]:
    """What people decided, of all accounts that they decided on."""
    with database.read() as connection:
        rows = connection.execute(select(T.account_id, T.state).where(DECIDED)).all()
    return {row.account_id: row.state for row in rows}


def closed(database: Database, state: CaseState, limit: int) -> list[tuple[CaseRecord, Reasons]]:
    """Accounts in a state with their reasons, the last decided on first."""
    query = (
        select(account_findings)
        .where(DECIDED, T.state == state)
        .order_by(T.changed_at.desc(), T.account_id)
        .limit(limit)
    )
    with database.read() as connection:
        return [(row, REASONS.decode(row.finding)) for row in connection.execute(query)]


IS_HONEST = (DECIDED, T.state == "dismissed", T.verdict_id.in_(HONEST))  # a test, say, is no honest traffic


def honest(database: Database) -> list[Honest]:
    """Accounts dismissed as false positives or benign, in order of their ids."""
    with database.read() as connection:
        query = select(T.finding).where(*IS_HONEST).order_by(T.account_id)
        found = [DECODER.decode(blob) for blob in connection.execute(query).scalars()]
    return [Honest(f.score, f.requests) for f in found if f.score is not None]


def honest_ids(database: Database) -> frozenset[str]:
    """The ids of these."""
    with database.read() as connection:
        return frozenset(connection.execute(select(T.account_id).where(*IS_HONEST)).scalars())


def rows_of(database: Database, account_ids: Collection[str]) -> dict[str, CaseRecord]:
    """Rows of some accounts, by id."""
    wanted = sorted(account_ids)
    found: dict[str, CaseRecord] = {}
    with database.read() as connection:
        for start in range(0, len(wanted), CHUNK):
            rows = connection.execute(select(*ROW).where(T.account_id.in_(wanted[start : start + CHUNK])))
            found.update((r.account_id, r) for r in rows)
    return found


def standing(connection: Connection, campaign_ids: Collection[str]) -> Iterator[CaseRecord]:
    """Account, verdict, state, risk and campaign of all that is not clear, was decided on, or is in one of some campaigns."""
    columns = (T.account_id, T.verdict, T.state, T.risk, T.campaign_id)
    yield from connection.execute(select(*columns).where(or_(T.verdict != "clear", T.state != "open")))
    wanted = sorted(campaign_ids)
    for start in range(0, len(wanted), CHUNK):
        mine = T.campaign_id.in_(wanted[start : start + CHUNK])
        yield from connection.execute(select(*columns).where(mine, T.verdict == "clear", T.state == "open"))


def whole(connection: Connection, account_ids: Collection[str]) -> dict[str, tuple[CaseRecord, AccountFinding]]:
    """Some accounts with their whole findings, by id."""
    wanted = sorted(account_ids)
    found: dict[str, tuple[CaseRecord, AccountFinding]] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(account_findings).where(T.account_id.in_(wanted[start : start + CHUNK]))
        found.update((r.account_id, (r, DECODER.decode(r.finding))) for r in connection.execute(query))
    return found


def suspects(connection: Connection, min_risk: float) -> list[str]:
    """Flagged accounts that nobody decided on and whose risk is not below ``min_risk``, the riskiest first."""
    mine = and_(T.verdict == "flag", T.state == "open", T.risk >= min_risk)
    return list(connection.execute(select(T.account_id).where(mine).order_by(T.risk.desc(), T.account_id)).scalars())


def findings(database: Database, chunk: int = CHUNK) -> Any:
    """All findings with their state, for export: (state, finding) pairs."""
    last = ""
    while True:
        query = select(T.account_id, T.state, T.finding).where(T.account_id > last).order_by(T.account_id).limit(chunk)
        with database.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield row.state, DECODER.decode(row.finding)
        if len(rows) < chunk:
            return
        last = rows[-1].account_id


def summary(connection: Connection) -> dict[str, Any]:
    """Figures of the overview."""
    flagged, open_ = T.verdict == "flag", and_(T.state == "open", T.verdict.in_(["flag", "watch"]))
    query = select(
        func.count().label("accounts"),
        func.count(case((flagged, 1))).label("flagged"),
        func.count(case((T.verdict == "watch", 1))).label("watched"),
        func.count(case((open_, 1))).label("open_cases"),
    )
    return dict(connection.execute(query).one()._mapping)
