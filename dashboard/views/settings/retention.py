"""How long events are kept."""

from __future__ import annotations

import streamlit as st

from api.schemas.privacy import MAX_DAYS
from dashboard import safe, session, words
from dashboard.ask import settings

DAYS = "retention_days"


def render() -> None:
    """What holds, and the form to change it."""
    st.subheader("Retention")
    st.caption(
        "Events are deleted so many days after they arrived: the text is overwritten in the database file and taken out of "
        "findings, and old audits and uploads go with it. Profiles hold counts and hashes without text and stay for the window."
    )
    with session.asking():
        told = settings.retention(session.client())
    row = st.columns(4)
    row[0].metric("Kept for", words.quantity(told.days, "day") if told.days else "No limit")
    row[1].metric("Oldest event arrived (UTC)", words.when(told.oldest_event_at))
    row[2].metric("Events stored, about", words.count(told.events_stored))
    row[3].metric(
        "Limit set for the service",
        words.quantity(told.setting, "day") if told.setting else "None",
        help="DISTILLWATCH_RETENTION_DAYS: what is chosen here can only be shorter",
    )
    if told.at:
        safe.text(f"Chosen by {told.actor} at {words.when(told.at)} UTC: {told.reason}")
    if session.is_admin():
        change(told.chosen)


def change(chosen: int | None) -> None:
    """The form to change it."""
    st.session_state.setdefault(DAYS, chosen)
    with st.form("retention", border=True):
        row = st.columns([1, 3, 1], vertical_alignment="bottom")
        days = row[0].number_input(
            "Days",
            min_value=1,
            max_value=MAX_DAYS,
            value=None,
            step=1,
            placeholder="No limit",
            key=DAYS,
            help="Empty: without limit",
        )
        reason = row[1].text_input("Reason", max_chars=4000, placeholder="Which policy or request asks for it")
        if row[2].form_submit_button("Set retention", type="primary", width="stretch"):
            with session.asking():
                settings.keep_for(session.client(), days, reason)
            session.note("retention")
            st.rerun()
