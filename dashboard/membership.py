"""Members of a campaign: a verdict for each by itself, and taking some out. The service decides what holds when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from api.schemas.campaign import CampaignMember
from dashboard import labels, safe, session
from dashboard.client import ApiError

MIN_REASON, MAX_REASON = 3, 4000
DAYS, MAX_DAYS = 90, 90  # for which an account stays out, unless somebody says otherwise, and at most
NAMED = 5  # accounts named in a dialog


@st.dialog("A verdict for each")
def judge(chosen: Sequence[CampaignMember]) -> None:
    """The same verdict on several members, each by itself."""
    _names(chosen)
    judged: int = st.selectbox("Verdict", list(labels.JUDGEMENTS), format_func=labels.JUDGEMENTS.__getitem__)
    reason = st.text_area("Reason", height=90, max_chars=MAX_REASON, placeholder="What you saw of each")
    if st.button("Record for each", type="primary"):

        def record(member: CampaignMember) -> None:
            decision = labels.DECISION_OF[judged]
            session.client().decide_account(member.account_id, decision, reason.strip(), {"verdict_id": judged})

        _each(chosen, reason, record)


@st.dialog("Take out of the campaign")
def exclude(chosen: Sequence[CampaignMember]) -> None:
    """Membership shall not count for these accounts; what they do themselves goes on counting."""
    _names(chosen)
    st.caption(
        "Being a member no longer counts in their risk, and they leave the campaign with the next assessment. "
        "An analyst's request, and any for a large customer, waits for a second person."
    )
    reason = st.text_area("Reason", height=90, max_chars=MAX_REASON, placeholder="Why they do not belong to it")
    days = st.number_input("For days", min_value=1, max_value=MAX_DAYS, value=DAYS)
    if st.button("Take out", type="primary"):
        until = datetime.now(UTC) + timedelta(days=days) - timedelta(minutes=1)

        def ask(member: CampaignMember) -> None:
            session.client().make_exception(member.account_id, "campaign", reason.strip(), until)

        _each(chosen, reason, ask)


def _names(chosen: Sequence[CampaignMember]) -> None:
    more = f" and {len(chosen) - NAMED} more" if len(chosen) > NAMED else ""
    safe.text(", ".join(safe.line(m.account_id, 60) for m in chosen[:NAMED]) + more)


def _each(chosen: Sequence[CampaignMember], reason: str, do: Callable[[CampaignMember], None]) -> None:
    """Do it for each; what failed is said, the rest stands."""
    if len(reason.strip()) < MIN_REASON:
        st.warning("Write a reason first.", icon=":material/info:")
        return
    failed = 0
    for member in chosen:
        try:
            do(member)
        except ApiError as error:
            failed += 1
            safe.text(f"{safe.line(member.account_id, 60)}: {error.detail}")
    if failed:
        st.warning(f"{len(chosen) - failed:,d} of {len(chosen):,d} are recorded.", icon=":material/info:")
    else:
        st.rerun()
