"""The switch that stops all enforcement: what it says, and its use."""

from __future__ import annotations

import streamlit as st

from api.schemas.verdicts import EnforcementOut
from dashboard import labels, safe, session, words

MAX_REASON = 4000


def warn(state: EnforcementOut) -> None:
    """Say so where not everything is enforced."""
    if state.mode != "all":
        st.warning("Enforcement is not fully on. " + labels.MODES[state.mode] + ".", icon=":material/gpp_maybe:")


def render() -> None:
    """What holds, since when and why; for leads the switch itself."""
    st.subheader("Enforcement")
    st.caption(
        "What gateways are told to do about accounts. The switch works at once and for all gateways; the stricter of it and of the "
        "setting `DISTILLWATCH_ENFORCEMENT` holds, so that either stops everything."
    )
    with session.asking():
        state = session.client().enforcement()
    automatic = "No action"
    if state.automatic_action:
        used = f" ({state.automatic_today:,d} of at most {state.automatic_daily_cap:,d} in 24 hours)"
        automatic = labels.MEASURES[state.automatic_action] + used
    safe.show(
        safe.markup(
            '<div class="dw-facts"><div><span class="dw-small">Now</span><br>{mode}</div>'
            '<div><span class="dw-small">Allowed by the setting</span><br>{setting}</div>'
            '<div><span class="dw-small">For new flags, without a person</span><br>{automatic}</div></div>',
            mode=labels.MODES[state.mode],
            setting=labels.MODES[state.setting],
            automatic=automatic,
        )
    )
    if state.at:
        safe.text(f"Switched by {state.actor} at {words.when(state.at)} UTC: {state.reason}")
    if not session.may_approve():
        st.caption("Leads and administrators switch it.")
        return
    with st.form("enforcement", border=True):
        modes = list(labels.MODES)
        mode = st.radio("Switch to", modes, index=modes.index(state.switch), format_func=labels.MODES.__getitem__)
        reason = st.text_input("Reason", max_chars=MAX_REASON, placeholder="What happened")
        if st.form_submit_button("Switch", type="primary"):
            with session.asking():
                session.client().switch_enforcement(mode, reason.strip())
            session.note("switch")
            st.rerun()
