"""The switch: what of all actions is told to gateways."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from api.schemas.verdicts import EnforcementMode
from dashboard import safe, session, words

CAPTIONS = [
    "What people decided and what is issued automatically",
    "What people decided; nothing automatic",
    "Nobody is more than observed, whatever was decided",
]


def render() -> None:
    """What holds, and the switch."""
    st.subheader("Enforcement")
    st.caption(
        "What gateways are told to do about accounts. The stricter of this switch and of the setting holds, so that either "
        "stops everything."
    )
    with session.asking():
        told = session.client().enforcement()
    row = st.columns(4)
    row[0].metric("Gateways are told", words.ENFORCEMENT[told.mode])
    row[1].metric("Setting of the service", words.ENFORCEMENT[told.setting], help="DISTILLWATCH_ENFORCEMENT")
    row[2].metric("Without a person", words.MEASURES[told.automatic_action] if told.automatic_action else "Nothing")
    row[3].metric("Of it in 24 hours", f"{told.automatic_today:,d} of {told.automatic_daily_cap:,d}")
    if told.at:
        safe.text(f"Switched by {told.actor} at {words.when(told.at)} UTC: {told.reason}")
    if not session.may_approve():
        st.caption("Leads and administrators switch it.")
        return
    with st.form("enforcement", border=True):
        modes = list(get_args(EnforcementMode))
        mode = st.radio(
            "Gateways are told",
            modes,
            index=modes.index(told.switch),
            format_func=words.ENFORCEMENT.__getitem__,
            captions=CAPTIONS,
        )
        reason = st.text_input("Reason", max_chars=4000)
        if st.form_submit_button("Switch", type="primary"):
            with session.asking():
                session.client().switch_enforcement(mode, reason)
            session.note("switch")
            st.rerun()
