"""The queue: cases by risk, filtered, sorted and cut into pages by the service."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.schemas.overview import Overview
from api.schemas.queue import CasePage, CaseRow
from dashboard import bulk, enforcing, labels, paging, routes, safe, session, verdict, words
from dashboard.client import Parameters

ANY = "any"
STATE_OPTIONS: dict[str, str] = dict([(ANY, "Any state"), *labels.STATES.items()])
VERDICT_OPTIONS: dict[str, str] = {
    ANY: "Both",
    "flag": labels.VERDICTS["flag"],
    "watch": labels.VERDICTS["watch"],
}
MIN_RISK_OPTIONS = {ANY: "Any", "0.5": "50 %", "0.8": "80 %", "0.9": "90 %", "0.95": "95 %", "0.99": "99 %"}
CLAIM_OPTIONS: dict[str, str] = {ANY: "Anybody's", "free": "Nobody's", "mine": "Mine", "taken": "Claimed"}
DUE_OPTIONS: dict[str, str] = {ANY: "Any time", "true": "Overdue"}
SORT_OPTIONS: dict[str, str] = {
    "priority": "Risk × spend",
    "due_at": "Due",
    "risk": "Risk",
    "requests": "Requests",
    "output_tokens": "Output tokens",
    "flagged_at": "Flagged at",
    "last_seen": "Last seen",
    "account_id": "Account",
}
ORDER_OPTIONS = {"desc": "Descending", "asc": "Ascending"}
LIMIT_OPTIONS = {"100": "100", "150": "150", "200": "200"}
OPTIONS = {
    "state": STATE_OPTIONS,
    "verdict": VERDICT_OPTIONS,
    "min_risk": MIN_RISK_OPTIONS,
    "due": DUE_OPTIONS,
    "claim": CLAIM_OPTIONS,
    "sort": SORT_OPTIONS,
    "order": ORDER_OPTIONS,
    "limit": LIMIT_OPTIONS,
}
"""By name of the parameter, for the service and in the address; the first of each is the default and left out there."""

LABELS = {
    "state": "State",
    "verdict": "Verdict",
    "min_risk": "Risk at least",
    "due": "Due",
    "claim": "Whose",
    "sort": "Sort by",
    "order": "Order",
    "limit": "Rows",
}

CURSORS = "queue_cursors"  # of the pages before this one, so that one can turn back
FILTER = "queue_filter"

VIEWS: dict[str, dict[str, str]] = {
    "all": {},
    "todo": {"state": "open", "verdict": "flag"},
    "overdue": {"due": "true", "sort": "due_at", "order": "asc"},
    "mine": {"claim": "mine"},
}
VIEW_LABELS = {"all": "All", "todo": "Open flags", "overdue": "Overdue", "mine": "Mine"}
VIEW_KEYS = {"all": "A", "todo": "F", "overdue": "O", "mine": "M"}
"""Ready-made filters, and the keys that choose them: no figures, which read as counts beside the labels."""

COLUMNS = {
    "risk": safe.share_column("Risk", width=96, help="How far beyond honest accounts it scores; flagged from 50 %"),
    "spend": safe.money_column("Spend", width=94, help="Estimated worth of the tokens taken, by the service's prices"),
    "verdict": safe.text_column("Verdict", width=72),
    "state": safe.text_column("State", width=72),
    "account_id": safe.text_column("Account", width=132),
    "harvest": safe.text_column("Looks like", width=144),
    "requests": safe.number_column("Requests", width=72),
    "due": safe.text_column("Due", width=88, help="When somebody should have looked"),
    "claimed_by": safe.text_column("Claimed by", width=84),
    "alike": safe.text_column("Alike", width=52, help="Closed cases with the same pattern: how many were confirmed"),
    "campaign_id": safe.text_column("Campaign", width=84, help="The beginning of its id"),
    "top_reason": safe.text_column("Top reason"),
}
CAMPAIGN_CHARS = 8  # of a campaign's id: enough to see who is together


def render() -> None:
    """Figures, filters, and the table."""
    st.title("Queue")
    with session.asking():
        client = session.client()
        overview, state = client.overview(), client.enforcement()
    enforcing.warn(state)
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
    """Filters and the table; a filter runs only this."""
    parameters = filters()
    if st.session_state.get(FILTER) != parameters:
        st.session_state[FILTER], st.session_state[CURSORS] = parameters, []
    matching(parameters)


@st.fragment
def matching(parameters: Parameters) -> None:
    """The table and what belongs to it; a turn of the page runs only this."""
    cursors: list[str] = st.session_state.setdefault(CURSORS, [])
    with session.asking():
        page = session.client().cases({**parameters, "cursor": cursors[-1] if cursors else None})
    st.session_state[routes.LAST_QUEUE] = st.query_params.to_dict()
    if not page.items:
        st.info("No case matches these filters.", icon=":material/filter_alt_off:")
        return
    st.session_state[routes.QUEUE_IDS] = [case.account_id for case in page.items]
    turn(page, cursors, int(parameters["limit"] or 0))

    def open_row(index: int) -> None:
        routes.open_account(page.items[index].account_id)

    columns = {**COLUMNS, "spend": safe.in_currency(COLUMNS["spend"], page.items[0].currency)}
    safe.table([as_row(case) for case in page.items], columns, key=f"cases_{len(cursors):d}", leads_to=open_row)
    below = st.container(horizontal=True, vertical_alignment="center")
    below.caption(
        "Click a row to open the case. Keys: A, F, O and M choose a view, Left and Right turn the page.",
        width="stretch",
    )
    with below:
        safe.download(
            "Save these rows", lambda: safe.sheet([c.model_dump() for c in page.items]), "queue.csv", key="save"
        )
    bulk.section(parameters, page.total)


def choose(view: str) -> None:
    """Set the filters to those of a ready-made view."""
    for name, options in OPTIONS.items():
        st.session_state[name] = VIEWS[view].get(name, next(iter(options)))
    st.session_state["q"] = ""


def filters() -> Parameters:
    """The filters, kept in the page's address so that a view can be bookmarked, or sent to a colleague."""
    views = st.container(horizontal=True)
    for view, label in VIEW_LABELS.items():
        views.button(VIEW_LABELS[view], key=f"view_{label}", shortcut=VIEW_KEYS[view], on_click=choose, args=(view,))
    row = st.columns([1.7, 1.1, 1, 1, 1.1, 1.1, 1.2, 1.25, 0.7], vertical_alignment="bottom")
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
    """The way to the next page, on the left, for a table's own buttons float over the right; and what is shown."""
    first = len(cursors) * size + 1
    row = st.container(horizontal=True, vertical_alignment="center")
    row.button(
        "Previous",
        icon=paging.PREVIOUS,
        disabled=not cursors,
        on_click=cursors.__delitem__,
        args=(-1,),
        shortcut="Left",
    )
    row.button(
        "Next",
        icon=paging.NEXT,
        disabled=page.next_cursor is None,
        shortcut="Right",
        on_click=cursors.append,
        args=(page.next_cursor,),
    )
    row.caption(
        f"{first:,d} to {first + len(page.items) - 1:,d} of {page.total:,d} cases that match; of their {page.flags:,d} flags "
        + words.expected(page.expected_false)
        + " are expected to be false.",
        width="stretch",
    )


def as_row(case: CaseRow) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {
        **case.model_dump(include={"account_id", "harvest", "top_reason", "requests", "claimed_by", "spend"}),
        "due": words.until(case.due_at),
        "campaign_id": safe.line(case.campaign_id or "", CAMPAIGN_CHARS),
        "alike": words.alike(case.alike_confirmed, case.alike_dismissed),
        **verdict.cells(case),
    }
