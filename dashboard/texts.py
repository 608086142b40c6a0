"""What was asked: templates with their slots, and example requests."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from api.schemas.approvals import UnmaskingOut
from api.schemas.base import Subject
from api.schemas.evidence import ExamplePrompt, TemplateOut
from dashboard import safe, unmasking, words
from dashboard.paging import pager, token

EXAMPLES_PER_PAGE = 3
LONG_TEXT_PIXELS = 190
MAX_CHIP_CHARS = 90
MAX_CHIPS = 8
MAX_TEMPLATES = 8
NO_TEXT = "No text of these requests is kept; the template is known by its hash."


def templates(found: Sequence[TemplateOut]) -> None:
    """Constant frames with their slots marked, and what fills them."""
    st.subheader("Templates", help="A constant frame of words whose slots {…} are filled anew in each request.")
    if not found:
        st.caption("No template: the requests have no constant frame with changing slots, or no text is kept.")
        return
    for template in found[:MAX_TEMPLATES]:
        facts = [
            words.quantity(template.requests, "request"),
            words.percent(template.share) + " of its requests",
            words.quantity(template.distinct_slots, "different filling"),
            "used by " + words.quantity(template.accounts, "account") + " in all",
        ]
        chips = [
            safe.markup('<span class="dw-chip">{slot}</span>', slot=safe.line(s, MAX_CHIP_CHARS))
            for s in template.slot_examples[:MAX_CHIPS]
        ]
        body = (
            safe.template(template.text)
            if template.text
            else safe.markup('<div class="dw-template">{text}</div>', text=NO_TEXT)
        )
        safe.show(
            safe.markup(
                '<div class="dw-meta">{facts}</div>{body}<div class="dw-chips">{label}{chips}</div>',
                facts=" · ".join(facts),
                body=body,
                label=safe.markup('<span class="dw-small">Fillings, e.g.</span>') if chips else Markup(""),
                chips=safe.join(chips),
            )
        )
    if len(found) > MAX_TEMPLATES:
        st.caption(f"{len(found) - MAX_TEMPLATES:,d} more templates with fewer requests are not shown.")


@st.fragment
def examples(
    masked: Sequence[ExamplePrompt],
    leave: UnmaskingOut | None,
    subject: Subject,
    record: str,
    show_account: bool = False,
) -> None:
    """Example requests as they came in, a few at a time; under the mask, or in full with leave."""
    st.subheader("Example requests")
    prompts = unmasking.examples(masked, leave, subject, record)
    if not prompts:
        st.caption("No text is kept of these requests.")
        return
    shown(prompts, token(record), show_account)


def shown(prompts: Sequence[ExamplePrompt], key: str, show_account: bool = False) -> None:
    """Requests, a few at a time."""
    pages = -(-len(prompts) // EXAMPLES_PER_PAGE)
    at = pager(f"examples_{key}", pages)
    for example in prompts[at * EXAMPLES_PER_PAGE : (at + 1) * EXAMPLES_PER_PAGE]:
        facts = [words.when(example.timestamp) + " UTC", example.model or "model not logged"]
        facts += [f"account {example.account_id}"] if show_account else []
        facts += [f"topic {example.cluster}"] if example.cluster is not None else []
        with st.container(border=True):
            safe.show(
                safe.markup(
                    '<div class="dw-meta">{facts} · request {event}</div>',
                    facts=safe.line(" · ".join(facts)),
                    event=safe.line(example.event_id),
                )
            )
            left, right = st.columns(2, gap="medium")
            with left:
                if example.system:
                    st.caption("System prompt")
                    safe.block(example.system, LONG_TEXT_PIXELS)
                st.caption("Prompt")
                safe.block(example.prompt, LONG_TEXT_PIXELS)
            with right:
                st.caption("Answer")
                if example.response:
                    safe.block(example.response, LONG_TEXT_PIXELS)
                else:
                    st.caption("The answer was not logged.")
