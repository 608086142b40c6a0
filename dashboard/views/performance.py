"""How the flags fared with the people who reviewed them."""

from __future__ import annotations

import streamlit as st

from api.schemas import SignalPrecision
from dashboard import safe, session, words

COLUMNS = {
    "title": safe.text_column("Signal", width=240),
    "precision": safe.share_column("Confirmed", width=150, help="Share of the reviewed flags for which it speaks"),
    "interval": safe.text_column("95 % interval", width=150),
    "confirmed": safe.number_column("Confirmed flags", width=130),
    "reviewed": safe.number_column("Reviewed flags", width=130),
}


def render() -> None:
    """Precision of all flags, then by signal."""
    st.title("Performance")
    st.caption("Of the accounts that were flagged and then reviewed: how many were confirmed as harvesting.")
    with session.asking():
        client = session.client()
        told, overview = client.performance(), client.overview()
    if not told.all.reviewed:
        st.info("No flag is reviewed yet. Confirm or dismiss cases in the queue.", icon=":material/verified:")
        return
    row = st.columns(4)
    row[0].metric("Confirmed of reviewed flags", words.percent(told.all.precision or 0.0))
    row[1].metric("95 % interval", words.interval(told.all.low, told.all.high))
    row[2].metric("Reviewed flags", f"{told.all.reviewed:,d}")
    row[3].metric(
        "Dismissed, counted as honest",
        f"{told.honest:,d}",
        help="Their scores are among those of honest accounts from the next assessment on, so that the threshold moves up",
    )
    st.caption(
        "Reviewed cases are no random sample: whoever reviews the riskiest first sees more that are confirmed. At most "
        f"{overview.max_false_flags * 100:.3g} % of honest accounts are flagged."
    )
    st.subheader("By signal", help="A flag counts for each signal that speaks for harvesting in it.")
    safe.table([as_row(signal) for signal in told.signals], COLUMNS, key="signals")


def as_row(signal: SignalPrecision) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {
        **signal.model_dump(include={"title", "confirmed", "reviewed"}),
        "precision": 100 * (signal.precision or 0.0),
        "interval": words.interval(signal.low, signal.high),
    }
