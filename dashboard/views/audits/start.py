"""The forms that ask for an audit, a rehearsal, a backtest or a comparison of signals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from api.schemas.jobs import JobKind
from dashboard import labels, safe, session, words
from dashboard.ask import jobs
from dashboard.client import ApiError

WHERES = {"stored": "Stored events", "upload": "An uploaded file", "server": "A file on the server"}
OF_EVENTS: frozenset[JobKind] = frozenset({"audit", "rehearsal"})
"""Jobs over events; the others are over the profiles that the worker keeps of them."""
ACCOUNTS = {1: "1", 5: "5", 25: "25", 100: "100"}
COVERS = {0.0: "none", 0.5: "50 %", 0.8: "80 %"}


def form(kind: JobKind) -> None:
    """Where from, what, and the button."""
    st.subheader("Start " + labels.A_JOB[kind])
    where = "stored"
    if kind in OF_EVENTS:
        where = st.radio(
            "Which events", list(WHERES), format_func=WHERES.__getitem__, horizontal=True, key=f"where_{kind}"
        )
    with st.form(f"start_{kind}", border=True):
        title = st.text_input("Title", max_chars=200, placeholder="What it is for")
        source, since, until = ask_source(where)
        more: dict[str, Any] = {}
        if kind == "rehearsal":
            more = ask_plan()
        elif kind not in OF_EVENTS:
            more = {"since": since, "until": until}
        sent = st.form_submit_button("Start", type="primary", icon=":material/play_arrow:")
    if not sent:
        return
    if not title.strip():
        st.warning("Give it a title, so that others know what it is for.", icon=":material/info:")
        return
    try:
        with st.spinner("Asking the service …"):
            client = session.client()
            if kind in OF_EVENTS:
                more["source"] = resolve(where, source, since, until)
            started = jobs.start(client, kind, {"title": title.strip()} | more)
    except ApiError as error:
        session.show_problem(error)
        return
    st.query_params.from_dict({"kind": kind, "job": started.job_id})
    session.note("job")
    st.rerun()


def ask_source(where: str) -> tuple[Any, datetime | None, datetime | None]:
    """The file, or the period."""
    if where == "upload":
        return (
            st.file_uploader("Log file", help="As gateways write them: JSON lines, Parquet, plain or compressed"),
            None,
            None,
        )
    if where == "server":
        with session.asking():
            found = jobs.server_files(session.client())
        if not found:
            st.caption("No file is there. `DISTILLWATCH_AUDIT_DIR` names the folder.")
            return None, None, None
        return safe.choose("File", [f.file for f in found], key="server_file"), None, None
    row = st.columns(2)
    first: date | None = row[0].date_input(
        "From day (UTC)",
        value=None,
        max_value="today",
        format=words.DATE,
        key=f"since_{where}",
        help="Empty: from the first on",
    )
    last: date | None = row[1].date_input(
        "To day (UTC), included",
        value=None,
        max_value="today",
        format=words.DATE,
        key=f"until_{where}",
        help="Empty: up to now",
    )
    since = datetime.combine(first, time(), UTC) if first else None
    until = datetime.combine(last, time(), UTC) + timedelta(days=1) if last else None
    return None, since, until


def ask_plan() -> dict[str, Any]:
    """What is planted."""
    families = st.multiselect(
        "Kinds of harvest",
        list(labels.FAMILIES),
        ["reasoning", "sft_pairs"],
        format_func=labels.FAMILIES.__getitem__,
        help="None chosen: all",
    )
    row = st.columns(3)
    accounts = row[0].multiselect(
        "Accounts that share a harvest", list(ACCOUNTS), [1, 5, 25], format_func=ACCOUNTS.__getitem__
    )
    covers = row[1].multiselect("Cover traffic", list(COVERS), [0.0, 0.5], format_func=COVERS.__getitem__)
    repeats = row[2].number_input("Campaigns of each shape", min_value=1, max_value=20, value=1)
    return {"families": families, "accounts": accounts, "covers": covers, "repeats": repeats}


def resolve(where: str, source: Any, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """The source as the service takes it; an upload is sent first."""
    if where == "upload":
        sent = jobs.upload(session.client(), source.name, source.getvalue()) if source is not None else None
        return {"upload_id": sent.upload_id if sent else ""}
    if where == "server":
        return {"file": source or ""}
    return {"since": since, "until": until}
