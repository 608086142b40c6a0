"""Splitting and merging campaigns: what would come of it, and keeping people's word for the detector."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime

from api.schemas.groupings import GroupingIn, GroupingOut, GroupingPreview, Part, Regrouping
from api.services.approving import state_of
from api.settings import Settings
from api.storage import actions, campaigns, cases, groupings
from api.storage.engine import Database
from api.storage.keys import Key
from detector.campaigns import MIN_MEMBERS
from detector.regrouping import Constraint, regroup

SAMPLE = 5  # accounts of a part that are named
_NEW = 2**62  # number of a word that is not kept yet: later than all


class NotPossible(ValueError):
    """The campaign cannot be split or merged like this."""


def known(database: Database, constraints: Collection[Constraint]) -> dict[str, set[str]]:
    """Accounts of all known campaigns, as people want them."""
    if not constraints:
        return campaigns.members(database)
    return _members(regroup(_campaign_of(database), constraints))


def preview(database: Database, settings: Settings, body: Regrouping) -> GroupingPreview:
    """What it would do. Raises NotPossible."""
    found = _campaign_of(database)
    return _previewed(database, settings, found, _constraint(found, body))


def _previewed(database: Database, settings: Settings, found: dict[str, str], word: Constraint) -> GroupingPreview:
    now = datetime.now(UTC)
    concerned = {found[a] for side in word.sides for a in side}
    after = regroup(found, [*groupings.holding(database, now), word])
    parts = {name: accounts for name, accounts in _members(after).items() if concerned & {found[a] for a in accounts}}
    rows = cases.rows_of(database, {a for accounts in parts.values() for a in accounts})
    with database.read() as connection:
        acting = actions.of_campaigns(connection, concerned, now)
    return GroupingPreview(
        what="merge" if word.together else "split",
        parts=[
            Part(
                campaign_id=name,
                accounts=len(accounts),
                requests=sum(rows[a].requests for a in accounts if a in rows),
                sample=sorted(accounts)[:SAMPLE],
                kept=name in concerned,
                too_small=len(accounts) < MIN_MEMBERS,
            )
            for name, accounts in sorted(parts.items(), key=lambda p: (-len(p[1]), p[0]))
        ],
        actions=sorted(f"{a.action} on {a.subject_id}" for a in acting),
        needs_approval=settings.four_eyes and bool(acting),
    )


def keep(database: Database, settings: Settings, key: Key, body: GroupingIn) -> GroupingOut:
    """Keep people's word; where a campaign-wide action holds, for whom changes, so a second person must agree.

    Raises NotPossible.
    """
    found = _campaign_of(database)
    word = _constraint(found, body)
    told = _previewed(database, settings, found, word)
    args = (body.campaign_id, told.what, word.sides, body.reason, told.needs_approval, key.actor, datetime.now(UTC))
    return grouping_out(groupings.add(database, *args))


def listed(database: Database, campaign_id: str | None) -> list[GroupingOut]:
    """Words on campaigns, the newest first: all, or those that were said of one or name a member of it."""
    records = groupings.page(database)
    if campaign_id is not None:
        found = campaigns.get(database, campaign_id)
        mine = set(found[1].accounts) if found else set()
        records = [r for r in records if r.subject_id == campaign_id or mine & _named(r)]
    return [grouping_out(r) for r in records]


def grouping_out(record: groupings.Record) -> GroupingOut:
    """A word as it is shown."""
    columns = record._mapping
    own = {name: columns[name] for name in GroupingOut.model_fields if name in columns and name != "sides"}
    sides = [len(side) for side in json.loads(record.sides)]
    return GroupingOut(campaign_id=record.subject_id, state=state_of(record), sides=sides, **own)


def _campaign_of(database: Database) -> dict[str, str]:
    return {a: campaign for campaign, members in campaigns.members(database).items() for a in members}


def _members(campaign_of: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for account, campaign in campaign_of.items():
        found.setdefault(campaign, set()).add(account)
    return found


def _named(record: groupings.Record) -> set[str]:
    return {account for side in groupings.constraint(record).sides for account in side}


def _constraint(found: dict[str, str], body: Regrouping) -> Constraint:
    """The word that is asked for, on the members as they are now. Raises NotPossible."""
    members = _members(found)
    wanted = {body.campaign_id, *body.with_campaigns}
    if missing := sorted(wanted - members.keys()):
        raise NotPossible(f"no campaign {missing[0]!r}")
    if bool(body.accounts) == bool(body.with_campaigns):
        raise NotPossible("name either the accounts to split off, or the campaigns to merge with")
    if body.with_campaigns:
        if len(wanted) == 1:
            raise NotPossible("a campaign cannot be merged with itself")
        everybody = frozenset(a for campaign in wanted for a in members[campaign])
        return Constraint(number=_NEW, together=True, sides=(everybody,))
    part, whole = frozenset(body.accounts), members[body.campaign_id]
    if strangers := sorted(part - whole):
        raise NotPossible(f"{strangers[0]!r} is no member of this campaign")
    if part == whole:
        raise NotPossible("leave at least one account in the campaign")
    return Constraint(number=_NEW, together=False, sides=(part, frozenset(whole - part)))
