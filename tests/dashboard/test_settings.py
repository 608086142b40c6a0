"""The sections of the settings: what each role sees and may change there, on the real service."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.schemas.base import Role
from api.storage import webhooks
from dashboard.ask import settings
from dashboard.client import Forbidden, Refused
from tests.dashboard.conftest import Service
from tests.dashboard.pages import all_text, button, page

SECTIONS = {
    "people": "People",
    "retention": "Retention",
    "texts": "Texts kept",
    "alerts": "Alert routes",
    "enforcement": "Enforcement",
}
READING: list[Role] = ["analyst", "lead", "admin", "auditor"]
CHANGES = {
    "people": "Add person",
    "retention": "Set retention",
    "texts": "Set",
    "alerts": "Add route",
    "enforcement": "Switch",
}
MAY: dict[Role, set[str]] = {"analyst": set(), "auditor": set(), "lead": {"enforcement"}, "admin": set(SECTIONS)}


def labels(app: object) -> set[str]:
    """The buttons of a page."""
    return {b.label for b in app.button}  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", READING)
def test_each_role_is_offered_what_it_may_change(service: Service, role: Role) -> None:
    """Every section opens for every role, with the forms of that role alone."""
    for section, title in SECTIONS.items():
        app = page(service, role, "settings", section=section)
        assert not app.exception
        assert not app.error
        assert title in [s.value for s in app.subheader]
        assert (CHANGES[section] in labels(app)) == (section in MAY[role]), section


@pytest.mark.parametrize("role", ["analyst", "lead", "auditor"])
def test_the_service_refuses_others(service: Service, role: Role) -> None:
    """The rules are the service's: changes sent past the page are refused too."""
    client = service.client(role)
    for change in (
        lambda: settings.put_person(client, "x@example.com", "admin"),
        lambda: settings.remove_person(client, "x@example.com"),
        lambda: settings.keep_for(client, 1, "past the page"),
        lambda: settings.set_content(client, "a", "none", "past the page"),
        lambda: settings.unset_content(client, "a"),
        lambda: settings.make_webhook(client, "x", "https://example.com", "native", ["account.flagged"]),
    ):
        with pytest.raises(Forbidden):
            change()


def test_people_are_added_and_removed(service: Service) -> None:
    """An administrator lets a person in and out again; the trail has both."""
    app = page(service, "admin", "settings", section="people")
    app.text_input[0].set_value("Ann@Example.com")
    app.selectbox[0].set_value("lead")
    button(app, "Add person").click().run()
    assert list(app.dataframe[0].value["person"]) == ["ann@example.com"]
    settings.remove_person(service.client("admin"), "ann@example.com")
    actions = [e.action for e in service.client("auditor").audit(2, 0).items]
    assert actions == ["person.remove", "person.set"]


def test_retention_is_set_with_a_reason(service: Service) -> None:
    """Days and reason are kept; without a reason the service refuses, in its words."""
    app = page(service, "admin", "settings", section="retention")
    app.number_input[0].set_value(90)
    button(app, "Set retention").click().run()
    assert "did not accept" in all_text(app)
    app = page(service, "admin", "settings", section="retention")
    app.number_input[0].set_value(90)
    app.text_input[0].set_value("the privacy policy")
    button(app, "Set retention").click().run()
    assert {m.label: m.value for m in app.metric}["Kept for"] == "90 days"
    assert "the privacy policy" in all_text(app)
    settings.keep_for(service.client("admin"), None, "end of the test")


def test_the_texts_of_an_account_are_set(service: Service) -> None:
    """The account appears with its mode; a missing name is asked for."""
    app = page(service, "admin", "settings", section="texts")
    button(app, "Set").click().run()
    assert "Name the account" in all_text(app)
    app.text_input[0].set_value("acct_private")
    app.selectbox[0].set_value("none")
    app.text_input[1].set_value("zero data retention")
    button(app, "Set").click().run()
    assert list(app.dataframe[0].value["account_id"]) == ["acct_private"]
    settings.unset_content(service.client("admin"), "acct_private")
    app = page(service, "admin", "settings", section="texts")
    assert not app.dataframe


def test_an_alert_route_shows_what_was_delivered(service: Service) -> None:
    """A route is listed and opened; its deliveries, tried or not, are told; a test can be queued by administrators."""
    admin = service.client("admin")
    with pytest.raises(Refused):
        settings.make_webhook(admin, "inside", "http://127.0.0.1/", "native", ["account.flagged"])
    made = settings.make_webhook(admin, "siem", "https://1.1.1.1/in", "ocsf", ["account.flagged"])
    settings.change_webhook(admin, made.webhook_id, "test")
    with service.database.write() as connection:
        row = webhooks.deliveries(service.database, made.webhook_id, 1, 0)[0][0]
        assert row.created_at <= datetime.now(UTC)
        del connection
    for role, may in (("admin", True), ("auditor", False)):
        app = page(service, role, "settings", section="alerts")  # type: ignore[arg-type]
        assert list(app.dataframe[0].value["name"]) == ["siem"]
        app.session_state["chosen_webhook"] = made.webhook_id
        app.run()
        assert ("Send a test" in labels(app)) == may
        assert list(app.dataframe[1].value["state"]) == ["pending"]
    settings.remove_webhook(admin, made.webhook_id)


def test_the_switch_is_used_with_a_reason(service: Service) -> None:
    """A lead stops enforcement and turns it on again; without a reason the service refuses; what holds is shown, also in the queue."""
    app = page(service, "lead", "settings", section="enforcement")
    button(app, "Switch").click().run()
    assert "did not accept" in all_text(app)
    for mode, said in (
        ("none", "Off: gateways are told to observe at most"),
        ("all", "On: gateways are told all actions"),
    ):
        app = page(service, "lead", "settings", section="enforcement")
        app.radio[0].set_value(mode)
        app.text_input[0].set_value("a drill")
        button(app, "Switch").click().run()
        assert service.client("lead").enforcement().mode == mode
        assert f"Now</span><br>{said}" in all_text(app)
        assert "a drill" in all_text(app)
        warned = "Enforcement is not fully on" in all_text(page(service, "analyst", "approvals"))
        assert warned == (mode == "none")
