"""Splitting and merging in the dashboard: a preview before, two people where an action holds for all, and one click back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.schemas.base import Role
from dashboard.ask import groupings
from dashboard.client import Forbidden
from dashboard.paging import token
from tests.dashboard.conftest import Service
from tests.dashboard.data import CAMPAIGN, GOOD_CUSTOMER, HARVESTER, OTHER_CAMPAIGN
from tests.dashboard.pages import all_text, button, page, ticked, turn_to

KEY = f"merge_{token(OTHER_CAMPAIGN)}"


def test_two_campaigns_are_merged_and_apart_again(service: Service) -> None:
    """Chosen by its id the other campaign is shown with what would come of it; merged with a reason, listed, taken back."""
    app = page(service, "analyst", "campaign", id=OTHER_CAMPAIGN)
    app.selectbox(key=KEY).select_index(0).run()
    assert not app.exception
    said = all_text(app)
    assert "8 accounts" in said
    assert "keeps its id, decisions and actions" in said
    button(app, "Merge").click().run()
    assert "Write a reason first" in all_text(app)
    app.text_input(key=f"why_{KEY}").set_value("one queue of work")
    button(app, "Merge").click().run()
    assert "Recorded." in all_text(app)
    assert "one queue of work" in all_text(app)
    made = groupings.of(service.client("analyst"), CAMPAIGN)[0]
    assert (made.what, made.state, made.sides) == ("merge", "live", [8])
    button(app, "Take back").click().run()
    assert "Taken back" in all_text(app)
    assert groupings.of(service.client("analyst"), CAMPAIGN)[0].state == "ended"


def test_where_an_action_holds_for_all_it_waits(service: Service) -> None:
    """The form tells which action holds, and what was asked for stands under Approvals until a lead agrees."""
    until = datetime.now(UTC) + timedelta(days=3)
    action = {"action": "throttle", "expires_at": until}
    client = service.client("analyst")
    decision = client.decide_campaign(OTHER_CAMPAIGN, "confirm", "one payment method", {"actions": [action]})
    app = page(service, "analyst", "campaign", id=OTHER_CAMPAIGN)
    app.selectbox(key=KEY).select_index(0).run()
    assert f"throttle on {OTHER_CAMPAIGN}" in all_text(app)
    app.text_input(key=f"why_{KEY}").set_value("the same payment method")
    button(app, "Merge").click().run()
    assert "waits for a second person" in all_text(app)
    lead = turn_to(page(service, "lead", "approvals"), "approvals")
    assert "Campaign: merge" in all_text(lead)
    assert "Until somebody takes it back" in all_text(lead)
    groupings.undo(client, groupings.of(client, OTHER_CAMPAIGN)[0].grouping_id)
    client.undo(decision.decision_id)


def test_what_cannot_be_split_is_told_and_the_page_goes_on(service: Service) -> None:
    """With all members ticked the service's no is told in the form, and the decision below it is still offered."""
    with ticked("members_", [0, 1, 2, 3, 4]):
        app = page(service, "analyst", "campaign", id=OTHER_CAMPAIGN)
    assert "The service did not accept this" in all_text(app)
    assert "Record decision" in {b.label for b in app.button}
    assert "Split off" not in {b.label for b in app.button}


@pytest.mark.parametrize("role", ["analyst", "lead", "admin", "auditor"])
def test_each_role_is_offered_what_it_may_do(service: Service, role: Role) -> None:
    """Who decides nothing is offered neither form, and is refused past the page; everybody sees what would come of a split."""
    app = page(service, role, "campaign", id=CAMPAIGN)
    assert not app.exception
    offered = "Merge with another campaign" in {e.label for e in app.expander}
    assert offered == (role != "auditor")
    told = groupings.preview(service.client(role), CAMPAIGN, accounts=[HARVESTER])
    assert [(p.accounts, p.too_small) for p in told.parts] == [(2, True), (1, True)]
    if role == "auditor":
        with pytest.raises(Forbidden):
            groupings.keep(service.client(role), CAMPAIGN, "past the page", accounts=[GOOD_CUSTOMER])


def test_fail_overs_are_told(service: Service) -> None:
    """Members that took over right after another fell silent are in a table, by their numbers."""
    app = page(service, "analyst", "campaign", id=OTHER_CAMPAIGN)
    assert any(e.label.startswith("4 fail-overs, 0 of them") for e in app.expander)
