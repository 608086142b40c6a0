"""Charts: activity over the week, and the map of what is asked. Numbers only, no suspect's text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from api.schemas.case import Release
from api.schemas.jobs import BacktestPoint
from api.schemas.overview import ClusterPoint
from api.schemas.quality import DriftDay
from dashboard import words

Layers = alt.LayerChart | alt.FacetChart

FOR = "#D55E00"  # vermilion and blue after Okabe and Ito, told apart by all common forms of colour blindness
AGAINST = "#0072B2"
GREY = "#8A94A0"

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS_OF_WEEK = 168
HEAT_MAP_PIXELS = 320
CLUSTER_MAP_PIXELS = 320
TIMELINE_PIXELS = 200
FEW_DAYS, BAR_PIXELS = 31, 22  # up to so many days their bars have this width; more share the axis evenly
VOLUME_PIXELS = 80
AXIS_PIXELS = 46  # beside charts one above the other, so that their days are one above the other too
MOST_DAY_LABELS = 8
DAY_LABEL = "utcFormat(toDate(datum.value), '%d %b')"  # the day as it is in UTC, wherever the browser is


def _every_day(days: Iterable[str]) -> list[str]:
    """Every day from the first to the last of these (ISO dates), so that a pause is seen as one."""
    known = sorted(set(days))
    return [d.strftime("%Y-%m-%d") for d in pd.date_range(known[0], known[-1])] if known else []


def _by_day(every: Sequence[str], labels: bool = True) -> alt.X:
    """An axis of these days."""
    axis = alt.Axis(
        labels=labels,
        ticks=labels,
        values=every[:: -(-len(every) // MOST_DAY_LABELS) or 1],
        labelExpr=DAY_LABEL,
        labelAngle=0,
        labelFlush=False,
    )
    return alt.X("day:O", title="Day (UTC)" if labels else None, axis=axis, scale=alt.Scale(domain=every))


def heat_map(activity: Sequence[int]) -> Layers:
    """Requests by weekday and hour (UTC); darker is more, empty hours stay outlined."""
    frame = pd.DataFrame(
        [{"day": DAYS[i // 24], "hour": i % 24, "requests": n} for i, n in enumerate(activity[:HOURS_OF_WEEK])],
        columns=["day", "hour", "requests"],
    )
    hour = alt.X(
        "hour:O",
        title="Hour of day (UTC)",
        axis=alt.Axis(labelAngle=0, values=list(range(0, 24, 3)), ticks=False, domain=False),
    )
    day = alt.Y("day:O", title=None, sort=list(DAYS), axis=alt.Axis(ticks=False, domain=False, labelFlush=False))
    tooltip = [
        alt.Tooltip("day:O", title="Day"),
        alt.Tooltip("hour:O", title="Hour (UTC)"),
        alt.Tooltip("requests:Q", title="Requests", format=","),
    ]
    base = alt.Chart(frame).encode(x=hour, y=day, tooltip=tooltip)
    # Opacity, not lightness, so that "little" fades into the page in the light theme and in the dark one.
    empty = base.mark_rect(color=GREY, opacity=0.1, cornerRadius=2, xOffset=1, x2Offset=-1, yOffset=1, y2Offset=-1)
    filled = base.mark_rect(color=AGAINST, cornerRadius=2).encode(
        opacity=alt.Opacity(
            "requests:Q",
            title="Requests per hour of the week",
            scale=alt.Scale(type="sqrt", range=[0, 1], domainMin=0),
            legend=alt.Legend(orient="bottom", direction="horizontal", tickCount=4, gradientLength=160, format=",d"),
        )
    )
    return alt.layer(empty, filled).properties(height=HEAT_MAP_PIXELS)


def timeline(days: Sequence[tuple[str, int, int]], releases: Sequence[Release]) -> Layers:
    """Requests day by day; releases of models as labelled rules."""
    frame = pd.DataFrame(list(days), columns=["day", "requests", "tokens"])
    every = _every_day(frame["day"])
    day = _by_day(every)
    width: dict[str, Any] = {"width": BAR_PIXELS} if len(every) <= FEW_DAYS else {}
    bars = (
        alt.Chart(frame)
        .mark_bar(color=AGAINST, cornerRadius=2, **width)
        .encode(
            x=day,
            y=alt.Y("requests:Q", title="Requests a day", axis=alt.Axis(format="~s", tickCount=4)),
            tooltip=[
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("requests:Q", title="Requests", format=","),
                alt.Tooltip("tokens:Q", title="Output tokens", format=","),
            ],
        )
    )
    within = [r for r in releases if days and days[0][0] <= r.on.isoformat() <= days[-1][0]]
    marks = pd.DataFrame([{"day": r.on.isoformat(), "model": r.model} for r in within], columns=["day", "model"])
    rules = alt.Chart(marks).mark_rule(color=FOR, strokeDash=[4, 3]).encode(x=day)
    names = (
        alt.Chart(marks)
        .mark_text(color=FOR, align="left", dx=4, dy=-4, baseline="top")
        .encode(x=day, y=alt.value(0), text="model:N")
    )
    return alt.layer(bars, rules, names).properties(height=TIMELINE_PIXELS)


def volume(cells: Sequence[tuple[int, str, int]], days: Iterable[str]) -> Layers:
    """Requests of all members together by day, for above :func:`courses` of the same ``days``."""
    frame = pd.DataFrame(list(cells), columns=["member", "day", "requests"])
    bars = (
        alt.Chart(frame)
        .mark_bar(color=GREY)
        .encode(
            x=_by_day(_every_day(days), labels=False),
            y=alt.Y("sum(requests):Q", title="All", axis=_beside(format="~s", tickCount=3)),
            tooltip=[alt.Tooltip("day:O", title="Day"), alt.Tooltip("sum(requests):Q", title="Requests", format=",")],
        )
    )
    return alt.layer(bars).properties(height=VOLUME_PIXELS)


def _beside(**more: Any) -> alt.Axis:
    return alt.Axis(minExtent=AXIS_PIXELS, maxExtent=AXIS_PIXELS, **more)


def courses(
    cells: Sequence[tuple[int, str, int]],
    days: Iterable[str],
    births: Sequence[tuple[int, str]] = (),
    taken: Sequence[tuple[int, str, int]] = (),
) -> Layers:
    """Requests of each member (a number) on each of ``days``. ``births``: member and day on which it joins the shared work;
    ``taken``: member, day, and the member whose work it takes up then."""
    frame = pd.DataFrame(list(cells), columns=["member", "day", "requests"])
    day = _by_day(_every_day(days))
    members = frame["member"].nunique()
    each = (
        alt.Chart(frame)
        .mark_rect(color=AGAINST)
        .encode(
            x=day,
            y=alt.Y("member:O", title="Member no.", axis=_beside(labelOverlap=True)),
            opacity=alt.Opacity("requests:Q", scale=alt.Scale(type="sqrt", range=[0.12, 1], domainMin=0), legend=None),
            tooltip=[
                alt.Tooltip("member:O", title="Member no."),
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("requests:Q", title="Requests", format=","),
            ],
        )
    )
    y = alt.Y("member:O")
    born = (
        alt.Chart(pd.DataFrame(list(births), columns=["member", "day"]))
        .mark_point(shape="circle", size=40, fill=GREY, stroke="white", opacity=1, strokeWidth=1.5)
        .encode(
            x=day, y=y, tooltip=[alt.Tooltip("member:O", title="Joins: member no."), alt.Tooltip("day:O", title="Day")]
        )
    )
    over = (
        alt.Chart(pd.DataFrame(list(taken), columns=["member", "day", "stopped"]))
        .mark_point(shape="triangle-right", size=110, fill=FOR, stroke="white", opacity=1, strokeWidth=1)
        .encode(
            x=day,
            y=y,
            tooltip=[
                alt.Tooltip("member:O", title="Member no."),
                alt.Tooltip("stopped:O", title="Takes up from no."),
                alt.Tooltip("day:O", title="Day"),
            ],
        )
    )
    height = max(60, min(16 * members, 420)) + 60  # below it the days
    return alt.layer(each, born, over).properties(height=height)


def cluster_map(points: Sequence[ClusterPoint], name: str) -> Layers:
    """Topics in the plane, near means alike: the population in grey, ``name`` (account or campaign) in colour."""
    frame = pd.DataFrame([p.model_dump() for p in points], columns=["cluster", "x", "y", "population", "account"])
    axes = {
        "x": alt.X("x:Q", axis=None, scale=alt.Scale(zero=False)),
        "y": alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False)),
    }
    tooltip = [
        alt.Tooltip("cluster:Q", title="Topic", format="d"),
        alt.Tooltip("account:Q", title=f"Requests by this {name}", format=","),
        alt.Tooltip("population:Q", title="Requests by everyone", format=","),
    ]
    everyone = (
        alt.Chart(frame[frame["population"] > 0])
        .mark_circle(color=GREY, opacity=0.3)
        .encode(
            **axes,
            size=alt.Size(
                "population:Q", title="Requests by everyone", scale=alt.Scale(type="sqrt", range=[6, 260]), legend=None
            ),
            tooltip=tooltip,
        )
    )
    own = (
        alt.Chart(frame[frame["account"] > 0])
        .mark_circle(color=FOR, opacity=0.75, stroke="white", strokeWidth=0.5)
        .encode(
            **axes,
            size=alt.Size(
                "account:Q",
                title=f"Requests by this {name}",
                scale=alt.Scale(type="sqrt", domainMin=1, range=[25, 420]),
                legend=alt.Legend(
                    orient="bottom",
                    direction="horizontal",
                    tickCount=3,
                    format=",d",
                    symbolFillColor=FOR,
                    symbolStrokeWidth=0,
                ),
            ),
            tooltip=tooltip,
        )
    )
    return alt.layer(everyone, own).resolve_scale(size="independent").properties(height=CLUSTER_MAP_PIXELS)


def thresholds(points: Sequence[BacktestPoint]) -> Layers:
    """Flagged accounts at each threshold, by what people found of them."""
    kinds = {"confirmed": "Confirmed bad", "dismissed": "Confirmed good", "unlabelled": "Unlabelled"}
    frame = pd.DataFrame(
        [
            {"share": words.share(p.share), "order": p.share, "found": label, "accounts": getattr(p, kind)}
            for p in points
            for kind, label in kinds.items()
        ],
        columns=["share", "order", "found", "accounts"],
    )
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("accounts:Q", title="Flagged accounts", stack="zero", axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y("share:N", title=None, sort=alt.SortField("order")),
            color=alt.Color(
                "found:N",
                title=None,
                scale=alt.Scale(domain=list(kinds.values()), range=[FOR, AGAINST, GREY]),
                legend=alt.Legend(orient="bottom"),
            ),
            tooltip=[
                alt.Tooltip("share:N", title="Share"),
                alt.Tooltip("found:N", title="Found"),
                alt.Tooltip("accounts:Q", format=","),
            ],
        )
    )
    # written across, above the axis: few bars are lower than the words are long
    title = alt.Title(
        "Honest accounts that may be flagged", anchor="start", frame="bounds", fontSize=12, fontWeight="normal"
    )
    return alt.layer(bars).properties(height=36 * len(points) + 70, title=title)


def together(signals: Sequence[str], shares: Mapping[tuple[str, str], float]) -> Layers:
    """A heat map of pairs of signals: the accounts where both are strong, of those where either is."""
    frame = pd.DataFrame(
        [{"one": one, "other": other, "share": share} for (one, other), share in shares.items()],
        columns=["one", "other", "share"],
    )
    base = alt.Chart(frame).encode(
        x=alt.X(
            "one:N",
            title=None,
            sort=list(signals),
            axis=alt.Axis(labelAngle=-40, labelOverlap=False, labelFlush=False, labelLimit=220, ticks=False),
        ),
        y=alt.Y(
            "other:N",
            title=None,
            sort=list(signals),
            axis=alt.Axis(labelOverlap=False, labelFlush=False, labelLimit=220, ticks=False),
        ),
        tooltip=[
            alt.Tooltip("one:N", title="Signal"),
            alt.Tooltip("other:N", title="and"),
            alt.Tooltip("share:Q", title="Both strong, of either", format=".0%"),
        ],
    )
    empty = base.mark_rect(color=GREY, opacity=0.1, cornerRadius=2)
    filled = base.mark_rect(color=AGAINST, cornerRadius=2).encode(
        opacity=alt.Opacity(
            "share:Q",
            title="Both strong, of either",
            scale=alt.Scale(domain=[0, 1], range=[0, 1]),
            legend=alt.Legend(orient="bottom", direction="horizontal", tickCount=4, gradientLength=160, format=".0%"),
        )
    )
    return alt.layer(empty, filled).properties(height=24 * len(signals) + 160)


def drift(days: Sequence[DriftDay]) -> Layers:
    """Requests a day as bars, and the mean cosine of prompts with their topic as a line on a scale of its own."""
    frame = pd.DataFrame(
        [{"day": d.day.strftime("%Y-%m-%d"), "requests": d.requests, "fit": d.fit} for d in days],
        columns=["day", "requests", "fit"],
    )
    tooltip = [
        alt.Tooltip("day:O", title="Day (UTC)"),
        alt.Tooltip("requests:Q", title="Requests", format=","),
        alt.Tooltip("fit:Q", title="Fit", format=".3f"),
    ]
    base = alt.Chart(frame).encode(x=_by_day(_every_day(frame["day"])), tooltip=tooltip)
    bars = base.mark_bar(color=GREY, opacity=0.5).encode(
        y=alt.Y("requests:Q", title="Requests a day", axis=alt.Axis(format=",d"))
    )
    line = base.mark_line(color=FOR, point=alt.OverlayMarkDef(color=FOR)).encode(
        y=alt.Y("fit:Q", title="Fit of prompts to the topics (cosine)", scale=alt.Scale(domain=[0, 1]))
    )
    return alt.layer(bars, line).resolve_scale(y="independent").properties(height=300)
