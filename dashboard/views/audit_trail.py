"""The audit trail: who did what, newest first."""

from __future__ import annotations

import json

import streamlit as st

from api.schemas.audit import AuditEntry
from dashboard import paging, safe, session, words

PAGE_SIZE = 100

COLUMNS = {
    "entry_id": safe.number_column("No.", width=60),
    "at": safe.text_column("At (UTC)", width=125),
    "actor": safe.text_column("Who", width=180),
    "action": safe.text_column("Action", width=150),
    "subject": safe.text_column("On", width=210),
    "detail": safe.text_column("Detail"),
}


def render() -> None:
    """Title and table."""
    st.title("Audit trail")
    st.caption("Every decision and every change of keys, as the service recorded it. Entries are only ever added.")
    listing()


@st.fragment
def listing() -> None:
    """One page of the trail."""
    at = int(st.session_state.get("audit_page", 0))
    with session.asking():
        page = session.client().audit(PAGE_SIZE, at * PAGE_SIZE)
    if not page.items:
        st.info(
            "Nothing is recorded yet. The first decision or new key will be the first entry.", icon=":material/history:"
        )
        return
    st.caption(words.quantity(page.total, "recorded action"))
    paging.pager("audit", -(-page.total // PAGE_SIZE))
    safe.table([as_row(entry) for entry in page.items], COLUMNS, key=f"audit_{at:d}")


def as_row(entry: AuditEntry) -> dict[str, safe.Cell]:
    """One line of the table."""
    # The reason is what a reader looks for; it stands before ids and states.
    ordered = sorted(entry.detail.items(), key=lambda item: item[0] != "reason")
    detail = " · ".join(f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in ordered)
    return {
        **entry.model_dump(include={"entry_id", "at", "actor", "subject"}),
        "action": words.action(entry.action),
        "detail": detail,
    }
