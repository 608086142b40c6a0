"""Each page for each role, and what each may do there, on the real service."""

from __future__ import annotations

import socket

import pytest

from api.schemas.base import Role
from dashboard import labels
from dashboard.client import URL_VARIABLE, Client, Forbidden, KeyRefused, Missing, Refused
from tests.dashboard.conftest import Service
from tests.dashboard.data import BYSTANDERS, CAMPAIGN, GOOD_CUSTOMER, HARVESTER, hostile_account
from tests.dashboard.pages import all_text, button, console, page, sign_in, turn_to

READING: list[Role] = ["analyst", "lead", "admin", "auditor"]
DECIDING: list[Role] = ["analyst", "lead", "admin"]
PAGES = {
    "": "Queue",
    "account": "Speaks for harvesting",
    "campaigns": "Campaigns",
    "approvals": "Waiting for a second person",
    "campaign": "What ties them",
    "performance": "Performance",
    "audit": "Audit trail",
    "settings": "Settings",
}
IDS = {"account": HARVESTER, "campaign": CAMPAIGN}


def query(name: str) -> dict[str, str]:
    """The record that a page needs in its address."""
    return {"id": IDS[name]} if name in IDS else {}


def test_sign_in_leads_to_the_queue(service: Service) -> None:
    """A good key opens the queue, with the figures on top."""
    app = sign_in(console().run(), service.keys["analyst"])
    assert not app.exception
    assert [t.value for t in app.title] == ["Queue"]
    assert {m.label: m.value for m in app.metric}["Campaigns"] == "2"


@pytest.mark.parametrize(
    ("key", "said"), [("wrong", "does not accept this key"), ("  ", "Enter a key"), ("schlüssel", "does not accept")]
)
def test_sign_in_says_what_is_wrong(service: Service, key: str, said: str) -> None:
    """A wrong, empty or impossible key is refused in clear words, and nothing else is shown."""
    app = sign_in(console().run(), key)
    assert said in all_text(app)
    assert not app.metric


def test_sign_in_says_that_the_service_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a service the page says so and where it looked."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setenv(URL_VARIABLE, f"http://127.0.0.1:{port}")
    app = sign_in(console().run(), "dw_any")
    assert "does not answer" in all_text(app)
    assert f"127.0.0.1:{port}" in all_text(app)


def test_a_link_to_a_case_survives_sign_in(service: Service) -> None:
    """Who opens a link before signing in lands on the case afterwards."""
    app = turn_to(console().run(), "account", id=HARVESTER)
    assert not app.metric
    app = sign_in(app, service.keys["analyst"])
    assert HARVESTER in all_text(app)


@pytest.mark.parametrize("role", READING)
@pytest.mark.parametrize("name", PAGES)
def test_readers_see_every_page(service: Service, role: Role, name: str) -> None:
    """Each page shows its heading and no error to each role that may read it; analysts have no audit trail."""
    app = page(service, role, name, **query(name))
    assert not app.exception
    assert bool(app.error) == ((role, name) == ("analyst", "audit"))
    assert PAGES[name] in all_text(app)


@pytest.mark.parametrize("name", ["", "account", "campaigns", "campaign", "approvals", "performance", "audit"])
def test_gateways_see_nothing(service: Service, name: str) -> None:
    """A gateway's key is refused by the service, and the page says so."""
    app = page(service, "gateway", name, **query(name))
    assert not app.exception
    assert "Your role may not do this" in all_text(app)
    assert HARVESTER not in all_text(app)


def test_what_does_not_count_is_said_to(service: Service) -> None:
    """What a signal in shadow says of an account stands below the reasons, as what does not count; elsewhere there is nothing of it."""
    said = all_text(page(service, "analyst", "account", id=GOOD_CUSTOMER))
    assert said.index("In shadow, does not count") < said.index("Even pace. Its requests come every 60 seconds.")
    assert "In shadow" not in all_text(page(service, "analyst", "account", id=HARVESTER))


def test_account_page_shows_both_sides(service: Service) -> None:
    """Reasons for and against come with value, unit, percentile, contribution and sentence."""
    said = all_text(page(service, "analyst", "account", id=HARVESTER))
    for part in (
        "93 %",
        "of requests",
        "99.8 %",
        "+2.30",
        "ask for the reasoning",
        "14",
        "follow-ups",
        "−0.40",
        "1 in 4,800",
    ):
        assert part in said
    assert '<mark class="dw-slot">{…}</mark>' in said
    assert "••••••• •" in said
    assert "theorem 2" not in said


def test_account_page_without_text(service: Service) -> None:
    """An account of which only counts are kept has a page that says what is missing."""
    app = page(service, "analyst", "account", id="acct_bystander_001")
    said = all_text(app)
    assert not app.exception
    for empty in ("No signal speaks", "No activity", "No topics", "No template", "No text is kept", "No other account"):
        assert empty in said


@pytest.mark.parametrize("name", ["account", "campaign"])
def test_unknown_and_missing_records(service: Service, name: str) -> None:
    """An address without a record, or with an unknown one, says so."""
    assert "is chosen" in all_text(page(service, "analyst", name))
    assert "no such record" in all_text(page(service, "analyst", name, id="nobody/../x?y"))


def test_hostile_ids_are_addressed_whole(service: Service) -> None:
    """An id full of slashes, quotes and markup names its own account and no other."""
    account = hostile_account(service.sink.url)
    assert service.client("analyst").account(account).account_id == account
    app = page(service, "analyst", "account", id=account)
    assert not app.exception
    assert not app.error


def test_queue_pages_and_filters(service: Service) -> None:
    """Next shows the following page; a filter starts over; both are cut by the service."""
    app = page(service, "analyst", "", min_risk="0.5")
    total = service.client("analyst").cases({"min_risk": 0.5}).total
    assert total < 100 < BYSTANDERS
    assert f"1 to {total} of {total}" in all_text(app)
    app.selectbox(key="min_risk").set_value("any").run()
    total = service.client("analyst").cases({}).total
    assert f"1 to 100 of {total}" in all_text(app)
    button(app, "Next").click().run()
    assert f"101 to {total} of {total}" in all_text(app)
    button(app, "Previous").click().run()
    assert f"1 to 100 of {total}" in all_text(app)
    app.text_input(key="q").set_value("good_customer")
    app.selectbox(key="min_risk").set_value("any").run()
    assert "1 to 1 of 1 " in all_text(app)
    app.text_input(key="q").set_value("nobody").run()
    assert "No case matches" in all_text(app)


def test_bad_filters_in_the_address_are_ignored(service: Service) -> None:
    """A mistyped filter falls back to the default instead of failing."""
    app = page(service, "analyst", "", sort="1; drop table", limit="-1", state="<b>")
    assert not app.exception
    assert app.selectbox(key="sort").value == "priority"
    assert "1 to 100 of" in all_text(app)


@pytest.mark.parametrize(("role", "n"), [(role, 10 + n) for n, role in enumerate(DECIDING)])
@pytest.mark.parametrize(("choice", "state"), [(2, "confirmed"), (5, "dismissed"), (7, "need_more")])
def test_deciders_decide(service: Service, role: Role, n: int, choice: int, state: str) -> None:
    """A decision with a reason is recorded under the person's name, shown, and in the audit trail."""
    account = f"acct_bystander_{n:03d}"
    app = page(service, role, "account", id=account)
    app.radio[0].set_value(choice)
    app.text_area[0].set_value(f"seen by {role}: {choice}")
    button(app, "Record decision").click().run()
    assert not app.error
    assert app.success
    assert f"seen by {role}: {choice}" in all_text(app)
    detail = service.client(role).account(account)
    assert (detail.state, detail.verdict_id) == (state, choice)
    assert f"Test {role}" in detail.decisions[0].actor
    newest = service.client("auditor").audit(1, 0).items[0]
    assert account in newest.subject
    assert app.text_area[0].value == ""


def test_reviews_show_in_the_performance(service: Service) -> None:
    """What people confirmed and dismissed of the flags is counted, in all and by signal; the queue states the expected false ones."""
    client = service.client("lead")
    client.decide_account("acct_bystander_100", "confirm", "seen")
    client.decide_account("acct_bystander_102", "dismiss", "own test")
    told = client.performance().all
    app = page(service, "auditor", "performance")
    assert not app.exception
    assert {m.label: m.value for m in app.metric}["Reviewed flags"] == str(told.reviewed)
    assert told.reviewed >= 2
    assert "Reasoning elicitation" in app.dataframe[0].value["title"].to_list()
    flagged = client.overview().flagged
    said = (
        f"Of the {flagged} flags, about 1.4 (0 to 4) are expected to be false: "
        "thresholds are set for at most 0.1 % of honest accounts, those of all sizes together."
    )
    assert said in all_text(page(service, "auditor", ""))


def test_decide_for_a_campaign(service: Service) -> None:
    """A campaign is decided on as a whole."""
    app = page(service, "lead", "campaign", id=CAMPAIGN)
    app.radio[0].set_value(2)
    app.text_area[0].set_value("one payment method, one work queue")
    button(app, "Record decision").click().run()
    assert service.client("lead").campaign(CAMPAIGN).state == "confirmed"


@pytest.mark.parametrize(
    ("choice", "reason", "said"), [(None, "a good reason", "Choose"), (2, " x ", "Write a reason")]
)
def test_no_decision_without_choice_and_reason(service: Service, choice: int | None, reason: str, said: str) -> None:
    """A decision without a choice or a reason is not recorded."""
    before = service.client("auditor").audit(1, 0).total
    app = page(service, "analyst", "account", id=GOOD_CUSTOMER)
    if choice:
        app.radio[0].set_value(choice)
    app.text_area[0].set_value(reason)
    button(app, "Record decision").click().run()
    assert said in all_text(app)
    assert service.client("auditor").audit(1, 0).total == before


def test_what_was_typed_stays_with_its_account(service: Service) -> None:
    """A reason typed for one account does not appear on the next one's form."""
    app = page(service, "analyst", "account", id=HARVESTER)
    app.text_area[0].set_value("about the harvester").run()
    turn_to(app, "account", id=GOOD_CUSTOMER)
    assert app.text_area[0].value == ""


@pytest.mark.parametrize("name", ["account", "campaign"])
def test_auditors_have_no_form(service: Service, name: str) -> None:
    """An auditor reads the case and is offered no decision."""
    app = page(service, "auditor", name, **query(name))
    assert not app.radio
    assert "does not decide" in all_text(app)


@pytest.mark.parametrize("role", ["auditor", "gateway"])
def test_the_service_refuses_what_the_page_does_not_offer(service: Service, role: Role) -> None:
    """The rule is the service's: a decision sent past the page is refused too."""
    with pytest.raises(Forbidden):
        service.client(role).decide_account(HARVESTER, "confirm", "past the page")
    with pytest.raises(Forbidden):
        service.client(role).decide_campaign(CAMPAIGN, "confirm", "past the page")


def test_client_names_the_failure(service: Service) -> None:
    """Unknown records and decisions without a reason have their own errors."""
    analyst = service.client("analyst")
    with pytest.raises(Missing):
        analyst.account("nobody")
    with pytest.raises(Refused, match="3 characters"):
        analyst.decide_account(HARVESTER, "confirm", "")


@pytest.mark.parametrize("role", ["analyst", "lead", "auditor"])
def test_keys_are_for_administrators(service: Service, role: Role) -> None:
    """Others see whose key they use, and no list of keys; the service refuses the list as well."""
    app = page(service, role, "settings")
    assert f"Test {role}" in all_text(app)
    assert not app.dataframe
    with pytest.raises(Forbidden):
        service.client(role).all_keys()


def test_administrators_see_keys(service: Service) -> None:
    """An administrator sees every key, and no secret."""
    app = page(service, "admin", "settings")
    shown = app.dataframe[0].value
    assert set(labels.ROLES.values()) <= set(shown["role"])
    assert not any(secret in shown.to_csv() for secret in service.keys.values())


def test_administrators_make_and_revoke_keys(service: Service) -> None:
    """A new key is shown once and works; revoked, it works no more; both are in the audit trail."""
    app = page(service, "admin", "settings")
    app.text_input[0].set_value("New analyst")
    app.selectbox[0].set_value("lead")
    button(app, "Create key").click().run()
    secret = app.code[0].value
    me = Client(secret, service.url).me()
    assert (me.name, me.role) == ("New analyst", "lead")
    app.run()
    assert not app.code
    service.client("admin").revoke_key(me.key_id)
    with pytest.raises(KeyRefused):
        Client(secret, service.url).me()
    assert {"key.create", "key.revoke"} == {e.action for e in service.client("admin").audit(2, 0).items}


def test_a_key_needs_a_name(service: Service) -> None:
    """A key without a name is refused in clear words."""
    app = page(service, "admin", "settings")
    button(app, "Create key").click().run()
    assert "did not accept" in all_text(app)


def test_sign_out_forgets_the_key(service: Service) -> None:
    """After signing out the session holds neither key nor data."""
    app = page(service, "analyst", "settings")
    button(app, "Sign out").click().run()
    assert [t.value for t in app.title] == ["distillwatch"]
    assert service.keys["analyst"] not in repr(app.session_state)


def test_a_key_revoked_meanwhile(service: Service) -> None:
    """Someone whose key is revoked while signed in is told so and can sign in again."""
    made = service.client("admin").make_key("Leaver", "analyst")
    app = sign_in(console().run(), made.key)
    service.client("admin").revoke_key(made.key_id)
    app.run()
    assert "does not accept this key" in all_text(app)
    button(app, "Sign in again").click().run()
    assert [t.value for t in app.title] == ["distillwatch"]


def test_empty_service(empty_service: Service) -> None:
    """Before any request the pages say what to do; nothing fails."""
    for name, said in {"": "No requests have arrived", "campaigns": "No campaigns so far", "audit": "recorded"}.items():
        app = page(empty_service, "admin", name)
        assert not app.exception
        assert not app.error
        assert said in all_text(app)
