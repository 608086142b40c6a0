"""The switch that stops all enforcement: what it says, and its use."""

from __future__ import annotations

import streamlit as st

from api.schemas.verdicts import EnforcementMode, EnforcementOut
from dashboard import safe, session, words

MIN_REASON, MAX_REASON = 3, 4000


def warn(state: EnforcementOut) -> None:
    """Say so where not everything is enforced."""
    if state.mode != "all":
        st.warning("Enforcement is not fully on. " + words.MODES[state.mode] + ".", icon=":material/gpp_maybe:")


def switch(state: EnforcementOut) -> None:
    """What holds, since when and why; for leads the switch itself."""
    st.subheader(
        "Enforcement", help="The switch works at once and for all gateways. It can only be stricter than the setting."
    )
    safe.show(
        safe.markup(
            '<div class="dw-facts"><div><span class="dw-small">Now</span><br>{mode}</div>'
            '<div><span class="dw-small">Last switched (UTC)</span><br>{at}</div>'
            '<div><span class="dw-small">By</span><br>{by}</div>'
            '<div><span class="dw-small">Automatic actions in 24 hours</span><br>{automatic} of at most {cap}</div></div>'
            "{reason}",
            mode=words.MODES[state.mode],
            at=words.when(state.at),
            by=safe.line(state.actor or words.NOTHING),
            automatic=state.automatic_today,
            cap=state.automatic_daily_cap if state.automatic_action else 0,
            reason=safe.markup("<p>{reason}</p>", reason=state.reason or ""),
        )
    )
    if not session.may_approve():
        return
    with st.expander("Use the switch", icon=":material/power_settings_new:"), st.form("switch", border=False):
        modes = list(words.MODES)
        mode: EnforcementMode = st.selectbox(
            "Switch to", modes, format_func=words.MODES.__getitem__, index=modes.index(state.switch)
        )
        reason = st.text_input("Why", max_chars=MAX_REASON, key="switch_reason")
        if st.form_submit_button("Switch", type="primary"):
            with session.asking():
                session.client().switch_enforcement(mode, reason.strip())
            st.rerun()
