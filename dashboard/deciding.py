"""Decisions: those so far, and the form for the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from api.schemas import Decision, DecisionOut
from dashboard import safe, session, words
from dashboard.client import ApiError
from dashboard.paging import token

MIN_REASON, MAX_REASON = 3, 4000  # characters, as the service asks (api.schemas.DecisionIn)
READ_ONLY = "Your role reads and does not decide."
CAPTIONS = {
    "account": ["It harvests: to be acted on", "A good customer", "Keep it open and say what is missing"],
    "campaign": [
        "The accounts work as one harvester",
        "Unrelated, or entitled to it",
        "Keep it open and say what is missing",
    ],
}


def history(decisions: Sequence[DecisionOut]) -> None:
    """Who decided what, when and why, newest first."""
    st.subheader("Decisions so far")
    if not decisions:
        st.caption("Nobody has decided yet.")
        return
    for decision in sorted(decisions, key=lambda d: d.at, reverse=True):
        safe.show(
            safe.markup(
                '<div class="dw-decision"><b>{what}</b> by {actor}, {when} UTC<p>{reason}</p></div>',
                what=words.DECIDED[decision.decision],
                actor=safe.line(decision.actor),
                when=words.when(decision.at),
                reason=decision.reason,
            )
        )


def decide(
    send: Callable[[Decision, str], DecisionOut], kind: Literal["account", "campaign"], record: str, decided: int
) -> None:
    """The form for the next decision after ``decided`` ones. The service checks role and reason, and records it."""
    st.subheader("Decide")
    if not session.may_decide():
        st.caption(READ_ONLY)
        return
    key = f"{token(record)}_{decided}"  # what was typed stays with its record, and goes once it is recorded
    with st.form(f"decide_{key}", border=True):
        decision: Decision | None = st.radio(
            "Decision",
            list(words.DECISIONS),
            format_func=words.DECISIONS.__getitem__,
            index=None,
            captions=CAPTIONS[kind],
            key=f"decision_{key}",
        )
        reason = st.text_area(
            "Reason (required)",
            height=110,
            max_chars=MAX_REASON,
            placeholder="What you saw, and what decided it",
            key=f"reason_{key}",
        )
        sent = st.form_submit_button("Record decision", type="primary")
    if not sent:
        return
    if decision is None:
        st.warning("Choose a decision first.", icon=":material/info:")
    elif len(reason.strip()) < MIN_REASON:
        st.warning("Write a reason: a decision without one cannot be reviewed.", icon=":material/info:")
    else:
        try:
            send(decision, reason.strip())
        except ApiError as error:
            session.show_problem(error)
        else:
            session.announce(record, decision)
            st.rerun()
