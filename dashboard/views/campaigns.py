"""The list of campaigns: groups of accounts that look like one harvester."""

from __future__ import annotations

import streamlit as st

from api.schemas.campaign import CampaignRow
from dashboard import paging, routes, safe, session, verdict, words

PAGE_SIZE = 50

COLUMNS = {
    "risk": safe.share_column("Risk", width=96, help="That of its third most suspicious account; flagged from 50 %"),
    "verdict": safe.text_column("Verdict", width=72),
    "state": safe.text_column("State", width=80),
    "campaign_id": safe.text_column("Campaign", width=145),
    "harvest": safe.text_column("Looks like", width=145),
    "accounts": safe.number_column("Accounts", width=72),
    "requests": safe.number_column("Requests", width=72),
    "output_tokens": safe.number_column("Output tokens", width=104),
    "flagged_at": safe.text_column("Flagged at (UTC)", width=122),
    "ties": safe.text_column("What ties them most"),
}


def render() -> None:
    """Title and table."""
    st.title("Campaigns")
    st.caption(
        "Groups of accounts that look like one harvester: linked by at least two independent kinds of rare, shared "
        "things, and assessed as if they were one account."
    )
    listing()


@st.fragment
def listing() -> None:
    """One page of the list."""
    at = int(st.session_state.get("campaigns_page", 0))
    with session.asking():
        page = session.client().campaigns(PAGE_SIZE, at * PAGE_SIZE)
    if not page.items:
        st.info(
            "No campaigns so far. They appear when at least three accounts share rare things and their joint work "
            "looks like harvesting.",
            icon=":material/hub:",
        )
        return
    st.caption(words.quantity(page.total, "campaign"))
    paging.pager("campaigns", -(-page.total // PAGE_SIZE))

    def open_row(index: int) -> None:
        routes.open_campaign(page.items[index].campaign_id)

    safe.table([as_row(c) for c in page.items], COLUMNS, key=f"campaigns_{at:d}", leads_to=open_row)
    st.caption("Click a row to open the campaign.")


def as_row(campaign: CampaignRow) -> dict[str, safe.Cell]:
    """One line of the table."""
    strongest = max(campaign.ties, key=lambda t: t.weight, default=None)
    return {
        **campaign.model_dump(
            include={"campaign_id", "harvest", "accounts", "requests", "output_tokens", "flagged_at"}
        ),
        **verdict.cells(campaign),
        "ties": strongest.text if strongest else "",
    }
