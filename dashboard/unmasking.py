"""Reading prompts: masked by default, in full with a reasoned leave, for a while; the service records every reading."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from api.schemas.approvals import UnmaskingOut
from api.schemas.base import Readable, Subject
from api.schemas.evidence import ExamplePrompt
from dashboard import session, words
from dashboard.client import ApiError
from dashboard.paging import token

READ = "read_prompts"  # of st.session_state: what was read under the leave that holds, by leave and reason, so that each reads once
MINUTES = {"15": "15 minutes", "30": "30 minutes", "60": "1 hour", "120": "2 hours"}
MIN_REASON, MAX_REASON = 3, 4000


def examples(
    masked: Sequence[ExamplePrompt], leave: UnmaskingOut | None, subject: Subject, record: str
) -> Sequence[ExamplePrompt]:
    """The example requests as the signed-in person may see them, with the way to see more."""
    full = in_full(leave, subject, record)
    if full is not None:
        return full
    st.session_state.pop(READ, None)
    if not masked:
        return masked
    st.caption(
        "Masked: only words of its templates are legible. Reading them in full takes a reason and ends by itself."
    )
    ask(leave, subject, record)
    return masked


def ask(leave: UnmaskingOut | None, subject: Readable, record: str) -> None:
    """The way to leave, for who may ask and has not."""
    if leave is not None:
        st.info(
            "Your request to read them waits for a second person, under Approvals.", icon=":material/hourglass_top:"
        )
    elif session.may_decide():
        _form(subject, record)


def in_full(
    leave: UnmaskingOut | None, subject: Subject, record: str, signal: str | None = None
) -> Sequence[ExamplePrompt] | None:
    """The example requests, or those behind one reason, in full; None where no leave holds."""
    if leave is None or leave.state != "live":
        return None
    st.caption("In full until " + words.when(leave.expires_at) + " UTC. This reading is in the audit trail.")
    held: dict[tuple[int, str | None], Sequence[ExamplePrompt]] = st.session_state.setdefault(READ, {})
    read = (leave.unmasking_id, signal)
    if read not in held:
        with session.asking():
            held[read] = session.client().prompts(subject, record, signal)
    return held[read]


def _form(subject: Readable, record: str) -> None:
    key = token(record)
    with st.expander("Read in full", icon=":material/visibility:"), st.form(f"unmask_{key}", border=False):
        left, right = st.columns([2.5, 1])
        reason = left.text_input("Why they must be read", max_chars=MAX_REASON, key=f"unmask_reason_{key}")
        minutes = right.selectbox("For", list(MINUTES), index=1, format_func=MINUTES.__getitem__, key=f"minutes_{key}")
        if st.form_submit_button("Ask to read", type="primary"):
            if len(reason.strip()) < MIN_REASON:
                st.warning("Write why: who reads prompts must say what for.", icon=":material/info:")
                return
            try:
                session.client().unmask(subject, record, reason.strip(), int(minutes))
            except ApiError as error:
                session.show_problem(error)
            else:
                st.rerun(scope="app")
