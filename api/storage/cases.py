"""Findings on accounts: written by the worker, sorted, filtered and cut into pages in SQL for the queue."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    not_,
    or_,
    select,
    type_coerce,
    update,
)

from api.prices import DEFAULT_PRICES, Prices
from api.schemas.base import CaseState, Verdict
from api.schemas.queue import CaseSort, ClaimFilter
from api.storage.approvals import NotPossible
from api.storage.engine import Database
from api.storage.models import DECIDED, account_findings
from api.storage.upsert import common_values, upsert
from detector.assessment import AccountFinding, Evidence

T = account_findings.c
ROW = [c for c in account_findings.columns if c.name != "finding"]
DECODER = msgspec.json.Decoder(AccountFinding)
ALIKE = 2  # strongest signals that alike cases share
TO_LOOK = timedelta(hours=48)  # within which somebody should look at what is flagged
HONEST = (1, 5)  # OCSF verdicts of dismissed accounts whose conduct is that of honest customers
NEVER = 2**62  # microseconds: after all due dates
_CHUNK = 500
CaseRecord = Row  # of ROW


class BadCursor(ValueError):
    """The cursor is none that this service gave out for this sort order."""


class Query(NamedTuple):
    """What the queue is asked for."""

    sort: CaseSort = "risk"
    descending: bool = True
    state: CaseState | None = None
    verdict: Verdict | None = None
    min_risk: float | None = None
    text: str | None = None
    limit: int = 50
    cursor: str | None = None
    due_before: datetime | None = None
    claim: ClaimFilter | None = None
    pattern: str | None = None
    actor: str = ""  # whose claims are "mine"
    now: datetime | None = None


class Totals(NamedTuple):
    """Of all that match: how many, how many flags, and of all flags' expected false ones the share among these."""

    total: int
    flags: int
    false_share: float


class Page(NamedTuple):
    """A page of the queue. Its totals are those of the first page, which the cursor carries: counting costs more than a page."""

    rows: Sequence[CaseRecord]
    next_cursor: str | None
    totals: Totals
    alike: dict[str, dict[str, int]]  # closed cases by pattern and state


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
            "top_reason": next((e.text for e in f.evidence if e.direction == "for"), "").replace("\0", "\ufffd"),
            "false_discovery": f.false_discovery,
            "pattern": pattern_of(f),
            "due_at": now + TO_LOOK if f.verdict == "flag" else None,
            "priority": prices.priority(f.risk, f.input_tokens, f.output_tokens),
            **common_values(f, now),
        }
        for f in findings
    ]
    upsert(connection, account_findings, rows, now)


def reprice(database: Database, prices: Prices) -> int:
    """Weigh all that was weighed by other prices anew; returns how many that were."""
    priority = prices.priority(T.risk, T.input_tokens, T.output_tokens)
    differs = T.priority != priority
    with database.read() as connection:
        others = list(connection.execute(_in_order(select(T.account_id)).where(differs)).scalars())
    for start in range(0, len(others), _CHUNK):
        chosen = T.account_id.in_(others[start : start + _CHUNK])
        with database.write("findings") as connection:  # another process may have done it meanwhile
            connection.execute(update(account_findings).where(chosen, differs).values(priority=priority))
    return len(others)


def forget(connection: Connection, account_ids: Collection[str]) -> None:
    """Remove accounts that left the window, but none that was ever flagged or decided on."""
    ids = sorted(account_ids)
    for start in range(0, len(ids), _CHUNK):
        chosen = T.account_id.in_(ids[start : start + _CHUNK])
        connection.execute(delete(account_findings).where(chosen, T.flagged_at.is_(None), T.state == "open"))


def ids(connection: Connection) -> set[str]:
    """All accounts with a finding."""
    return set(connection.execute(select(T.account_id)).scalars())


def page(database: Database, query: Query) -> Page:
    """One page of the queue. Raises BadCursor.

    What is filtered, sorted and summed is read from an index; whole rows are read of one page only.
    """
    matching = _conditions(query)
    value = _sort_value(query)
    order = value.desc() if query.descending else value.asc()
    picking = select(T.account_id, value.label("sort_value")).where(*matching)
    if query.sort == "priority":
        picking = _in_order(picking)
    last = _last(query) if query.cursor else None
    if last is not None:
        not_before = value <= last.value if query.descending else value >= last.value
        picking = picking.where(not_before, or_(value != last.value, T.account_id > last.account_id))
    picked = picking.order_by(order, T.account_id).limit(query.limit + 1).subquery()
    ordered = picked.c.sort_value.desc() if query.descending else picked.c.sort_value.asc()
    statement = (
        select(*ROW, picked.c.sort_value)
        .join(picked, T.account_id == picked.c.account_id)
        .order_by(ordered, picked.c.account_id)
    )
    with database.read() as connection:
        totals = last.totals if last is not None else _totals(connection, matching)
        rows = connection.execute(statement).all()
        closed = _alike(connection, {r.pattern for r in rows})
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Page(rows, _cursor(query.sort, rows[-1], totals) if more else None, totals, closed)


def _totals(connection: Connection, matching: Sequence[ColumnElement[bool]]) -> Totals:
    flag = T.verdict == "flag"
    sums = select(
        func.count().label("total"),
        func.count(case((flag, 1))).label("flags"),
        func.coalesce(func.sum(case((flag, T.false_discovery))), 0.0).label("false_discovery"),
    )
    found = connection.execute(sums.where(*matching)).one()
    everything = connection.execute(sums.where(flag)).one()
    share = found.false_discovery / everything.false_discovery if everything.false_discovery else 0.0
    return Totals(found.total, found.flags, share)


def matching_ids(database: Database, query: Query, limit: int) -> list[str]:
    """Accounts that match, the riskiest first, whatever page is asked for."""
    statement = select(T.account_id).where(*_conditions(query)).order_by(T.risk.desc(), T.account_id).limit(limit)
    with database.read() as connection:
        return list(connection.execute(statement).scalars())


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
        return _alike(connection, patterns)


def _alike(connection: Connection, patterns: set[str]) -> dict[str, dict[str, int]]:
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


def honest(database: Database) -> list[Honest]:
    """Accounts dismissed as false positives or benign, in order of their ids; a test, say, is no honest traffic."""
    with database.read() as connection:
        query = (
            select(T.finding).where(DECIDED, T.state == "dismissed", T.verdict_id.in_(HONEST)).order_by(T.account_id)
        )
        found = [DECODER.decode(blob) for blob in connection.execute(query).scalars()]
    return [Honest(f.score, f.requests) for f in found if f.score is not None]


def rows_of(database: Database, account_ids: Collection[str]) -> dict[str, CaseRecord]:
    """Rows of some accounts, by id."""
    wanted = sorted(account_ids)
    found: dict[str, CaseRecord] = {}
    with database.read() as connection:
        for start in range(0, len(wanted), _CHUNK):
            rows = connection.execute(select(*ROW).where(T.account_id.in_(wanted[start : start + _CHUNK])))
            found.update((r.account_id, r) for r in rows)
    return found


def standing(connection: Connection, campaign_ids: Collection[str]) -> Iterator[CaseRecord]:
    """Account, verdict, state, risk and campaign of all that is not clear, was decided on, or is in one of some campaigns."""
    columns = (T.account_id, T.verdict, T.state, T.risk, T.campaign_id)
    yield from connection.execute(select(*columns).where(or_(T.verdict != "clear", T.state != "open")))
    wanted = sorted(campaign_ids)
    for start in range(0, len(wanted), _CHUNK):
        mine = T.campaign_id.in_(wanted[start : start + _CHUNK])
        yield from connection.execute(select(*columns).where(mine, T.verdict == "clear", T.state == "open"))


def whole(connection: Connection, account_ids: Collection[str]) -> dict[str, tuple[CaseRecord, AccountFinding]]:
    """Some accounts with their whole findings, by id."""
    wanted = sorted(account_ids)
    found: dict[str, tuple[CaseRecord, AccountFinding]] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = select(account_findings).where(T.account_id.in_(wanted[start : start + _CHUNK]))
        found.update((r.account_id, (r, DECODER.decode(r.finding))) for r in connection.execute(query))
    return found


def suspects(connection: Connection, min_risk: float) -> list[str]:
    """Flagged accounts that nobody decided on and whose risk is not below ``min_risk``, the riskiest first."""
    mine = and_(T.verdict == "flag", T.state == "open", T.risk >= min_risk)
    return list(connection.execute(select(T.account_id).where(mine).order_by(T.risk.desc(), T.account_id)).scalars())


def findings(database: Database, chunk: int = _CHUNK) -> Any:
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


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.verdict:
        conditions.append(T.verdict == query.verdict)
    elif query.state in (None, "open"):  # a decided case stays findable by its state, whatever became of its verdict
        conditions.append(T.verdict.in_(["flag", "watch"]))
    if query.state:
        conditions.append(T.state == query.state)
    if query.min_risk is not None:
        conditions.append(T.risk >= query.min_risk)
    if query.due_before is not None:
        conditions += [T.due_at < query.due_before, T.state.in_(["open", "need_more"])]
    if query.claim is not None:
        held = and_(T.claimed_by.is_not(None), T.claimed_until > query.now)
        mine = and_(held, T.claimed_by == query.actor)
        conditions.append(mine if query.claim == "mine" else not_(held) if query.claim == "free" else held)
    if query.pattern is not None:
        conditions.append(T.pattern == query.pattern)
    if query.text:
        text = query.text.lower()
        conditions.append(
            or_(
                func.lower(T.account_id).contains(text, autoescape=True),
                func.lower(T.campaign_id).contains(text, autoescape=True),
            )
        )
    return conditions


def _in_order(statement: Select[Any]) -> Select[Any]:
    """Read from the index of the queue's own order. SQLite, which knows no statistics, takes any condition for more selective than it is."""
    return statement.with_hint(account_findings, "INDEXED BY ix_account_findings_priority", "sqlite")


def _sort_value(query: Query) -> ColumnElement[Any]:
    sort = query.sort
    if sort == "flagged_at":
        return func.coalesce(type_coerce(T.flagged_at, BigInteger), -1)
    if sort == "due_at":
        return func.coalesce(type_coerce(T.due_at, BigInteger), NEVER)
    if sort == "last_seen":
        return type_coerce(T.last_seen, BigInteger)
    return T[sort]


class _Last(NamedTuple):
    """Where the page before ended."""

    value: Any
    account_id: str
    totals: Totals


def _cursor(sort: CaseSort, row: CaseRecord, totals: Totals) -> str:
    said = json.dumps([sort, row.sort_value, row.account_id, *totals], ensure_ascii=False)
    return base64.urlsafe_b64encode(said.encode()).decode()


def _last(query: Query) -> _Last:
    """What a cursor says, which anyone may write. Raises BadCursor."""
    try:
        sort, value, account_id, total, flags, share = json.loads(base64.urlsafe_b64decode(query.cursor or ""))
        good = sort == query.sort and _storable(account_id, str)
        good = good and _storable(value, str if sort == "account_id" else int | float)
        good = good and all(_storable(n, int) and n >= 0 for n in (total, flags)) and _storable(share, int | float)
    except (ValueError, TypeError, RecursionError):
        good = False
    if not good:
        raise BadCursor("the cursor does not belong to this list: start again without one")
    return _Last(value, account_id, Totals(total, flags, share))


def _storable(value: Any, kind: Any) -> bool:
    """Whether a value of a cursor, which anyone may write, is one that every database can compare with."""
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    if isinstance(value, str):
        return "\0" not in value and value == value.encode(errors="replace").decode()  # no half of a surrogate pair
    return math.isfinite(value) and abs(value) < 2**63


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
