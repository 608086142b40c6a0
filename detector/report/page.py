"""``report.html``: one file, no script, nothing loaded from anywhere, so it can be mailed, archived and printed.

Every string that the templates print goes through ``visible_text`` and is then escaped; markup is only what this package
made. A strict content security policy in the page is the second lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from detector.assessment import Assessment, Evidence, Template, parts_named, top_reason
from detector.event import Event
from detector.report import charts, text
from detector.report.document import NOTE
from detector.report.examples import examples_of
from detector.report.summary import RunSummary, totals
from detector.templates import SLOT

MAX_ACCOUNTS = 100  # sections of accounts: a page beyond some megabytes is no longer read; the tables hold the rest
MAX_CAMPAIGNS = 50
MAX_MEMBERS = 100  # rows of one campaign's table
MAX_WATCHED = 50
MAX_EXAMPLES = {"account": 3, "campaign": 5}
MAX_REASONS = 8  # on each side of one finding
MAX_BAR = 5.0  # log-odds at which a contribution's bar is full; beyond it more of the same says nothing new

SHAPES = {"flag": "▲ flag", "watch": "◆ watch", "clear": "● clear"}


def render(run: RunSummary, assessment: Assessment, examples: dict[str, Event]) -> str:
    """The report as one HTML document."""
    flagged = assessment.flagged()
    shown = flagged[:MAX_ACCOUNTS]
    campaigns = sorted(assessment.campaigns, key=lambda c: -c.risk)[:MAX_CAMPAIGNS]
    watched = sorted((a for a in assessment.accounts if a.verdict == "watch"), key=lambda a: -a.risk)
    anchors = {a.account_id: f"account-{i}" for i, a in enumerate(shown, 1)}
    return environment().get_template("report.html").render(
        run=run, totals=totals(run, assessment), assessment=assessment, note=NOTE,
        campaigns=campaigns, flagged=shown, watched=watched[:MAX_WATCHED],
        by_account={a.account_id: a for a in assessment.accounts},
        anchors=anchors, campaign_anchors={c.campaign_id: f"campaign-{i}" for i, c in enumerate(campaigns, 1)},
        examples=lambda finding, kind: examples_of(finding.example_event_ids, examples, MAX_EXAMPLES[kind]),
        pictures=_pictures(run, assessment, anchors), max_members=MAX_MEMBERS,
    )  # fmt: skip


def _pictures(run: RunSummary, assessment: Assessment, anchors: dict[str, str]) -> list[tuple[str, Markup]]:
    pictures = [
        ("How the accounts' risk is distributed (height is logarithmic)", charts.risk_distribution(assessment)),
        ("Accounts by requests and risk", charts.requests_and_risk(assessment, anchors)),
        ("What the flagged accounts' work looks like", charts.harvest_kinds(assessment.flagged())),
        ("Requests over time: flagged accounts (coloured) and all others", charts.over_time(run.timeline)),
    ]  # fmt: skip
    if not run.timeline:
        week = [
            sum(hour)
            for hour in zip(*(a.activity for a in assessment.flagged() if len(a.activity) == 168), strict=True)
        ]
        pictures[3] = ("When the flagged accounts are at work, by hour of the week (UTC)", charts.heat_map(week))
    return [(title, picture) for title, picture in pictures if picture]


@cache
def environment() -> jinja2.Environment:
    """Templates, filters and the style sheet of the pages that this package makes."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("detector.report", "."), autoescape=True, finalize=_finalize,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = environment.loader.get_source(environment, "report.css")[0]  # type: ignore[union-attr]
    environment.filters.update(
        count=text.count, quantity=text.quantity, percent=text.percent, risk=text.risk,
        standing=text.standing, expected=text.expected, share=text.share, ordinary=text.ordinary, factor=text.factor,
        chance=text.chance, when=text.when, duration=text.duration, size=text.size, line=text.line,
        slots=_with_slots, split=_sides, parts_named=parts_named, bar=_bar,
        shape=SHAPES.__getitem__, heat=charts.heat_map, heat_words=charts.heat_words, reason=top_reason,
    )  # fmt: skip
    environment.globals.update(false_flags=text.false_flags, style=Markup(style), max_reasons=MAX_REASONS)
    return environment


def _finalize(value: Any) -> Any:
    if value is None:
        return "–"
    return text.visible_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _with_slots(template: Template) -> Markup:
    """A template's constant words with its slots marked."""
    words = text.visible_text(template.text).split(SLOT)
    return Markup('<mark title="varies">{…}</mark>').join(escape(w) for w in words)


def _sides(evidence: Sequence[Evidence]) -> tuple[list[Evidence], list[Evidence]]:
    """Evidence for and against, the weightiest first."""
    ordered = sorted(evidence, key=lambda e: -abs(e.contribution))
    return [e for e in ordered if e.direction == "for"], [e for e in ordered if e.direction == "against"]


def _bar(contribution: float) -> str:
    """Width of a contribution's bar, in percent."""
    return f"{min(abs(contribution) / MAX_BAR, 1.0) * 100:.0f}" if contribution == contribution else "0"
