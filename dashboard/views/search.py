"""Search: accounts that ask alike, and accounts at the top."""

from __future__ import annotations

import streamlit as st

from api.schemas.search import QueryOut, SimilarAccount, TopRow
from dashboard import labels, routes, safe, session, verdict, words
from dashboard.ask import search
from dashboard.client import ApiError

TEXT, ACCOUNT, QUERY = "search_text", "search_account", "search_query"
LIMIT = 50
SEARCHES = ["Accounts that ask alike", "Accounts at the top"]
DAYS = {1: "Last day", 7: "Last 7 days", 14: "Last 14 days"}
BY = {"output_tokens": "Output tokens", "input_tokens": "Input tokens", "requests": "Requests"}
NOUNS = {"output_tokens": "output tokens", "input_tokens": "input tokens", "requests": "requests"}
LEADS = frozenset({"lead", "admin"})
"""Roles that are offered to forget what others share; the service refuses it to others anyway."""

LIKE = {
    "similarity": safe.share_column("Alike", width=110, help="Mean cosine of its nearest prompts"),
    "prompts": safe.text_column("Near prompts", width=110, help="Of the sample of its distinct prompts"),
    "account_id": safe.text_column("Account", width=240),
    "verdict": safe.text_column("Verdict", width=85),
    "state": safe.text_column("State", width=95),
    "risk": safe.share_column("Risk", width=105),
    "requests": safe.number_column("Requests", width=90),
    "campaign_id": safe.text_column("Campaign", width=140),
    "harvest": safe.text_column("Looks like"),
}
TOP = {
    "rank": safe.number_column("Rank", width=60),
    "account_id": safe.text_column("Account", width=260),
    "value": safe.number_column("In the period", width=130),
    "before": safe.number_column("Period before", width=130),
    "change": safe.text_column("Change", width=110),
    "moved": safe.text_column("Rank before", width=110),
    "share": safe.share_column("Of all", width=120),
    "verdict": safe.text_column("Verdict", width=90),
    "state": safe.text_column("State", width=100),
    "risk": safe.share_column("Risk", width=110),
}


def render() -> None:
    """The two searches."""
    st.title("Search")
    session.noted()
    alike, top = st.tabs(SEARCHES)
    with alike:
        by_likeness()
    with top:
        at_the_top()


def by_likeness() -> None:
    """Ask by text, by example, or by a saved query."""
    st.caption(
        "Looks in a sample of every account's distinct prompts for those nearest in meaning. English is understood best; of other "
        "languages mostly the words themselves."
    )
    asked = st.query_params.to_dict()
    if "like" in asked:
        st.session_state.setdefault(ACCOUNT, asked["like"])
    with session.asking():
        saved = search.queries(session.client())
    if saved:
        choose(saved)
    row = st.columns([3, 1.4])
    text = (
        row[0]
        .text_area(
            "Ask like this",
            key=TEXT,
            height=110,
            max_chars=20_000,
            placeholder="A prompt, or the constant part of a template",
            help="Compared with what users write. System prompts are not searched.",
        )
        .strip()
    )
    account = row[1].text_input("Or like this account", key=ACCOUNT, max_chars=256, placeholder="Account").strip()
    if not text and not account:
        st.info("Write a prompt, name an account, or choose a saved query.", icon=":material/search:")
        return
    if text and account:
        st.warning("Empty one of the two fields: a search is by text or by account.", icon=":material/info:")
        return
    if session.may_decide():
        save(text or None, account or None)
    try:
        with st.spinner("Searching …"):
            found = search.similar(session.client(), text or None, account or None, LIMIT)
    except ApiError as error:
        session.show_problem(error)
        return
    st.caption(
        "Searched " + words.quantity(found.sampled, "prompt") + " of " + words.quantity(found.accounts, "account") + "; index of "
        + words.when(found.built_at) + " UTC."
    )  # fmt: skip
    if not found.items:
        st.info("Nobody asks alike.", icon=":material/search_off:")
        return
    accounts = [match.account_id for match in found.items]
    show_accounts("like", [like_row(match) for match in found.items], LIKE, accounts)


def choose(saved: list[QueryOut]) -> None:
    """A saved query into the fields; forget one."""

    def fill() -> None:
        chosen = next((q for q in saved if q.query_id == st.session_state[QUERY]), None)
        if chosen is not None:
            st.session_state[TEXT] = chosen.text or ""
            st.session_state[ACCOUNT] = chosen.account_id or ""

    row = st.columns([3, 1.4], vertical_alignment="bottom")
    with row[0]:
        query_id = safe.choose_named(
            "Saved queries",
            {q.query_id: q.name + ("" if q.mine else f", shared by {q.owner}") for q in saved},
            QUERY,
            fill,
        )
    chosen = next((q for q in saved if q.query_id == query_id), None)
    if chosen is None or not (chosen.mine or session.me().role in LEADS):
        return
    if row[1].button("Forget this query", icon=":material/delete:"):
        with session.asking():
            search.forget(session.client(), chosen.query_id)
        session.note("removed")
        st.rerun()


def save(text: str | None, account: str | None) -> None:
    """Keep the query."""
    with st.expander("Save this query", icon=":material/bookmark_add:"), st.form("save_query", clear_on_submit=True):
        row = st.columns([3, 1, 1], vertical_alignment="bottom")
        name = row[0].text_input("Name", max_chars=200)
        shared = row[1].checkbox("Share with all")
        if row[2].form_submit_button("Save", type="primary"):
            with session.asking():
                search.save(session.client(), name, text, account, shared)
            session.note("saved")
            st.rerun()


def at_the_top() -> None:
    """Who sent most, and how that changed."""
    row = st.columns([1, 1, 3])
    by = row[0].selectbox("By", list(BY), format_func=BY.__getitem__)
    days = row[1].selectbox("Period", list(DAYS), index=1, format_func=DAYS.__getitem__)
    try:
        with st.spinner("Asking the service …"):
            found = search.top(session.client(), by, days, LIMIT)
    except ApiError as error:
        session.show_problem(error)
        return
    if not found.items:
        st.info("Nothing was sent yet.", icon=":material/inbox:")
        return
    st.caption(
        "All accounts: " + words.count(found.total) + " " + NOUNS[by] + ", " + words.change(found.total, found.total_before)
        + " against the period before. Days are those of the events (UTC); index of " + words.when(found.built_at) + " UTC."
    )  # fmt: skip
    show_accounts("top", [top_row(r, found.total) for r in found.items], TOP, [r.account_id for r in found.items])


def show_accounts(name: str, rows: list[dict[str, safe.Cell]], columns: dict[str, object], accounts: list[str]) -> None:
    """Accounts as a table; a row opens one."""

    def open_row(index: int) -> None:
        routes.open_account(accounts[index])

    safe.table(rows, columns, key=name, leads_to=open_row)
    st.caption("Click a row to open the account.")


def like_row(match: SimilarAccount) -> dict[str, safe.Cell]:
    """One account that asks alike."""
    return {
        **match.model_dump(include={"account_id", "requests", "campaign_id", "harvest"}),
        "similarity": 100 * match.similarity,
        "prompts": f"{match.prompts:,d} of {match.sampled:,d}",
        **_case(match),
    }


def top_row(row: TopRow, total: int) -> dict[str, safe.Cell]:
    """One account at the top."""
    return {
        **row.model_dump(include={"rank", "account_id", "value", "before"}),
        "change": words.change(row.value, row.before),
        "moved": words.NOTHING if row.rank_before is None else f"{row.rank_before:,d}",
        "share": 100 * row.value / total if total else 0.0,
        **_case(row),
    }


def _case(row: SimilarAccount | TopRow) -> dict[str, safe.Cell]:
    return {
        "verdict": labels.VERDICTS[row.verdict] if row.verdict else words.NOTHING,
        "state": labels.STATES[row.state] if row.state and row.verdict != "clear" else words.NOTHING,
        "risk": None if row.risk is None else verdict.risk_cell(row.risk),
    }
