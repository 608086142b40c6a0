"""Splitting and merging campaigns."""

from __future__ import annotations

from collections.abc import Sequence

from api.schemas.decisions import UndoIn
from api.schemas.groupings import GroupingIn, GroupingOut, GroupingPreview, Regrouping
from dashboard.client import Client, checked


def of(client: Client, campaign_id: str) -> list[GroupingOut]:
    """What was said of a campaign and its members, the newest first."""
    return client.fetch_list("/v1/groupings", GroupingOut, {"campaign": campaign_id})


def preview(
    client: Client, campaign_id: str, with_campaigns: Sequence[str] = (), accounts: Sequence[str] = ()
) -> GroupingPreview:
    """What it would do."""
    given = checked(Regrouping, campaign_id=campaign_id, with_campaigns=with_campaigns, accounts=accounts)
    return client.send("POST", "/v1/groupings/preview", given, GroupingPreview)


def keep(
    client: Client, campaign_id: str, reason: str, with_campaigns: Sequence[str] = (), accounts: Sequence[str] = ()
) -> GroupingOut:
    """Merge a campaign with others, or split accounts off."""
    named = {"campaign_id": campaign_id, "with_campaigns": with_campaigns, "accounts": accounts}
    return client.send("POST", "/v1/groupings", checked(GroupingIn, reason=reason, **named), GroupingOut)


def undo(client: Client, grouping_id: int) -> GroupingOut:
    """Take it back."""
    return client.send("POST", f"/v1/groupings/{grouping_id:d}/undo", checked(UndoIn), GroupingOut)
