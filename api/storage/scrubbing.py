"""Text of requests in findings, removed where its requests are not kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, select, update

from api.storage import campaigns, cases
from api.storage.engine import Database
from api.storage.models import account_findings, campaign_findings

_ENCODER = msgspec.json.Encoder()
_CHUNK = 200


def of_last_seen(database: Database, before: datetime) -> int:
    """Remove the text from findings on what was last seen before a time; returns from how many."""
    tables: tuple[tuple[Table, Any], ...] = (
        (account_findings, cases.DECODER),
        (campaign_findings, campaigns.DECODER),
    )
    return sum(_scrub(database, table, decoder, table.c.last_seen < before) for table, decoder in tables)


def of_account(database: Database, account_id: str) -> int:
    """Remove the text from the findings on an account and on its campaign; returns from how many."""
    with database.read() as connection:
        mine = account_findings.c.account_id == account_id
        campaign = connection.execute(select(account_findings.c.campaign_id).where(mine)).scalar()
    count = _scrub(database, account_findings, cases.DECODER, mine)
    if campaign is not None:
        count += _scrub(database, campaign_findings, campaigns.DECODER, campaign_findings.c.campaign_id == campaign)
    return count


def _scrub(database: Database, table: Table, decoder: Any, chosen: ColumnElement[bool]) -> int:
    key = next(iter(table.primary_key.columns))
    with database.read() as connection:
        names = list(connection.execute(select(key).where(chosen)).scalars())
    return sum(_chunk(database, table, decoder, names[at : at + _CHUNK]) for at in range(0, len(names), _CHUNK))


def _chunk(database: Database, table: Table, decoder: Any, names: Collection[str]) -> int:
    key = next(iter(table.primary_key.columns))
    count = 0
    with database.write("findings") as connection:
        for row in connection.execute(select(key, table.c.finding).where(key.in_(names))).all():
            finding = decoder.decode(row.finding)
            worded = [t for t in finding.templates if t.text or t.slot_examples]
            for template in worded:
                template.text, template.slot_examples = "", []
            if worded:
                connection.execute(update(table).where(key == row[0]).values(finding=_ENCODER.encode(finding)))
                count += 1
    return count
