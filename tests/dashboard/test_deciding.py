"""Deciding in the dashboard: verdicts, actions and undo, exceptions, reading prompts, and the second person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from api.schemas.base import Role
from tests.dashboard.conftest import Service
from tests.dashboard.data import HARVESTER
from tests.dashboard.pages import all_text, button, page, turn_to


def bystander(n: int) -> str:
    """An account that no other test decides on."""
    return f"acct_bystander_{n:03d}"


def keyed(app: AppTest, part: str) -> str:
    """The key of the first widget whose key begins so."""
    widgets = [*app.selectbox, *app.text_area, *app.text_input, *app.number_input]
    return next(w.key for w in widgets if w.key and w.key.startswith(part))


def press(app: AppTest, key: str) -> AppTest:
    """Press the button of a key."""
    return next(b for b in app.button if b.key and b.key.startswith(key)).click().run()


def test_a_block_goes_through_two_people_and_is_undone(service: Service) -> None:
    """An analyst blocks, cannot approve it, a lead does; undo in one click ends it and the evidence of then can be opened."""
    account = bystander(40)
    app = page(service, "analyst", "account", id=account)
    app.radio[0].set_value(2)
    app.text_area(key=keyed(app, "reason_")).set_value("one frame over an exam")
    app.selectbox(key=keyed(app, "action_")).set_value("block")
    app.selectbox(key=keyed(app, "confidence_")).set_value("high")
    button(app, "Record decision").click().run()
    assert "waits for a second person" in all_text(app)
    made = service.client("analyst").account(account).decisions[0]
    assert (made.verdict_id, made.confidence, made.actions[0].state) == (2, "high", "pending")
    number = made.actions[0].action_id
    own = turn_to(app, "approvals")
    assert next(b for b in own.button if b.key == f"approve_action_{number}").disabled
    lead = page(service, "lead", "approvals")
    assert account in all_text(lead)
    press(lead, f"approve_action_{number}")
    assert "Write why" in all_text(lead)
    lead.text_input(key=f"why_action_{number}").set_value("I looked at it too").run()
    press(lead, f"approve_action_{number}")
    assert service.client("lead").account(account).decisions[0].actions[0].state == "live"
    app = page(service, "analyst", "account", id=account)
    press(app, f"then_{made.decision_id}")
    assert not app.exception
    app = page(service, "analyst", "account", id=account)
    press(app, f"undo_history_{made.decision_id}")
    after = service.client("analyst").account(account)
    assert (after.state, after.decisions[0].actions[0].state) == ("open", "ended")
    assert "undone" in all_text(app)


@pytest.mark.parametrize(("role", "state"), [("analyst", "pending"), ("lead", "live")])
def test_exceptions(service: Service, role: Role, state: str) -> None:
    """A reason's signal can be excepted; the exception is listed with its state, and asking for it again is not offered."""
    account = bystander({"analyst": 42, "lead": 44}[role])
    app = press(page(service, role, "account", id=account), "except_reasoning_elicitation")
    assert "Ask for the exception" in {b.label for b in app.button}
    until = datetime.now(UTC) + timedelta(days=30)
    made = service.client(role).make_exception(account, "reasoning_elicitation", "a tutoring product", until)
    assert made.state == state
    app = page(service, role, "account", id=account)
    assert "a tutoring product" in all_text(app)
    assert not any(b.key and b.key.startswith("except_reasoning") for b in app.button)
    press(app, "end_exception_")
    assert app.text_input(key=f"end_reason_{made.exception_id}").label == "Why it ends"
    service.client(role).end("exception", made.exception_id, "no longer so")
    assert "was ended" in all_text(page(service, role, "account", id=account))


def test_prompts_are_read_with_leave(service: Service) -> None:
    """Examples are masked; with a colleague's agreement the asker, and nobody else, reads them."""
    app = page(service, "analyst", "account", id=HARVESTER)
    shown = [c.value for c in app.code]
    assert any("•" in text for text in shown)
    assert not any("theorem" in text for text in shown)
    press(app, "behind_reasoning_elicitation_for")
    assert "380 of the 400 requests looked at" in all_text(app)
    assert "event_3" in all_text(app)
    assert not any("theorem" in c.value for c in app.code)
    app.text_input(key=keyed(app, "unmask_reason_")).set_value("which exam is it?")
    button(app, "Ask to read").click().run()
    assert "waits for a second person" in all_text(page(service, "analyst", "account", id=HARVESTER))
    (item,) = [i for i in service.client("lead").approvals().items if i.kind == "unmasking"]
    lead = page(service, "lead", "approvals")
    lead.text_input(key=f"why_unmasking_{item.number}").set_value("needed").run()
    press(lead, f"approve_unmasking_{item.number}")
    app = page(service, "analyst", "account", id=HARVESTER)
    assert any("theorem" in c.value for c in app.code)
    assert "In full until" in all_text(app)
    press(app, "behind_reasoning_elicitation_for")
    assert {"event_2", "event_3"} == set(service.client("auditor").audit(1, 0).items[0].detail["event_ids"])
    assert not any("theorem" in c.value for c in page(service, "lead", "account", id=HARVESTER).code)
    assert "prompts.read" in {e.action for e in service.client("auditor").audit(10, 0).items}


def test_auditors_approve_nothing(service: Service) -> None:
    """What waits is shown to them, without the means to approve it; the switch is elsewhere."""
    app = page(service, "auditor", "approvals")
    assert not app.exception
    assert not [b for b in app.button if b.key and b.key.startswith("approve_")]
    assert "Switch" not in {b.label for b in app.button}
