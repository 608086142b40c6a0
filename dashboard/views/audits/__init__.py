"""Audits, rehearsals, backtests and comparisons of signals: ask for one, follow it, read it."""

from __future__ import annotations

import streamlit as st

from api.schemas.jobs import JobKind, JobOut
from dashboard import labels, paging, safe, session, words
from dashboard.ask import jobs
from dashboard.views.audits import result, signals, start

KIND, JOB = "kind", "job"  # of the address
PAGE_SIZE = 10
LOOK_SECONDS = 2.0  # between two looks at what runs
ABOUT: dict[JobKind, str] = {
    "audit": "The detector over a log file or over a period of the stored events, with a report.",
    "rehearsal": (
        "Simulated campaigns are planted among your own events, which stay as they are: what would be caught, and where "
        "are the blind spots?"
    ),
    "backtest": (
        "What would other thresholds have flagged, of what is in the profiles? Held against what people confirmed and dismissed."
    ),
    "signals": (
        "Signals that speak for harvesting, and which of them count. One in shadow is computed as ever but counts for nobody; a "
        "comparison tells what it would add, and what would be lost without each of the others."
    ),
}
EMPTY: dict[JobKind, str] = {
    "audit": "No audit yet. Start one below.",
    "rehearsal": "No rehearsal yet. Start one below: it takes some minutes.",
    "backtest": "No backtest yet. Start one below: it takes as long as an assessment.",
    "signals": "No comparison yet. Start one below: it takes as long as some assessments.",
}
COLUMNS = {
    "title": safe.text_column("Title", width=280),
    "state": safe.text_column("State", width=110),
    "stage": safe.text_column("Stage", width=220),
    "progress": safe.share_column("Progress", width=120, help="Of the stage"),
    "created_at": safe.text_column("Asked for (UTC)", width=135),
    "took": safe.text_column("Took", width=110),
    "created_by": safe.text_column("By"),
}


def render() -> None:
    """The kind, its jobs, the one that is open, and the form for the next."""
    st.title("Audits")
    asked = st.query_params.to_dict()
    if KIND not in st.session_state:
        st.session_state[KIND] = asked[KIND] if asked.get(KIND) in jobs.KINDS else "audit"
    kind: JobKind = (
        st.segmented_control(
            "Kind",
            list(jobs.KINDS),
            format_func=labels.JOB_KINDS.__getitem__,
            key=KIND,
            label_visibility="collapsed",
            required=True,
        )
        or "audit"
    )
    if asked.get(KIND, "audit") != kind:
        st.query_params.from_dict({KIND: kind})
        asked = {}
    st.caption(ABOUT[kind])
    session.noted()
    if kind == "signals":
        signals.states()
    with session.asking():
        client = session.client()
        page = jobs.jobs(client, kind, PAGE_SIZE, int(st.session_state.get(f"{kind}_page", 0)) * PAGE_SIZE)
        opened = jobs.job(client, asked[JOB]) if asked.get(JOB) else None
    busy = any(job.state in labels.OPEN_JOBS for job in page.items)
    if page.items:
        st.fragment(listing, run_every=LOOK_SECONDS if busy else None)(kind, busy)
    else:
        st.info(EMPTY[kind], icon=":material/play_circle:")
    if opened is not None and opened.kind == kind:
        result.render(opened)
    if session.may_decide():
        start.form(kind)
    else:
        st.caption("Your role reads and starts nothing.")


def listing(kind: JobKind, busy: bool) -> None:
    """Jobs of a kind; looks again by itself while one runs."""
    at = int(st.session_state.get(f"{kind}_page", 0))
    with session.asking():
        page = jobs.jobs(session.client(), kind, PAGE_SIZE, at * PAGE_SIZE)
    if busy and not any(job.state in labels.OPEN_JOBS for job in page.items):
        st.rerun()  # the last one has ended: show what came of it
    paging.pager(kind, -(-page.total // PAGE_SIZE))

    def open_row(index: int) -> None:
        st.query_params.from_dict({KIND: kind, JOB: page.items[index].job_id})
        st.rerun()

    safe.table([as_row(job) for job in page.items], COLUMNS, key=f"jobs_{kind}_{at:d}", leads_to=open_row)
    st.caption("Click a row to open it.")


def as_row(job: JobOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    took = (job.ended_at - job.started_at).total_seconds() if job.ended_at and job.started_at else None
    return {
        **job.model_dump(include={"title", "created_at", "created_by"}),
        "state": labels.JOB_STATES[job.state],
        "stage": job.error or (job.stage if job.state in labels.OPEN_JOBS else ""),
        "progress": 100 * job.progress if job.state == "running" else (100.0 if job.state == "done" else None),
        "took": words.duration(took) if took is not None else "",
    }
