"""Exceptions of an account: signals that do not count in its risk, why, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from api.schemas.approvals import ExceptionOut
from api.schemas.evidence import EvidenceOut
from dashboard import labels, safe, session, words
from dashboard.client import ApiError

DAYS, MAX_DAYS = 30, 90  # of an exception, unless the analyst says otherwise, and at most
MIN_REASON, MAX_REASON = 3, 4000


def listing(found: Sequence[ExceptionOut]) -> None:
    """All exceptions of an account, those that hold or wait first; each can be ended."""
    if not found:
        return
    st.subheader("Exceptions", help="A signal that does not count in this account's risk. All others go on counting.")
    for one in sorted(found, key=lambda e: (e.state not in ("live", "pending"), -e.exception_id)):
        open_ = one.state in ("live", "pending")
        ended = f" Ended {words.when(one.ended_at)} by {one.ended_by}." if one.ended_at and one.ended_by else ""
        safe.show(
            safe.markup(
                '<div class="dw-decision {css}"><b>{signal}</b> {state}, until {until} UTC<p>{reason}</p>'
                '<div class="dw-small">By {by}, {at} UTC.{approved}{ended}</div></div>',
                css="" if open_ else "undone",
                signal=safe.line(one.signal.replace("_", " ").capitalize()),
                state=labels.APPROVAL_STATES[one.state],
                until=words.when(one.expires_at),
                reason=one.reason,
                by=safe.line(one.issued_by),
                at=words.when(one.issued_at),
                approved=f" Approved by {one.approved_by}." if one.approved_by else "",
                ended=safe.line(ended),
            )
        )
        if (
            open_
            and session.may_decide()
            and st.button(
                "End this exception",
                key=f"end_exception_{one.exception_id:d}",
                type="tertiary",
                icon=":material/close:",
            )
        ):
            end(one)


@st.dialog("End an exception")
def end(one: ExceptionOut) -> None:
    """Ask why, then let the signal count again."""
    safe.text(f"{one.signal}, {one.account_id}")
    reason = st.text_input("Why it ends", max_chars=MAX_REASON, key=f"end_reason_{one.exception_id:d}")
    if st.button("End it", type="primary", disabled=len(reason.strip()) < MIN_REASON):
        try:
            session.client().end("exception", one.exception_id, reason.strip())
        except ApiError as error:
            session.show_problem(error)
        else:
            st.rerun()


@st.dialog("Make an exception")
def make(account_id: str, evidence: EvidenceOut) -> None:
    """Let one signal not count for this account, with a reason and an end."""
    safe.show(
        safe.markup(
            "<p><b>{title}</b> shall not count in the risk of <b>{account}</b> from the next assessment on. "
            "All other signals go on counting.</p>",
            title=safe.line(evidence.title),
            account=safe.line(account_id),
        )
    )
    reason = st.text_area("Reason", height=90, max_chars=MAX_REASON, placeholder="Why this is as it should be here")
    days = st.number_input("Ends after days", min_value=1, max_value=MAX_DAYS, value=DAYS)
    st.caption("An analyst's exception, and any for a large customer, waits for a second person.")
    if st.button("Ask for the exception", type="primary"):
        if len(reason.strip()) < MIN_REASON:
            st.warning("Write a reason: an exception without one cannot be reviewed.", icon=":material/info:")
            return
        try:
            until = datetime.now(UTC) + timedelta(days=days)
            session.client().make_exception(account_id, evidence.signal, reason.strip(), until)
        except ApiError as error:
            session.show_problem(error)
        else:
            st.rerun()
