"""One decision on all cases that match the queue's filters: preview, ask, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from api.schemas.bulk import BulkOut, BulkPreview
from dashboard import labels, safe, session
from dashboard.client import ApiError, Parameters

MIN_REASON, MAX_REASON = 3, 4000
MAX_DAYS = 90
LIVE_SECONDS, WAITING_SECONDS = 2.0, 15.0  # between two looks while one is under way, and while one waits for approval
FILTERS = ("state", "verdict", "min_risk", "due", "claim", "q")
SECTION = "bulk"  # of st.session_state: whether it is unfolded
PREVIEW = "bulk_preview"  # of st.session_state: what was previewed, and what it told

COLUMNS = {
    "what": safe.text_column("What", width=180),
    "query": safe.text_column("Of which cases", width=220),
    "state": safe.text_column("State", width=180),
    "share": safe.share_column("Progress", width=130),
    "failed": safe.number_column("Failed", width=70),
    "issued_by": safe.text_column("Asked by", width=180),
    "reason": safe.text_column("Reason"),
}
ITEM_COLUMNS = {
    "account_id": safe.text_column("Account", width=240),
    "result": safe.text_column("Result", width=90),
    "detail": safe.text_column("Detail"),
}


@st.fragment
def section(parameters: Parameters, total: int) -> None:
    """The form for deciders, and bulk decisions so far; both only once they are unfolded."""
    part = st.expander(
        f"Decide on all {total:,d} that match, or see bulk decisions",
        icon=":material/checklist:",
        key=SECTION,
        on_change="rerun",
    )
    if not part.open:
        return
    with part:
        if session.may_decide():
            form(parameters)
        listing()


def form(parameters: Parameters) -> None:
    """Verdict, reason and action; then a preview; then the request."""
    left, middle, right = st.columns([1.5, 1.5, 0.7])
    judged: int = left.selectbox(
        "Verdict for all",
        list(labels.JUDGEMENTS),
        format_func=labels.JUDGEMENTS.__getitem__,
        key="bulk_verdict",
        index=2,
    )
    action = middle.selectbox(
        "Gateways", list(labels.MEASURES), format_func=labels.MEASURES.__getitem__, key="bulk_action"
    )
    days = right.number_input("for days", min_value=1, max_value=MAX_DAYS, value=14, key="bulk_days")
    reason = st.text_input("Reason for all (required)", max_chars=MAX_REASON, key="bulk_reason")
    query = {name: parameters.get(name) for name in FILTERS if parameters.get(name) not in (None, "")}
    decision = {"decision": labels.DECISION_OF[judged], "verdict_id": judged, "reason": reason.strip()}
    asked = (query, decision, action, int(days))
    if st.button("Preview", icon=":material/preview:", key="bulk_preview_button"):
        if len(reason.strip()) < MIN_REASON:
            st.warning("Write a reason: it is kept with each of the decisions.", icon=":material/info:")
            return
        try:
            told = session.client().preview_bulk(query, whole(decision, action, int(days)))
        except ApiError as error:
            session.show_problem(error)
            return
        st.session_state[PREVIEW] = asked, told
    held = st.session_state.get(PREVIEW)
    if held is not None and held[0] == asked:
        confirm(query, whole(decision, action, int(days)), held[1])


def whole(decision: Mapping[str, Any], action: str, days: int) -> dict[str, Any]:
    """The decision with its action."""
    if action == "none":
        return dict(decision)
    until = datetime.now(UTC) + timedelta(days=days)
    return {**decision, "actions": [{"action": action, "expires_at": until}]}


def confirm(query: Mapping[str, Any], decision: Mapping[str, Any], told: BulkPreview) -> None:
    """What would happen, and the button that asks for it."""
    st.info(
        f"{told.total:,d} accounts: {told.open:,d} open, {told.decided:,d} decided on before (the new decision replaces that); "
        f"{told.claimed:,d} are claimed by others and would be left out. {told.actions:,d} actions. Nothing has happened yet.",
        icon=":material/preview:",
    )
    safe.text("For example: " + ", ".join(safe.line(a, 60) for a in told.sample[:6]))
    if st.button("Ask for it", type="primary", key="bulk_ask"):
        try:
            session.client().ask_bulk(query, decision, told.total)
        except ApiError as error:
            session.show_problem(error)
            return
        del st.session_state[PREVIEW]
        st.success("Asked for. It is carried out once a second person approves it.", icon=":material/check:")


def listing() -> None:
    """Bulk decisions so far; they are looked at again by themselves while one waits or is under way."""
    with session.asking():
        found = session.client().bulks()
    if not found:
        st.caption("No bulk decision so far.")
        return
    pace = look_seconds(found)
    st.fragment(followed, run_every=pace)(pace)


def look_seconds(found: Sequence[BulkOut]) -> float | None:
    """How long to wait before the next look; none where nothing can change."""
    states = {one.state for one in found}
    return LIVE_SECONDS if "live" in states else WAITING_SECONDS if "pending" in states else None


def followed(pace: float | None) -> None:
    """Each with its progress; a click shows what became of its accounts."""
    with session.asking():
        found = session.client().bulks()
    if look_seconds(found) != pace:
        st.rerun()  # one began or ended: the queue's figures are others too

    def open_row(index: int) -> None:
        items(found[index])

    st.caption("Click a row for the result of each account.")
    safe.table([as_row(b) for b in found], COLUMNS, key="bulks", on_open=open_row, max_pixels=260)


def as_row(one: BulkOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {
        **one.model_dump(include={"what", "query", "failed", "issued_by", "reason"}),
        "state": labels.BULK_STATES[one.state],
        "share": 100 * (one.done + one.failed) / max(one.total, 1),
    }


def items(one: BulkOut) -> None:
    """What became of the accounts, the failed ones first."""
    with session.asking():
        found = session.client().bulk_items(one.bulk_id)
    safe.text(f"{one.what}, {one.query}: {one.done:,d} decided, {one.failed:,d} failed, of {one.total:,d}")
    rows: Sequence[dict[str, safe.Cell]] = [
        {"account_id": i.account_id, "result": labels.RESULTS[i.result], "detail": i.detail or ""} for i in found
    ]
    safe.table(rows, ITEM_COLUMNS, key=f"bulk_items_{one.bulk_id:d}", max_pixels=300)
