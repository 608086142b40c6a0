"""Works out what gateways are told, and publishes what changed: to the table that all API processes follow, and to webhooks."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from api.schemas.verdicts import EnforcementMode
from api.services import atlas, automatic, messages
from api.services.board import Board
from api.services.verdicts import NOTHING, Entry, Record, holds, order, strongest
from api.settings import Settings
from api.storage import actions, campaigns, cases, enforcement, published, webhooks
from api.storage.engine import Database, StorageError
from detector.assessment import AccountFinding

MAX_REASONS = 5
MAX_TRIES = 5  # at a moment at which nothing changes meanwhile; the next round tries again

_ENCODER = msgspec.json.Encoder()
log = structlog.get_logger()


class Publisher:
    """Publishes from one database. Several may run at once: each reads under a lock what the others published."""

    def __init__(self, database: Database, settings: Settings, board: Board) -> None:
        self._database = database
        self._settings = settings
        self._board = board
        self._stamp: tuple[Any, ...] | None = None
        self._next_end: datetime | None = None
        self._lock = threading.Lock()

    def step(self) -> bool:
        """Publish if there may be something new, or an action has come to its end. True if it looked."""
        with self._database.read() as connection:
            news = published.stamp(connection) != self._stamp
        if not news and (self._next_end is None or self._next_end > datetime.now(UTC)):
            return False
        self.publish()
        return True

    def publish(self) -> int:
        """Publish what changed; returns how many records that were."""
        with self._lock:
            automatic.issue(self._database, self._settings)
            for _ in range(MAX_TRIES):
                count = self._try()
                if count is not None:
                    break
            else:
                log.warning("too much changes at once; publishing again soon")
                self._stamp, count = None, 0
        self._board.refresh()
        return count

    def publish_now(self) -> None:
        """Publish right after a decision. If that fails the decision stands all the same, and the next round publishes it."""
        try:
            self.publish()
        except StorageError as error:
            log.warning("publishing failed; it is tried again", error=str(error))

    def _try(self) -> int | None:
        """One attempt; None if something changed meanwhile. Reads first: writing holds up ingestion on SQLite."""
        now = datetime.now(UTC)
        with self._database.read() as connection:
            stamp = published.stamp(connection)
            self._board.sync(connection)
            accounts, groups, next_end = _desired(connection, self._settings.enforcement, now)
        count = 0
        if _changed(accounts, self._board.accounts) or _changed(groups, self._board.campaigns):
            with self._database.write("published") as connection:
                if published.stamp(connection) != stamp:
                    return None
                self._board.sync(connection)  # what others published meanwhile
                count = self._write(connection, accounts, groups, now)
        self._stamp, self._next_end = stamp, next_end
        return count

    def _write(
        self, connection: Connection, accounts: Mapping[str, Record], groups: Mapping[str, Record], now: datetime
    ) -> int:
        changed, before = _changed(accounts, self._board.accounts), self._board.accounts
        changed_groups, groups_before = _changed(groups, self._board.campaigns), self._board.campaigns
        found, found_groups = cases.whole(connection, changed), campaigns.whole(connection, changed_groups)
        after: dict[str, Record] = {}
        for account_id, record in changed.items():
            after[account_id] = _explained(record, found[account_id][1], now) if account_id in found else record
        published.write(connection, "account", {i: _ENCODER.encode(r) for i, r in after.items()}, now)
        dated = {i: msgspec.structs.replace(r, changed_at=now) for i, r in changed_groups.items()}
        published.write(connection, "campaign", {i: _ENCODER.encode(r) for i, r in dated.items()}, now)
        wanted = webhooks.wanted(connection)
        if "account.flagged" in wanted:
            new = [i for i, r in after.items() if r.verdict == "flag" != before.get(i, NOTHING).verdict]
            items = [messages.account(*found[i], after[i]) for i in new if after[i].state != "dismissed"]
            webhooks.enqueue(connection, "account.flagged", items, now)
        if "verdict.changed" in wanted:
            new = [i for i, r in after.items() if strongest(r) != strongest(before.get(i, NOTHING))]
            items = [messages.account(*found[i], after[i]) if i in found else messages.gone(i) for i in new]
            webhooks.enqueue(connection, "verdict.changed", items, now)
        if "campaign.flagged" in wanted:
            new = [i for i, r in dated.items() if r.verdict == "flag" != groups_before.get(i, NOTHING).verdict]
            items = [messages.campaign(*found_groups[i]) for i in new if dated[i].state != "dismissed"]
            webhooks.enqueue(connection, "campaign.flagged", items, now)
        log.info("verdicts published", accounts=len(after), campaigns=len(dated))
        return len(after) + len(dated)


def _desired(
    connection: Connection, setting: EnforcementMode, now: datetime
) -> tuple[dict[str, Record], dict[str, Record], datetime | None]:
    """What is to be published on accounts and campaigns, without reasons, and when the first action ends."""
    mode = enforcement.stricter(setting, enforcement.mode(connection))
    own: dict[str, list[Entry]] = {}
    shared: dict[str, list[Entry]] = {}
    live = actions.live(connection, now)
    for action in live:
        entry = Entry(
            action=action.action,
            source=action.source,
            until=action.expires_at,
            api_key_id=action.api_key_id,
            model=action.model,
            capability=action.capability,
        )
        if holds(entry, mode, now):
            (own if action.subject == "account" else shared).setdefault(action.subject_id, []).append(entry)
    groups = {
        row.campaign_id: Record(
            verdict=row.verdict, state=row.state, entries=order(shared.get(row.campaign_id, ())), risk=row.risk
        )
        for row in campaigns.standing(connection)
    }
    acting = {i for i, g in groups.items() if g.entries or g.state == "confirmed"}
    accounts: dict[str, Record] = {}
    for row in cases.standing(connection, acting):
        group = groups.get(row.campaign_id or "", NOTHING)
        entries = list(own.get(row.account_id, ()))
        if (
            row.state != "dismissed"
        ):  # nothing that is said of the group holds for a member that was dismissed by itself
            entries += group.entries
            if row.verdict != "clear" or row.state == "confirmed" or group.state == "confirmed":
                entries.append(Entry(action="observe", source="finding"))
        accounts[row.account_id] = Record(
            verdict=row.verdict,
            state=row.state,
            campaign_id=row.campaign_id if group is not NOTHING else None,
            entries=order(entries),
            said=_said(row.state, group, entries),
            risk=row.risk if row.verdict != "clear" else None,
        )
    return accounts, groups, min((a.expires_at for a in live), default=None)


def _changed(desired: Mapping[str, Record], known: Mapping[str, Record]) -> dict[str, Record]:
    """Records to write: what differs, and nothing for what is no longer there."""
    changed = {i: r for i, r in desired.items() if r.key != known.get(i, NOTHING).key}
    return changed | dict.fromkeys(known.keys() - desired.keys(), NOTHING)


def _said(record_state: str, group: Record, entries: Collection[Entry]) -> tuple[str, ...]:
    if record_state == "dismissed":
        return ("dismissed",)
    said = {
        "confirmed": record_state == "confirmed",
        "campaign_confirmed": group.state == "confirmed",
        "automatic": any(e.source == "automatic" for e in entries),
    }
    return tuple(word for word, holds in said.items() if holds)


def _explained(record: Record, finding: AccountFinding, now: datetime) -> Record:
    """A record with signals and codes, where there is anything to explain."""
    if not record.entries:
        return msgspec.structs.replace(record, changed_at=now)
    signals = [e.signal for e in finding.evidence if e.direction == "for"]
    codes = tuple(atlas.codes_of(signals, bool(record.campaign_id)))
    return msgspec.structs.replace(record, signals=tuple(signals[:MAX_REASONS]), codes=codes, changed_at=now)
