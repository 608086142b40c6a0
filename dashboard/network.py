"""A campaign as a picture: members and what ties each pair, and their course day by day. Members are numbers in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from api.schemas.case import CampaignGraph, Handover, Node
from dashboard import charts, layout, safe, words

SHAPES = {"flag": "triangle", "watch": "diamond", "clear": "circle"}
COLOURS = {"flag": charts.FOR, "watch": "#E69F00", "clear": charts.AGAINST}
SMALLEST, LARGEST = 12, 42  # pixels of a node
MARGINS = {
    "left": 30,
    "top": 30,
    "right": 48,
    "bottom": 30,
}  # pixels around the nodes' middles: for the largest, and its number
UNITS = 1000  # of each axis: ECharts draws lines between whole ones
MOST_LABELS = 60  # nodes up to which each has its number beside it
PAIRS = 200  # in the table of ties

PAIR_COLUMNS = {
    "source": safe.number_column("No.", width=60),
    "target": safe.number_column("and", width=60),
    "weight": safe.number_column(
        "Weight (bits)", width=110, format="%.1f", help="The rarer what they share, the heavier"
    ),
    "text": safe.text_column("What they share"),
}

HANDOVER_COLUMNS = {
    "at": safe.text_column("Stopped (UTC)", width=130),
    "stopped": safe.number_column("No.", width=55),
    "why": safe.text_column("Why", width=140),
    "taken_up_by": safe.number_column("Taken up by no.", width=120),
    "after": safe.text_column("After"),
}


def section(graph: CampaignGraph, numbers: Mapping[str, int]) -> None:
    """The graph with its twin as a table; ``numbers`` are those of the table of members."""
    st.subheader(
        "Who is tied to whom",
        help="Numbers are those of the table of members. The thicker a line, the rarer what two share.",
    )
    if graph.left_out:
        st.caption(f"The {len(graph.nodes):,d} riskiest members; {graph.left_out:,d} are not shown.")
    if not graph.edges:
        st.caption("No two members share anything rare by themselves: what ties them shows in the group as a whole.")
        return
    st.caption("Triangle: flag, diamond: watch, circle: clear. Size: requests.")
    safe.graph(option(graph, numbers), "Graph of members and what ties each pair", "campaign_graph")
    with st.expander(f"The same as a table: {len(graph.edges):,d} pairs"):
        rows: list[dict[str, safe.Cell]] = [
            {"source": numbers[e.source], "target": numbers[e.target], "weight": e.weight, "text": e.text}
            for e in graph.edges[:PAIRS]
            if e.source in numbers and e.target in numbers
        ]
        safe.table(rows, PAIR_COLUMNS, key="pairs", max_pixels=320)


def option(graph: CampaignGraph, numbers: Mapping[str, int]) -> dict[str, Any]:
    """The graph for ECharts: numbers and our own words only."""
    known = [n for n in graph.nodes if n.account_id in numbers]
    place = {n.account_id: i for i, n in enumerate(known)}
    edges = [e for e in graph.edges if e.source in place and e.target in place]
    most = max((n.requests for n in known), default=1) or 1
    heaviest = max((e.weight for e in edges), default=1.0) or 1.0
    at = UNITS * layout.spread(len(known), [(place[e.source], place[e.target], e.weight / heaviest) for e in edges])
    nodes = [_node(n, numbers, most) | {"x": float(x), "y": float(y)} for n, (x, y) in zip(known, at, strict=True)]
    links = [
        {
            "source": str(numbers[e.source]),
            "target": str(numbers[e.target]),
            "value": round(e.weight, 1),
            "lineStyle": {"width": 0.5 + 4 * e.weight / heaviest},
        }
        for e in edges
    ]
    return {
        "animation": False,
        "tooltip": {"show": True},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                **MARGINS,
                "roam": True,
                "label": {"show": len(nodes) <= MOST_LABELS, "position": "right", "fontSize": 12},
                "lineStyle": {"color": charts.GREY, "opacity": 0.45},
                "emphasis": {"focus": "adjacency"},
                "data": nodes,
                "links": links,
            }
        ],
    }


def _node(node: Node, numbers: Mapping[str, int], most: int) -> dict[str, Any]:
    size = SMALLEST + (LARGEST - SMALLEST) * (node.requests / most) ** 0.5
    return {
        "name": str(numbers[node.account_id]),
        "value": node.requests,
        "symbol": SHAPES[node.verdict],
        "symbolSize": round(size, 1),
        "itemStyle": {"color": COLOURS[node.verdict]},
    }


def course(graph: CampaignGraph, numbers: Mapping[str, int]) -> None:
    """Births, fail-overs and volume: who worked on which day, who began, and who took over from whom."""
    st.subheader(
        "Births, fail-overs and volume",
        help="One line a member, by its number: when it begins, pauses, and takes over.",
    )
    cells = [
        (numbers[n.account_id], day, count) for n in graph.nodes if n.account_id in numbers for day, count, _ in n.days
    ]
    if not cells:
        st.caption("No course is recorded in the window.")
        return
    births = [(numbers[n.account_id], n.joined_at.date().isoformat()) for n in graph.nodes if n.account_id in numbers]
    known = [h for h in graph.handovers if h.stopped in numbers and h.taken_up_by in numbers]
    joined = {n.account_id: n.joined_at for n in graph.nodes}
    taken = [
        (numbers[h.taken_up_by], joined[h.taken_up_by].date().isoformat(), numbers[h.stopped])
        for h in known
        if h.taken_up_by in joined
    ]
    days = {day for _, day, _ in cells} | {day for _, day in births}
    active = len({number for number, _, _ in cells})
    st.caption(
        words.quantity(active, "member")
        + " with a recorded course; a stronger colour is more requests a day (UTC). Circle: joins the shared work. Triangle: takes it up "
        "right after another member stopped."
    )
    safe.chart(charts.volume(cells, days), "Bar chart of all members' requests by day")
    safe.chart(charts.courses(cells, days, births, taken), "Heat map of requests by member and day, with the births")
    _handovers(known, numbers)


def _handovers(found: Sequence[Handover], numbers: Mapping[str, int]) -> None:
    """Fail-overs as a table."""
    if not found:
        st.caption("No member took up the work right after another one stopped.")
        return
    people = sum(h.by_people for h in found)
    with st.expander(
        words.quantity(len(found), "fail-over") + f", {people:,d} of them after an action held the other up"
    ):
        rows: list[dict[str, safe.Cell]] = [
            {
                "at": h.at,
                "stopped": numbers[h.stopped],
                "why": "an action held it up" if h.by_people else "fell silent",
                "taken_up_by": numbers[h.taken_up_by],
                "after": words.duration(h.after_seconds),
            }
            for h in found[:PAIRS]
        ]
        safe.table(rows, HANDOVER_COLUMNS, key="handovers", max_pixels=320)
