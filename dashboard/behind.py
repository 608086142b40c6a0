"""The requests behind a reason, in a dialog: under the mask, or in full with leave."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.schemas.approvals import UnmaskingOut
from api.schemas.base import Subject
from api.schemas.evidence import EvidenceOut
from dashboard import safe, session, texts, unmasking, words
from dashboard.client import Missing
from dashboard.paging import token


def lead_to(
    place: DeltaGenerator, evidence: EvidenceOut, leave: UnmaskingOut | None, subject: Subject, record: str
) -> None:
    """The way to the requests behind a reason."""
    key = f"behind_{evidence.signal}_{evidence.direction}"
    if place.button("Requests", key=key, type="tertiary", icon=":material/list:", disabled=not evidence.event_ids):
        requests(evidence, leave, subject, record)


@st.dialog("Requests behind a reason", width="large")
def requests(evidence: EvidenceOut, leave: UnmaskingOut | None, subject: Subject, record: str) -> None:
    """Some of the requests that a reason speaks of."""
    safe.text(f"{evidence.title}: {evidence.text}")
    with session.asking():
        try:
            found = session.client().behind(subject, record, evidence.signal)
        except Missing:
            st.caption("This reason is gone by now: the page shows an older assessment. Load it again.")
            return
    st.caption(words.behind(found.requests, found.looked_at))
    if not found.prompts:
        st.caption("No text is kept of these requests.")
        return
    full = unmasking.in_full(leave, subject, record, evidence.signal)
    if full is None:
        st.caption("Masked: to read them in full, ask for it below the example requests of this page.")
    texts.shown(full or found.prompts, f"{token(record)}_{evidence.signal}", show_account=subject == "campaign")
