"""The queue: cases filtered, sorted and cut into pages in SQL."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    not_,
    or_,
    select,
    type_coerce,
    update,
)

from api.prices import Prices
from api.schemas.base import CaseState, Verdict
from api.schemas.queue import CaseSort, ClaimFilter
from api.storage import cases
from api.storage.engine import Database
from api.storage.models import account_findings

T = account_findings.c
NEVER = 2**62  # microseconds: after all due dates


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

    rows: Sequence[cases.CaseRecord]
    next_cursor: str | None
    totals: Totals
    alike: dict[str, dict[str, int]]  # closed cases by pattern and state


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
        select(*cases.ROW, picked.c.sort_value)
        .join(picked, T.account_id == picked.c.account_id)
        .order_by(ordered, picked.c.account_id)
    )
    with database.read() as connection:
        totals = last.totals if last is not None else _totals(connection, matching)
        rows = connection.execute(statement).all()
        closed = cases.alike_in(connection, {r.pattern for r in rows})
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


def reprice(database: Database, prices: Prices) -> int:
    """Weigh all that was weighed by other prices anew; returns how many that were."""
    priority = prices.priority(T.risk, T.input_tokens, T.output_tokens)
    differs = T.priority != priority
    with database.read() as connection:
        others = list(connection.execute(_in_order(select(T.account_id)).where(differs)).scalars())
    for start in range(0, len(others), cases.CHUNK):
        chosen = T.account_id.in_(others[start : start + cases.CHUNK])
        with database.write("findings") as connection:  # another process may have done it meanwhile
            connection.execute(update(account_findings).where(chosen, differs).values(priority=priority))
    return len(others)


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


def _cursor(sort: CaseSort, row: cases.CaseRecord, totals: Totals) -> str:
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
