"""What came of a job, in figures, with its files."""

from __future__ import annotations

from functools import partial

import streamlit as st

from api.schemas.jobs import (
    AuditSummary,
    BacktestAccount,
    BacktestPoint,
    BacktestSummary,
    JobDetail,
    RehearsalSummary,
    ShapeOut,
    TopAccount,
)
from dashboard import charts, labels, routes, safe, session, unmasking, verdict, words
from dashboard.ask import jobs
from dashboard.views.audits import signals

LEADS = frozenset({"lead", "admin"})
"""Roles that are offered to remove a job; the service refuses it to others anyway."""
FOUND = ["Unlabelled", "Confirmed bad", "Confirmed good"]
FILES = {
    "report.masked.html": "Report, prompts masked (HTML)",
    "report.masked.json": "Report, prompts masked (JSON)",
    "report.html": "Report in full (HTML)",
    "report.json": "Report in full (JSON)",
    "accounts.parquet": "All accounts (Parquet)",
    "campaigns.parquet": "Campaigns (Parquet)",
    "rejected.jsonl": "Rows that could not be read",
    "rehearsal.html": "Report for reading (HTML)",
    "rehearsal.json": "Report for programs (JSON)",
    "rehearsal.parquet": "All planted campaigns (Parquet)",
    "backtest.json": "Result for programs (JSON)",
    "signals.json": "Result for programs (JSON)",
}
FULL = frozenset({"report.html", "report.json"})
"""Reports that quote prompts; the service gives them to nobody without leave."""
TOP = {
    "risk": safe.share_column("Risk", width=110),
    "account_id": safe.text_column("Account", width=230),
    "harvest": safe.text_column("Looks like", width=190),
    "requests": safe.number_column("Requests", width=90),
    "campaign_id": safe.text_column("Campaign", width=150),
    "top_reason": safe.text_column("Top reason"),
}
SHAPES = {
    "family": safe.text_column("Harvest", width=240),
    "accounts": safe.number_column("Accounts", width=85),
    "requests": safe.number_column("Requests each", width=110),
    "cover": safe.text_column("Cover traffic", width=100),
    "caught": safe.text_column("Caught", width=90),
    "exposure": safe.share_column("Taken before the flag", width=160),
    "first_flag": safe.number_column("Requests until the first flag", width=190),
    "blind": safe.text_column("Finding"),
}
POINTS = {
    "share": safe.text_column("Honest accounts that may be flagged", width=250),
    "flagged": safe.number_column("Flagged", width=90),
    "confirmed": safe.number_column("Confirmed bad", width=115),
    "dismissed": safe.number_column("Confirmed good", width=120),
    "unlabelled": safe.number_column("Unlabelled", width=100),
    "missed": safe.number_column("Confirmed bad, not flagged", width=190),
    "expected": safe.text_column("Expected to be false", width=170),
}
SAMPLES = {
    "account_id": safe.text_column("Account", width=260),
    "needs": safe.text_column("Flagged from", width=110),
    "requests": safe.number_column("Requests", width=90),
    "harvest": safe.text_column("Looks like", width=190),
    "top_reason": safe.text_column("Top reason"),
}


def render(job: JobDetail) -> None:
    """One job."""
    with st.container(border=True):
        safe.show(
            safe.markup(
                '<div class="dw-id">{title}</div><div class="dw-meta">{state}{stage} · asked for {when} UTC by {actor}</div>',
                title=safe.line(job.title),
                state=labels.JOB_STATES[job.state],
                stage=f", {job.stage}" if job.state == "running" else "",
                when=words.when(job.created_at),
                actor=safe.line(job.created_by),
            )
        )
        if job.error:
            st.error("It failed.", icon=":material/error:")
            safe.text(job.error)
        stoppable = job.state in labels.OPEN_JOBS and session.may_decide()
        if stoppable and st.button("Cancel it", icon=":material/stop_circle:"):
            with session.asking():
                jobs.cancel(session.client(), job.job_id)
            st.rerun()
        if job.audit:
            audit(job.audit)
        elif job.rehearsal:
            rehearsal(job.rehearsal)
        elif job.backtest:
            backtest(job.backtest)
        elif job.signals:
            signals.overlap(job.signals)
        files(job)


def files(job: JobDetail) -> None:
    """Its files, and the way to be rid of it."""
    row = st.container(horizontal=True)
    may = job.unmasking is not None and job.unmasking.state == "live"
    for name in job.files:
        if name in FULL and not may:
            continue
        with row:
            load = partial(jobs.result, session.client(), job.job_id, name)
            safe.download(FILES[name], load, name, f"get_{job.job_id}_{name}")
    if job.files and job.audit and job.unmasking is not None and may:
        st.caption(
            "The full reports quote prompts: whoever downloads one is in the audit trail. Leave holds until "
            + words.when(job.unmasking.expires_at)
            + " UTC."
        )
    elif FULL.intersection(job.files):
        st.caption("The full reports quote prompts. Reading them takes a reason and ends by itself.")
        unmasking.ask(job.unmasking, "job", job.job_id)
    if job.state == "done" and not job.files:
        st.caption("Its files are not here: they were deleted, or lie on the machine of another worker.")
    if job.state not in labels.OPEN_JOBS and session.me().role in LEADS:
        with row:
            if st.button("Remove", icon=":material/delete:", help="With its files"):
                with session.asking():
                    jobs.remove(session.client(), job.job_id)
                st.query_params.from_dict({"kind": job.kind})
                session.note("removed")
                st.rerun()


def audit(found: AuditSummary) -> None:
    """Figures of an audit, and its riskiest accounts."""
    row = st.columns(6)
    row[0].metric("Flagged accounts", f"{found.flagged:,d}")
    row[1].metric("of which likely false", words.expected(found.expected_false))
    row[2].metric("Watched accounts", f"{found.watched:,d}")
    row[3].metric("Campaigns", f"{found.campaigns:,d}")
    row[4].metric("Accounts", words.count(found.accounts))
    row[5].metric("Requests", words.count(found.events), help=f"{found.rejected:,d} rows could not be read")
    if found.top:
        safe.table([top_row(a) for a in found.top], TOP, key="audit_top", max_pixels=420)
        if found.flagged > len(found.top):
            st.caption(f"The {len(found.top):,d} riskiest; the report has all.")
    else:
        st.caption("Nothing is flagged.")
    if found.shadow:
        safe.text("In shadow, and so without any say: " + ", ".join(found.shadow) + ".")


def rehearsal(found: RehearsalSummary) -> None:
    """Figures of a rehearsal, and its shapes with the blind spots first."""
    row = st.columns(5)
    row[0].metric("Caught campaigns", f"{found.caught:,d} of {found.planted:,d}")
    row[1].metric("Blind spots", f"{found.blind:,d}", help="Kinds of campaign that are more likely missed than caught")
    row[2].metric("Verdicts of others changed", f"{found.changed:,d}")
    row[3].metric("Accounts", words.count(found.accounts))
    row[4].metric("Requests", words.count(found.events))
    st.caption(
        "The planted campaigns are simulated, in wordings of ours: read what is caught as the best case, and what is missed as missed."
    )
    ordered = sorted(found.shapes, key=lambda s: (not s.blind, s.caught / max(s.planted, 1), s.accounts))
    safe.table([shape_row(s) for s in ordered], SHAPES, key="rehearsal_shapes", max_pixels=520)
    if found.skipped:
        st.caption(f"{found.skipped:,d} shapes are too large for so small a log and were left out.")


def backtest(found: BacktestSummary) -> None:
    """What each threshold flags, a picture of it, and samples."""
    st.caption("Of " + words.quantity(found.accounts, "account") + " in the profiles of the period.")
    safe.table([point_row(p) for p in found.points], POINTS, key="backtest_points")
    safe.chart(charts.thresholds(found.points), "Flagged accounts by threshold: confirmed, dismissed and unlabelled")
    tabs = st.tabs(FOUND)
    for tab, samples, key in zip(
        tabs,
        (found.unlabelled, found.confirmed, found.dismissed),
        ("unlabelled", "confirmed", "dismissed"),
        strict=True,
    ):
        with tab:
            accounts(samples, key)


def accounts(samples: list[BacktestAccount], key: str) -> None:
    """A sample of accounts; a row opens one."""
    if not samples:
        st.caption("None.")
        return

    def open_row(index: int) -> None:
        routes.open_account(samples[index].account_id)

    safe.table([sample_row(s) for s in samples], SAMPLES, key=f"sample_{key}", leads_to=open_row, max_pixels=420)


def top_row(account: TopAccount) -> dict[str, safe.Cell]:
    """One line of an audit's accounts."""
    return {**account.model_dump(), "risk": verdict.risk_cell(account.risk)}


def shape_row(shape: ShapeOut) -> dict[str, safe.Cell]:
    """One line of a rehearsal's shapes."""
    return {
        **shape.model_dump(include={"accounts", "requests", "first_flag"}),
        "family": labels.FAMILIES.get(shape.family, shape.family),
        "cover": words.percent(shape.cover) if shape.cover else "none",
        "caught": f"{shape.caught} of {shape.planted}",
        "exposure": 100 * shape.exposure,
        "blind": "✕ Blind spot" if shape.blind else "✓ Caught more often than missed",
    }


def point_row(point: BacktestPoint) -> dict[str, safe.Cell]:
    """One threshold."""
    low, high = point.expected_false_interval
    return {
        **point.model_dump(include={"flagged", "confirmed", "dismissed", "unlabelled", "missed"}),
        "share": words.share(point.share) + (" · holds now" if point.current else ""),
        "expected": f"{words.expected(point.expected_false)} ({low:,.0f} to {high:,.0f})",
    }


def sample_row(account: BacktestAccount) -> dict[str, safe.Cell]:
    """One account of a sample."""
    return {
        **account.model_dump(include={"account_id", "requests", "harvest", "top_reason"}),
        "needs": words.share(account.needs),
    }
