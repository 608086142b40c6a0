"""Which signals count, and what each adds to the others."""

from __future__ import annotations

from itertools import combinations

import streamlit as st

from api.schemas.jobs import OverlapAccount, SignalOverlap, SignalsSummary
from api.schemas.signals import SignalOut, SignalState
from dashboard import charts, labels, routes, safe, session, words
from dashboard.ask import signals

VIEWS = ["Strong together", "As a table"]
MAX_REASON = 4000
OVERLAP_PIXELS = 720  # high enough for all signals: their table is read as a whole
STATES = {
    "title": safe.text_column("Signal", width=230),
    "state": safe.text_column("State", width=100),
    "at": safe.text_column("Changed (UTC)", width=135),
    "actor": safe.text_column("By", width=190),
    "reason": safe.text_column("Reason", width=500),
}
OVERLAP = {
    "title": safe.text_column("Signal", width=230),
    "state": safe.text_column("State", width=95),
    "strong": safe.number_column("Strong", width=75, help="Accounts where it is strong"),
    "anyway": safe.number_column(
        "Flagged without it",
        width=135,
        help="Of the accounts where it is strong: flagged with this signal left out too",
    ),
    "only": safe.number_column(
        "Flags that need it", width=130, help="Accounts that are flagged where it counts, and are not where it does not"
    ),
    "confirmed": safe.number_column("Confirmed bad", width=115),
    "dismissed": safe.number_column("Confirmed good", width=120),
    "unlabelled": safe.number_column("Unlabelled", width=95),
    "meaning": safe.text_column("In words"),
}
PAIRS = {
    "one": safe.text_column("Signal", width=260),
    "other": safe.text_column("and", width=260),
    "share": safe.share_column("Both strong, of either", width=180),
}
SAMPLES = {
    "account_id": safe.text_column("Account", width=300),
    "requests": safe.number_column("Requests", width=100),
    "state": safe.text_column("Case", width=150),
}


def states() -> None:
    """All signals that can be in shadow with their state; for leads the switch."""
    with session.asking():
        known = signals.signals(session.client())
    known.sort(key=lambda s: s.title)
    listed = sorted(known, key=lambda s: s.state == "live")
    safe.table([state_row(s) for s in listed], STATES, key="signal_states", max_pixels=320)
    live = sum(s.state == "live" for s in known)
    st.caption(
        f"{live:,d} count, {len(known) - live:,d} in shadow. Signals that speak against harvesting always count."
    )
    if not session.may_approve():
        st.caption("Leads and administrators put signals into shadow.")
        return
    with st.expander("Put a signal into shadow, or make it live", icon=":material/contrast:"):
        chosen = safe.choose("Signal", [s.title for s in known], key="signal_chosen")
        signal = next(s for s in known if s.title == chosen)
        reason = st.text_input("Reason", max_chars=MAX_REASON, key="signal_reason", placeholder="Why it is doubted")
        turned: SignalState = "shadow" if signal.state == "live" else "live"
        if st.button(
            "Put into shadow" if turned == "shadow" else "Make live", type="primary", icon=":material/contrast:"
        ):
            with session.asking():
                signals.switch(session.client(), signal.signal, turned, reason.strip())
            session.note("signal")
            st.rerun()


def state_row(signal: SignalOut) -> dict[str, safe.Cell]:
    """One signal."""
    return {**signal.model_dump(), "state": labels.SIGNAL_STATES[signal.state]}


def overlap(found: SignalsSummary) -> None:
    """Which flags need each signal, which signals say the same, and the accounts behind it."""
    st.caption(
        "Of "
        + words.quantity(found.accounts, "account")
        + f" in the profiles of the period, {found.flagged:,d} of them flagged. A signal is strong where an account has more of it than "
        + words.percent(found.strong_from)
        + " of ordinary accounts of its size."
    )
    ordered = sorted(found.signals, key=lambda s: (s.state == "live", -s.only, -s.strong, s.title))
    safe.table([overlap_row(s) for s in ordered], OVERLAP, key="overlap", max_pixels=OVERLAP_PIXELS)
    shown, pairs = st.tabs(VIEWS)
    seen = [i for i, s in enumerate(found.signals) if s.strong]
    together = {(i, j): found.shared[i][j] for i, j in combinations(seen, 2)}
    title = [s.title for s in found.signals]
    with shown:
        if together:
            safe.chart(
                charts.together([title[i] for i in seen], {(title[i], title[j]): x for (i, j), x in together.items()}),
                "For each two signals the accounts where both are strong, as a share of those where either is",
            )
        else:
            st.caption("No two signals are strong anywhere.")
    with pairs:
        ranked = sorted(together.items(), key=lambda pair: -pair[1])
        rows: list[dict[str, safe.Cell]] = [
            {"one": title[i], "other": title[j], "share": 100 * x} for (i, j), x in ranked if x
        ]
        if rows:
            safe.table(rows, PAIRS, key="overlap_pairs", max_pixels=420)
        else:
            st.caption("No two signals are strong in the same account.")
    samples([s for s in ordered if s.samples])


def samples(found: list[SignalOverlap]) -> None:
    """Accounts whose flag needs one signal; a row opens one."""
    st.subheader("Accounts whose flag needs one signal")
    if not found:
        st.caption("None: every flag stands without any single signal, and none in shadow would add one.")
        return
    chosen = safe.choose("Signal", [s.title for s in found], key="overlap_signal")
    signal = next(s for s in found if s.title == chosen)
    st.caption(words.turned(signal.state, signal.only) + ".")

    def open_row(index: int) -> None:
        routes.open_account(signal.samples[index].account_id)

    key = f"overlap_{signal.signal}"
    safe.table([sample_row(a) for a in signal.samples], SAMPLES, key=key, leads_to=open_row, max_pixels=420)
    if signal.only > len(signal.samples):
        st.caption(f"The {len(signal.samples):,d} with the most requests.")


def overlap_row(signal: SignalOverlap) -> dict[str, safe.Cell]:
    """One signal beside the live ones."""
    return {
        **signal.model_dump(),
        "state": labels.SIGNAL_STATES[signal.state],
        "meaning": words.turned(signal.state, signal.only),
    }


def sample_row(account: OverlapAccount) -> dict[str, safe.Cell]:
    """One account."""
    return {**account.model_dump(), "state": labels.STATES[account.state]}
