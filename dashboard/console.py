"""The pages and the way between them: what runs for each visit."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import routes, safe, session
from dashboard.views import (
    account,
    approvals,
    audit_trail,
    audits,
    campaign,
    campaigns,
    cases,
    performance,
    search,
    settings,
    sign_in,
)

# A file of our own: Streamlit fetches symbols and emoji for the tab from another host, which the policy forbids.
ICON = Path(__file__).with_name("assets") / "icon.svg"

st.set_page_config(page_title="distillwatch", page_icon=ICON, layout="wide")
safe.style()

pages: dict[routes.Name, st.Page] = {
    "cases": st.Page(cases.render, title="Queue", icon=":material/inbox:", default=True),
    "campaigns": st.Page(campaigns.render, title="Campaigns", icon=":material/hub:", url_path="campaigns"),
    "approvals": st.Page(approvals.render, title="Approvals", icon=":material/how_to_reg:", url_path="approvals"),
    "search": st.Page(search.render, title="Search", icon=":material/search:", url_path="search"),
    "audits": st.Page(audits.render, title="Audits", icon=":material/fact_check:", url_path="audits"),
    "performance": st.Page(performance.render, title="Performance", icon=":material/verified:", url_path="performance"),
    "audit": st.Page(
        audit_trail.render,
        title="Audit trail",
        icon=":material/history:",
        url_path="audit",
        visibility="visible" if session.may_read_trail() else "hidden",
    ),
    "settings": st.Page(settings.render, title="Settings", icon=":material/settings:", url_path="settings"),
    "account": st.Page(account.render, title="Account", url_path="account", visibility="hidden"),
    "campaign": st.Page(campaign.render, title="Campaign", url_path="campaign", visibility="hidden"),
}
routes.remember(pages)

# All pages are known before sign-in too, so that a link to a case still leads there afterwards.
page = st.navigation(list(pages.values()), position="top" if session.signed_in() else "hidden")
if session.signed_in():
    page.run()
else:
    sign_in.render()
