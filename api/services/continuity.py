"""Campaigns keep their name: what is mostly the same group of accounts is the same campaign."""

from __future__ import annotations

from collections.abc import Mapping

from detector.assessment import Assessment

MIN_OVERLAP = 0.5  # Jaccard index of the members; above it at most one earlier campaign can match


def keep_names(assessment: Assessment, known: Mapping[str, set[str]]) -> None:
    """Give each campaign the id of the known campaign it continues. ``known``: members by campaign id."""
    present = {c.campaign_id for c in assessment.campaigns}
    free = {name: members for name, members in known.items() if name not in present}
    renamed: dict[str, str] = {}
    for campaign in assessment.campaigns:
        if campaign.campaign_id in known:
            continue
        members = set(campaign.accounts)
        overlaps = {name: len(members & old) / len(members | old) for name, old in free.items() if members & old}
        best = max(overlaps, key=lambda name: (overlaps[name], name), default=None)
        if best is not None and overlaps[best] > MIN_OVERLAP:
            renamed[campaign.campaign_id] = best
            campaign.campaign_id = best
            del free[best]
    for account in assessment.accounts:
        if account.campaign_id in renamed:
            new = renamed[account.campaign_id]
            for evidence in account.evidence:
                evidence.text = evidence.text.replace(account.campaign_id, new)
            account.campaign_id = new
