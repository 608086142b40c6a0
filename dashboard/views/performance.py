"""How the flags fared with the people who reviewed them, what is missed, who agrees, and what changes."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from api.schemas.overview import Overview
from api.schemas.performance import Performance, SignalPrecision
from api.schemas.quality import Agreement, Disagreement, DriftOut, Quality, SampleOut, SampleRow, SegmentPrecision
from dashboard import charts, labels, routes, safe, session, verdict, words
from dashboard.ask import quality

QUESTIONS = ["Are flags right?", "What is missed?", "Do reviewers agree?", "Does it change?", "Is it up to date?"]
ALL_FLAGS = "All flags"
STABLE, SHIFTED = 0.1, 0.25
"""Customary bounds of the population stability index: below the first stable, above the second another population."""

SIGNALS = {
    "title": safe.text_column("Signal", width=240),
    "precision": safe.share_column("Confirmed", width=150, help="Share of the reviewed flags for which it speaks"),
    "interval": safe.text_column("95 % interval", width=150),
    "confirmed": safe.number_column("Confirmed flags", width=130),
    "reviewed": safe.number_column("Reviewed flags", width=130),
}
SEGMENTS = {"segment": safe.text_column("Accounts of", width=190), **SIGNALS}
SAMPLES = {
    "account_id": safe.text_column("Account", width=260),
    "state": safe.text_column("Found", width=110),
    "verdict": safe.text_column("Verdict now", width=110),
    "risk": safe.share_column("Risk", width=110),
    "requests": safe.number_column("Requests", width=100),
    "drawn_at": safe.text_column("Drawn (UTC)", width=140),
    "drawn_by": safe.text_column("Drawn by"),
}
DISAGREEMENTS = {
    "subject_id": safe.text_column("Account or campaign", width=260),
    "found": safe.text_column("Found by each"),
}


def render() -> None:
    """Five questions, a tab each."""
    st.title("Performance")
    session.noted()
    with session.asking():
        client = session.client()
        told, overview = client.performance(), client.overview()
        found, drawn = quality.quality(client), quality.samples(client)
    tabs = st.tabs(QUESTIONS)
    pages: list[Callable[[], None]] = [
        lambda: right(told, overview, found),
        lambda: missed(drawn),
        lambda: agreement(found.agreement),
        lambda: drift(found.drift),
        lambda: lag(overview, found.assess_seconds),
    ]
    for tab, page in zip(tabs, pages, strict=True):
        with tab:
            page()


def right(told: Performance, overview: Overview, found: Quality) -> None:
    """Precision of all flags, then by signal, then by size of account."""
    st.caption("Of the accounts that were flagged and then reviewed: how many were confirmed as harvesting.")
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
        "Reviewed cases are no random sample: whoever reviews the riskiest first sees more that are confirmed. Thresholds "
        f"are set for at most {overview.max_false_flags * 100:.3g} % of honest accounts."
    )
    st.subheader("By signal", help="A flag counts for each signal that speaks for harvesting in it.")
    safe.table([signal_row(signal) for signal in told.signals], SIGNALS, key="signals")
    st.subheader(
        "By size of account and signal", help="Thresholds are promised over all sizes together; errors differ."
    )
    safe.table([segment_row(s) for s in found.segments], SEGMENTS, key="segments")


def missed(drawn: SampleOut) -> None:
    """Random samples of what is not flagged."""
    st.caption(
        "What the detector misses shows nowhere, unless people look at accounts that it does not flag. Draw some at random and "
        "review them like any case: confirm those that harvest, dismiss the others."
    )
    row = st.columns(4)
    row[0].metric("Drawn and reviewed", f"{drawn.missed.reviewed:,d}")
    row[1].metric("Of these, harvesting", f"{drawn.missed.confirmed:,d}")
    row[2].metric("Not flagged now", words.count(drawn.unflagged))
    row[3].metric(
        "Missed harvesters, 95 % interval",
        f"{drawn.missed_low:,.0f} to {drawn.missed_high:,.0f}" if drawn.missed.reviewed else words.NOTHING,
        help="If the reviewed ones are as the others. Without a finding in n reviews the upper bound is about 3.7 in n.",
    )
    if session.may_decide():
        with st.form("draw", border=False):
            form = st.container(horizontal=True, vertical_alignment="bottom")
            size = form.number_input("Accounts", min_value=1, max_value=500, value=20, width=160)
            if form.form_submit_button("Draw at random", type="primary", icon=":material/shuffle:"):
                with session.asking():
                    quality.draw(session.client(), size)
                st.rerun()
    if not drawn.items:
        st.info("Nothing was drawn yet.", icon=":material/shuffle:")
        return

    def open_row(index: int) -> None:
        routes.open_account(drawn.items[index].account_id)

    key = f"samples_{len(drawn.items):d}"
    safe.table([sample_row(s) for s in drawn.items], SAMPLES, key=key, leads_to=open_row)
    st.caption("Click a row to review the account.")


def agreement(found: Agreement) -> None:
    """How often two people found the same."""
    st.caption(
        "Of accounts and campaigns that two or more people decided on. The second sees what the first found, so read it as the "
        "best case."
    )
    if not found.pairs:
        st.info("Nothing was decided by two people yet.", icon=":material/groups:")
        return
    row = st.columns(4)
    row[0].metric("Pairs that agree", f"{found.agreed:,d} of {found.pairs:,d}")
    row[1].metric("Share", words.percent(found.share or 0.0))
    row[2].metric("95 % interval", words.interval(found.low, found.high))
    row[3].metric(
        "Beyond chance",
        words.NOTHING if found.kappa is None else words.signed(found.kappa),
        help="Scott's pi: 0 is chance, 1 always",
    )
    if found.disagreements:
        st.subheader("Where they differ")
        safe.table([disagreement_row(d) for d in found.disagreements], DISAGREEMENTS, key="disagreements")


def drift(found: DriftOut | None) -> None:
    """Whether what is asked changes."""
    st.caption(
        "The topics were learnt once and stay. When what is asked moves away from them, signals that count topics say less: "
        "then run `distillwatch calibrate` on a recent log."
    )
    if found is None or not found.days:
        st.info("Nothing was assessed yet.", icon=":material/monitoring:")
        return
    row = st.columns(3)
    row[0].metric(
        f"Topics, last {found.recent_days:d} days against before",
        words.NOTHING if found.stability is None else f"{found.stability:.3f}",
        help="Population stability index. Customary reading: below 0.1 stable, above 0.25 another population",
    )
    if found.stability is None:
        row[1].metric("Reading", "Less than a week")
    else:
        row[1].metric(
            "Reading",
            "Stable" if found.stability < STABLE else "Moving" if found.stability < SHIFTED else "Another population",
        )
    row[2].metric("Index built at (UTC)", words.when(found.built_at))
    safe.chart(charts.drift(found.days), "Requests a day, and how well prompts fit the topics")


def lag(overview: Overview, assess_seconds: float | None) -> None:
    """How far the worker is behind."""
    st.caption("Findings follow what was profiled; what was profiled follows what arrived.")
    row = st.columns(5)
    row[0].metric("Waiting for the worker", words.quantity(overview.worker_lag_events, "request"))
    waited = overview.worker_lag_seconds
    row[1].metric("The oldest has waited", words.duration(waited) if waited else words.NOTHING)
    row[2].metric("Not assessed yet", words.quantity(overview.unassessed_events, "request"))
    row[3].metric("Last assessed (UTC)", words.when(overview.last_assessed_at))
    row[4].metric("An assessment takes", words.duration(assess_seconds) if assess_seconds else words.NOTHING)


def signal_row(signal: SignalPrecision) -> dict[str, safe.Cell]:
    """One signal."""
    return {
        **signal.model_dump(include={"title", "confirmed", "reviewed"}),
        "precision": 100 * (signal.precision or 0.0),
        "interval": words.interval(signal.low, signal.high),
    }


def segment_row(found: SegmentPrecision) -> dict[str, safe.Cell]:
    """One signal among accounts of one size."""
    return {
        **found.model_dump(include={"segment", "confirmed", "reviewed"}),
        "title": found.title or ALL_FLAGS,
        "precision": 100 * (found.precision or 0.0),
        "interval": words.interval(found.low, found.high),
    }


def sample_row(row: SampleRow) -> dict[str, safe.Cell]:
    """One account that was drawn."""
    return {
        **row.model_dump(include={"account_id", "requests", "drawn_at", "drawn_by"}),
        "state": labels.STATES[row.state] if row.state else "left the window",
        "verdict": labels.VERDICTS[row.verdict] if row.verdict else words.NOTHING,
        "risk": None if row.risk is None else verdict.risk_cell(row.risk),
    }


def disagreement_row(found: Disagreement) -> dict[str, safe.Cell]:
    """One case on which people differ."""
    said = ", ".join(f"{f.actor}: {labels.DECIDED[f.decision].lower()}" for f in found.found)
    return {"subject_id": found.subject_id, "found": said}
