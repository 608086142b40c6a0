"""The reviewed accounts most like a case: three confirmed, three dismissed, side by side with it."""

from __future__ import annotations

import streamlit as st

from api.schemas.case import Twin, Twins
from dashboard import labels, routes, safe, words

HELP = "Nearest by what speaks for and against each, among the last reviewed ones. Click a column's account below to open it."
SIGNALS = 12  # compared

COLUMNS = {
    "title": safe.text_column("Signal", width=210),
    "sure": safe.text_column(
        "Reviews", width=110, help="Of the reviewed flags for which it spoke, how many were confirmed"
    ),
    "mine": safe.text_column("This account", width=110),
    "bad_1": safe.text_column("Confirmed 1", width=110),
    "bad_2": safe.text_column("Confirmed 2", width=110),
    "bad_3": safe.text_column("Confirmed 3", width=110),
    "good_1": safe.text_column("Dismissed 1", width=110),
    "good_2": safe.text_column("Dismissed 2", width=110),
    "good_3": safe.text_column("Dismissed 3", width=110),
}


def section(found: Twins) -> None:
    """A table with a row a signal, and the accounts by name."""
    st.subheader("Nearest reviewed accounts", help=HELP)
    twins = [("bad", n, t) for n, t in enumerate(found.confirmed, 1)] + [
        ("good", n, t) for n, t in enumerate(found.dismissed, 1)
    ]
    if not twins:
        st.caption("No account is reviewed yet that could be compared with this one.")
        return
    rows: list[dict[str, safe.Cell]] = [
        {"title": "Likeness", "mine": words.NOTHING, **{f"{k}_{n}": words.percent(t.likeness) for k, n, t in twins}},
        {"title": "Looks like", "mine": "", **{f"{k}_{n}": t.harvest or "" for k, n, t in twins}},
    ]
    rows += [
        {
            "title": s.title,
            "sure": f"{s.confirmed} of {s.reviewed}" if s.reviewed else words.NOTHING,
            "mine": s.value,
            **{f"{k}_{n}": t.values.get(s.signal, words.NOTHING) for k, n, t in twins},
        }
        for s in found.signals[:SIGNALS]
    ]
    safe.table(rows, COLUMNS, key="twins", max_pixels=420)
    for kind, number, twin in twins:
        _name(kind, number, twin)


def _name(kind: str, number: int, twin: Twin) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if row.button("Open", key=f"twin_{kind}_{number:d}", type="tertiary", icon=":material/open_in_new:"):
        routes.open_account(twin.account_id)
    with row:
        judged = labels.JUDGEMENTS.get(twin.verdict_id or 0, labels.STATES[twin.state])
        word = "Confirmed" if kind == "bad" else "Dismissed"
        safe.text(f"{word} {number}: {safe.line(twin.account_id, 80)}, {words.percent(twin.likeness)} alike. {judged}.")
