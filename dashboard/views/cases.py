"""The queue: cases by risk, filtered, sorted and cut into pages by the service."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.schemas import CasePage, CaseRow, Overview
from dashboard import paging, routes, safe, session, verdict, words
from dashboard.client import Parameters

ANY = "any"
STATE_OPTIONS: dict[str, str] = dict([(ANY, "Any state"), *words.STATES.items()])
VERDICT_OPTIONS: dict[str, str] = {
    ANY: "Flag and watch",
    "flag": words.VERDICTS["flag"],
    "watch": words.VERDICTS["watch"],
}
MIN_RISK_OPTIONS = {ANY: "Any", "0.5": "50 %", "0.8": "80 %", "0.9": "90 %", "0.95": "95 %", "0.99": "99 %"}
SORT_OPTIONS: dict[str, str] = {
    "risk": "Risk",
    "requests": "Requests",
    "output_tokens": "Output tokens",
    "flagged_at": "Flagged at",
    "last_seen": "Last seen",
    "account_id": "Account",
}
ORDER_OPTIONS = {"desc": "Highest or latest first", "asc": "Lowest or earliest first"}
LIMIT_OPTIONS = {"50": "50", "100": "100", "200": "200"}
OPTIONS = {
    "state": STATE_OPTIONS,
    "verdict": VERDICT_OPTIONS,
    "min_risk": MIN_RISK_OPTIONS,
    "sort": SORT_OPTIONS,
    "order": ORDER_OPTIONS,
    "limit": LIMIT_OPTIONS,
}
"""By name of the parameter, for the service and in the address; the first of each is the default and left out there."""

LABELS = {
    "state": "State",
    "verdict": "Verdict",
    "min_risk": "Risk at least",
    "sort": "Sort by",
    "order": "Order",
    "limit": "Rows",
}

CURSORS = "queue_cursors"  # of the pages before this one, so that one can turn back
FILTER = "queue_filter"
OPENED = "queue_opened"  # counts openings: the table gets a new key, so that no row stays selected on return

COLUMNS = {
    "risk": safe.share_column("Risk", width=105, help="How far beyond honest accounts it scores; flagged from 50 %"),
    "verdict": safe.text_column("Verdict", width=72),
    "state": safe.text_column("State", width=85),
    "account_id": safe.text_column("Account", width=135),
    "harvest": safe.text_column("Looks like", width=150),
    "requests": safe.number_column("Requests", width=75),
    "output_tokens": safe.number_column("Output tokens", width=98),
    "campaign_id": safe.text_column("Campaign", width=80),
    "flagged_at": safe.text_column("Flagged at (UTC)", width=120),
    "top_reason": safe.text_column("Top reason"),
}


def render() -> None:
    """Figures, filters, and the table."""
    st.title("Queue")
    with session.asking():
        overview = session.client().overview()
    figures(overview)
    if not overview.events:
        st.info(
            "No requests have arrived yet. Send logs to `POST /v1/events`, or point a gateway at the service; cases "
            "appear as soon as the worker has assessed them.",
            icon=":material/inbox:",
        )
        return
    queue()


def figures(overview: Overview) -> None:
    """The figures at the top, with units."""
    row = st.columns(7)
    row[0].metric("Open cases", f"{overview.open_cases:,d}")
    row[1].metric("Flagged accounts", f"{overview.flagged:,d}")
    row[2].metric(
        "of which likely false",
        words.expected(overview.expected_false),
        help="Expected number of false flags; see the sentence below",
    )
    row[3].metric("Watched accounts", f"{overview.watched:,d}")
    row[4].metric("Campaigns", f"{overview.campaigns:,d}")
    row[5].metric("Accounts seen", words.count(overview.accounts))
    row[6].metric("Requests seen", words.count(overview.events))
    if overview.flagged and overview.last_assessed_at:
        rates = (overview.expected_false, overview.expected_false_interval, overview.max_false_flags)
        st.caption(words.false_flags(overview.flagged, *rates))
    st.caption(
        "Last request "
        + words.when(overview.last_event_at)
        + " UTC · last assessed "
        + words.when(overview.last_assessed_at)
        + " UTC · "
        + words.lag(overview.worker_lag_events, overview.worker_lag_seconds, overview.unassessed_events)
    )


@st.fragment
def queue() -> None:
    """Filters and the table; a turn of the page runs only this."""
    parameters = filters()
    if st.session_state.get(FILTER) != parameters:
        st.session_state[FILTER], st.session_state[CURSORS] = parameters, []
    cursors: list[str] = st.session_state.setdefault(CURSORS, [])
    with session.asking():
        page = session.client().cases({**parameters, "cursor": cursors[-1] if cursors else None})
    st.session_state[routes.LAST_QUEUE] = st.query_params.to_dict()
    if not page.items:
        st.info("No case matches these filters.", icon=":material/filter_alt_off:")
        return
    turn(page, cursors, int(parameters["limit"] or 0))

    def open_row(index: int) -> None:
        st.session_state[OPENED] = st.session_state.get(OPENED, 0) + 1
        routes.open_account(page.items[index].account_id)

    key = f"cases_{st.session_state.get(OPENED, 0):d}_{len(cursors):d}"
    safe.table([as_row(case) for case in page.items], COLUMNS, key=key, on_open=open_row)
    st.caption("Click a row to open the case.")


def filters() -> Parameters:
    """The filters, kept in the page's address so that a view can be sent to a colleague."""
    row = st.columns([2.2, 1.2, 1.2, 1.1, 1.2, 1.5, 0.8], vertical_alignment="bottom")
    asked = st.query_params.to_dict()
    st.session_state.setdefault("q", asked.get("q", ""))
    text = row[0].text_input("Search", key="q", placeholder="Account or campaign", icon=":material/search:").strip()
    chosen = {name: choice(place, name, asked) for place, name in zip(row[1:], OPTIONS, strict=True)}
    address = {name: value for name, value in chosen.items() if value != next(iter(OPTIONS[name]))}
    address |= {"q": text} if text else {}
    if address != asked:
        st.query_params.from_dict(address)
    return {"q": text, **{name: None if value == ANY else value for name, value in chosen.items()}}


def choice(place: DeltaGenerator, name: str, asked: dict[str, str]) -> str:
    """A select box whose first value comes from the address, if it is one of the options, else is the first of them."""
    options = OPTIONS[name]
    if name not in st.session_state:
        st.session_state[name] = asked[name] if asked.get(name) in options else next(iter(options))
    chosen: str = place.selectbox(LABELS[name], list(options), format_func=options.__getitem__, key=name)
    return chosen


def turn(page: CasePage, cursors: list[str], size: int) -> None:
    """What is shown, and the way to the next page."""
    first = len(cursors) * size + 1
    row = st.container(horizontal=True, vertical_alignment="center")
    row.caption(f"{first:,d} to {first + len(page.items) - 1:,d} of {page.total:,d} cases that match.", width="stretch")
    row.button("Previous", icon=paging.PREVIOUS, disabled=not cursors, on_click=cursors.__delitem__, args=(-1,))
    row.button(
        "Next",
        icon=paging.NEXT,
        disabled=page.next_cursor is None,
        on_click=cursors.append,
        args=(page.next_cursor,),
    )


def as_row(case: CaseRow) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {
        **case.model_dump(
            include={"account_id", "harvest", "top_reason", "campaign_id", "requests", "output_tokens", "flagged_at"}
        ),
        **verdict.cells(case),
    }
