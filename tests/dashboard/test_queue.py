"""The queue's views, claims, and decisions on many; the case beside others; a campaign's members."""

from __future__ import annotations

import pytest

from api.schemas.base import Role
from api.services import bulk
from api.settings import Settings
from tests.dashboard.conftest import Service
from tests.dashboard.data import CAMPAIGN, HARVESTER
from tests.dashboard.pages import all_text, button, page
from tests.dashboard.test_deciding import press


def test_ready_made_views(service: Service) -> None:
    """A button sets the filters and the address; what is claimed by me is found by it."""
    account = "acct_bystander_050"
    service.client("analyst").claim(account)
    app = page(service, "analyst", "")
    button(app, "Mine").click().run()
    assert "1 to 1 of 1 " in all_text(app)
    assert app.query_params["claim"] == "mine"
    assert app.dataframe[0].value["account_id"].to_list() == [account]
    button(app, "All").click().run()
    assert "claim" not in app.query_params
    service.client("analyst").release(account)


def test_claims(service: Service) -> None:
    """Who claims a case keeps others from deciding; they are told who works on it."""
    account = "acct_bystander_052"
    app = page(service, "analyst", "account", id=account)
    button(app, "Claim").click().run()
    other = page(service, "admin", "account", id=account)
    assert "by Test analyst" in all_text(other)
    other.radio[0].set_value(2)
    other.text_area[0].set_value("I think so too")
    button(other, "Record decision").click().run()
    assert "works on it until" in all_text(other)
    app = page(service, "analyst", "account", id=account)
    button(app, "Let go").click().run()
    assert service.client("analyst").account(account).claimed_by is None


def test_a_decision_on_many(service: Service) -> None:
    """Preview tells the number and does nothing; asked for and approved, every case that matches is decided on."""
    app = page(service, "analyst", "", "bulk", q="bystander_06")
    app.text_input(key="bulk_reason").set_value("our own rehearsal").run()
    press(app, "bulk_preview_button")
    assert "10 accounts: 10 open" in all_text(app)
    press(app, "bulk_ask")
    (made, *_) = service.client("lead").bulks()
    assert (made.state, made.total) == ("pending", 10)
    lead = page(service, "lead", "approvals")
    lead.text_input(key=f"why_bulk_{made.bulk_id}").set_value("agreed").run()
    press(lead, f"approve_bulk_{made.bulk_id}")
    while bulk.step(service.database, Settings()):
        pass
    assert service.client("lead").account("acct_bystander_063").verdict_id == 5
    assert "Finished" in page(service, "auditor", "", "bulk").dataframe[-1].value["state"].to_list()


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_twins_and_what_is_taken(service: Service, role: Role) -> None:
    """The case says what was taken and its worth, and stands beside reviewed accounts once there are some."""
    service.client("lead").decide_account("acct_bystander_070", "confirm", "seen")
    service.client("lead").decide_account("acct_bystander_072", "dismiss", "seen")
    app = page(service, role, "account", id=HARVESTER)
    said = all_text(app)
    assert "Estimated worth so far" in said
    assert "2.50" in said  # 8,240 input tokens at 3 and 164,800 output tokens at 15 a million
    table = next(d.value for d in app.dataframe if "bad_1" in d.value.columns)
    assert table["mine"].to_list()[2] == "93%"
    assert "alike" in said
    assert "Active on 2 days" in said


def test_members_are_numbered_and_charted(service: Service) -> None:
    """The campaign's picture has its twin as a table, and each member's course."""
    app = page(service, "auditor", "campaign", id=CAMPAIGN)
    assert not app.exception
    said = all_text(app)
    assert "Who is tied to whom" in said
    assert "3 members with a recorded course" in said
    pairs = next(d.value for d in app.dataframe if "source" in d.value.columns)
    assert pairs["weight"].to_list() == [12.5]
    assert not [b for b in app.button if b.label in ("Take out", "Verdict for each")]
