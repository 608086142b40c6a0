"""From page to page, by name and record id; ids travel URL-encoded in the query, never in a label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NoReturn

import streamlit as st

PAGES = "pages"  # of st.session_state
LAST_QUEUE = "last_queue_query"
QUEUE_IDS = "queue_ids"  # of the page of the queue that was last shown, in its order

Name = Literal[
    "cases", "account", "campaigns", "campaign", "approvals", "audits", "search", "performance", "audit", "settings"
]


def remember(pages: Mapping[Name, st.Page]) -> None:
    """Keep this run's pages, so that views can lead to each other without importing each other."""
    st.session_state[PAGES] = dict(pages)


def open_account(account_id: str) -> NoReturn:
    """Go to an account's page."""
    st.switch_page(st.session_state[PAGES]["account"], query_params={"id": account_id})


def open_campaign(campaign_id: str) -> NoReturn:
    """Go to a campaign's page."""
    st.switch_page(st.session_state[PAGES]["campaign"], query_params={"id": campaign_id})


def open_queue() -> NoReturn:
    """Go to the queue with the filters it was left with."""
    st.switch_page(st.session_state[PAGES]["cases"], query_params=st.session_state.get(LAST_QUEUE, {}))


def open_campaigns() -> NoReturn:
    """Go to the list of campaigns."""
    st.switch_page(st.session_state[PAGES]["campaigns"])


def record_id() -> str | None:
    """The record that the address names."""
    return st.query_params.get("id")
