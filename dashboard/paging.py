"""Turning pages within a fragment, and keys that keep one record's widgets apart from another's."""

from __future__ import annotations

import hashlib

import streamlit as st

PREVIOUS, NEXT = ":material/chevron_left:", ":material/chevron_right:"


def token(record_id: str) -> str:
    """A key for a record's widgets, so that nothing typed or turned on one page shows up on another's."""
    return hashlib.sha256(record_id.encode()).hexdigest()[:16]


def pager(name: str, pages: int) -> int:
    """Buttons to turn pages; the number of the page to show, from 0. Without effect where one page holds all."""
    at = min(int(st.session_state.get(name + "_page", 0)), max(pages - 1, 0))
    if pages <= 1:
        return 0

    def turn(to: int) -> None:
        st.session_state[name + "_page"] = to

    row = st.container(horizontal=True, vertical_alignment="center")
    row.button("Previous", key=name + "_previous", icon=PREVIOUS, disabled=at == 0, on_click=turn, args=(at - 1,))
    row.button("Next", key=name + "_next", icon=NEXT, disabled=at >= pages - 1, on_click=turn, args=(at + 1,))
    row.caption(f"Page {at + 1:,d} of {pages:,d}", width="content")
    return at
