"""Every role, page and action: who is offered what, and that what is pressed is done by the service in that person's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from streamlit.testing.v1 import AppTest

from api.schemas.base import Role
from api.storage import campaigns, cases
from dashboard import session
from dashboard.ask import groupings, jobs, quality, search, settings, signals
from dashboard.client import Client, Forbidden
from dashboard.paging import token
from tests.api.builders import START
from tests.api.builders import account as finding_on
from tests.api.builders import campaign as campaign_of
from tests.dashboard import data
from tests.dashboard.conftest import Service, Sink, running
from tests.dashboard.data import CAMPAIGN, HARVESTER
from tests.dashboard.pages import all_text, button, page, ticked
from tests.dashboard.test_deciding import keyed

pytestmark = pytest.mark.slow  # four minutes on two cores

ANALYST: Role = "analyst"
ROLES: list[Role] = ["analyst", "lead", "admin", "auditor", "gateway"]
READ = frozenset({"analyst", "lead", "admin", "auditor"})
DECIDE = frozenset({"analyst", "lead", "admin"})
LEAD = frozenset({"lead", "admin"})
TRAIL = frozenset({"lead", "admin", "auditor"})
ADMIN = frozenset({"admin"})
ALL = frozenset(ROLES)
JOB = "a backtest that waits"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[Service]:
    """A service of its own, on which something of everything waits or holds."""
    with running(tmp_path_factory.mktemp("roles"), sink, data.fill) as service:
        analyst, admin = service.client("analyst"), service.client("admin")
        until = datetime.now(UTC) + timedelta(days=3)
        analyst.decide_account("acct_bystander_004", "confirm", "seen")
        analyst.decide_account("acct_bystander_006", "dismiss", "seen")
        analyst.decide_account(HARVESTER, "need_more", "what is it for?")
        analyst.make_exception(HARVESTER, "reasoning_elicitation", "a tutor", until)
        jobs.start(analyst, "backtest", {"title": JOB})
        search.save(analyst, "theorems", "Explain this theorem", None, True)
        settings.set_content(admin, "acct_private", "none", "its contract")
        settings.put_person(admin, "ann@example.com", "analyst")
        settings.make_webhook(admin, "siem", "https://1.1.1.1/in", "ocsf", ["account.flagged"])
        yield service


class Place(NamedTuple):
    """A page, and who is offered each of its buttons; a gateway is offered ways and nothing of what is behind them."""

    name: str
    query: dict[str, str]
    offered: dict[str, frozenset[Role]]
    unfolded: str = ""  # what is drawn once it is opened


QUEUE = dict.fromkeys(["All", "Open flags", "Overdue", "Mine", "Previous", "Next"], READ)
PLACES: dict[str, Place] = {
    "queue": Place("", {}, QUEUE),
    "decision on many": Place("", {}, QUEUE | {"Preview": DECIDE}, "bulk"),
    "account": Place(
        "account",
        {"id": HARVESTER},
        dict.fromkeys(["Queue", "Next"], ALL)
        | dict.fromkeys(["Campaign of this account", "Requests", "Evidence then", "Open", "Previous"], READ)
        | dict.fromkeys(["Claim", "Record decision", "Ask to read", "Undo", "End this exception"], DECIDE),
    ),
    "another account": Place(
        "account",
        {"id": "acct_bystander_048"},
        dict.fromkeys(["Queue", "Next"], ALL)
        | dict.fromkeys(["Requests", "Open"], READ)
        | dict.fromkeys(["Claim", "Record decision", "Make an exception"], DECIDE),
    ),
    "campaigns": Place("campaigns", {}, {}),
    "campaign": Place(
        "campaign",
        {"id": CAMPAIGN},
        {"Campaigns": ALL} | dict.fromkeys(["Open the account", "Requests"], READ)
        | dict.fromkeys(["Verdict for each", "Take out", "Record decision", "Ask to read"], DECIDE),
    ),
    "approvals": Place(
        "approvals",
        {},
        {"Open the case": READ, "Approve": DECIDE, "Refuse": DECIDE - {ANALYST}, "Withdraw": frozenset({ANALYST})},
    ),
    "search": Place("search", {"like": HARVESTER}, {"Save": DECIDE}),
    "audits": Place("audits", {}, {"Start": DECIDE}),
    "rehearsals": Place("audits", {"kind": "rehearsal"}, {"Start": DECIDE}),
    "backtests": Place("audits", {"kind": "backtest"}, {"Start": DECIDE}),
    "signals": Place("audits", {"kind": "signals"}, {"Start": DECIDE, "Put into shadow": LEAD}),
    "performance": Place("performance", {}, {"Draw at random": DECIDE}),
    "audit trail": Place("audit", {}, {}),
    "keys": Place("settings", {"section": "keys"}, {"Sign out": ALL, "Create key": ADMIN}),
    "people": Place("settings", {"section": "people"}, {"Sign out": ALL, "Add person": ADMIN}),
    "retention": Place("settings", {"section": "retention"}, {"Sign out": ALL, "Set retention": ADMIN}),
    "texts": Place("settings", {"section": "texts"}, {"Sign out": ALL, "Set": ADMIN}),
    "alerts": Place("settings", {"section": "alerts"}, {"Sign out": ALL, "Add route": ADMIN}),
    "enforcement": Place("settings", {"section": "enforcement"}, {"Sign out": ALL, "Switch": LEAD}),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", PLACES)
def test_each_role_is_offered_its_actions_and_no_other(service: Service, place: str, role: Role) -> None:
    """The buttons of a page are those of the table for the role: a new one fails here until it is in the table."""
    name, query, offered, unfolded = PLACES[place]
    app = page(service, role, name, unfolded, **query)
    assert not app.exception
    assert {b.label for b in app.button} == {label for label, roles in offered.items() if role in roles}


class Action(NamedTuple):
    """What a person does on a page, for whom it is, and the entry that it leaves in the audit trail."""

    roles: frozenset[Role]
    press: Callable[[Service, Role], Any]
    past: Callable[[Client], Any]  # the same past the page
    entry: str


def record(service: Service, role: Role, name: str, record_id: str) -> None:
    """Fill in the form of a decision and send it."""
    app = page(service, role, name, id=record_id)
    app.radio[0].set_value(2)
    app.text_area[0].set_value(f"seen by {role}")
    button(app, "Record decision").click().run()


def undo(service: Service, role: Role) -> None:
    """Take back a decision of one's own, from the account's history."""
    account = f"acct_bystander_{20 + ROLES.index(role):03d}"
    made = service.client(role).decide_account(account, "confirm", "a slip")
    app = page(service, role, "account", id=account)
    next(b for b in app.button if b.key == f"undo_history_{made.decision_id}").click().run()
    assert service.client(role).account(account).state == "open"


def ask_to_read(service: Service, role: Role, name: str, record_id: str) -> None:
    """Ask for leave to read the prompts."""
    app = page(service, role, name, id=record_id)
    app.text_input(key=keyed(app, "unmask_reason_")).set_value("which exam is it?")
    button(app, "Ask to read").click().run()
    assert "waits for a second person" in all_text(page(service, role, name, id=record_id))


def ask_for_many(service: Service, role: Role) -> None:
    """Preview a decision on many, then ask for it."""
    app = page(service, role, "", "bulk", q=f"bystander_11{ROLES.index(role)}")
    app.text_input(key="bulk_reason").set_value("our own rehearsal").run()
    app.button(key="bulk_preview_button").click().run()
    app.button(key="bulk_ask").click().run()


def finish(service: Service, role: Role, button_key: str) -> None:
    """Approve or refuse what an analyst asked for, with a reason."""
    account = f"acct_bystander_{(30 if button_key == 'approve' else 36) + ROLES.index(role):03d}"
    until = datetime.now(UTC) + timedelta(days=3)
    number = service.client(ANALYST).make_exception(account, "reasoning_elicitation", "a tutor", until).exception_id
    app = page(service, role, "approvals")
    app.text_input(key=f"why_exception_{number}").set_value("I looked at it as well").run()
    app.button(key=f"{button_key}_exception_{number}").click().run()


def switch(service: Service, role: Role) -> None:
    """Use the switch."""
    app = page(service, role, "settings", section="enforcement")
    next(t for t in app.text_input if t.label in ("Why", "Reason") and "why_" not in str(t.key)).set_value("a drill")
    button(app, "Switch").click().run()


def put_into_shadow(service: Service, role: Role) -> None:
    """Put the first live signal into shadow."""
    app = page(service, role, "audits", kind="signals")
    titles = list(app.selectbox(key="signal_chosen").options)
    live = next(s for s in signals.signals(service.client(role)) if s.state == "live")
    app.selectbox(key="signal_chosen").select_index(titles.index(live.title)).run()
    app.text_input(key="signal_reason").set_value("a drill")
    button(app, "Put into shadow").click().run()
    assert "◐ In shadow" in list(app.dataframe[0].value["state"])


def save(service: Service, role: Role) -> None:
    """Keep a query for all."""
    app = page(service, role, "search", like=HARVESTER)
    next(t for t in app.text_input if t.label == "Name").set_value(f"by {role}")
    app.checkbox[0].check()
    button(app, "Save").click().run()


def draw(service: Service, role: Role) -> None:
    """Draw accounts at random."""
    button(page(service, role, "performance"), "Draw at random").click().run()


def type_and_press(service: Service, role: Role, section: str, label: str, *values: str) -> None:
    """Fill the text fields of a section's form in their order, and send it."""
    app = page(service, role, "settings", section=section)
    for field, value in zip(app.text_input, values, strict=True):
        field.set_value(value)
    button(app, label).click().run()
    assert not app.exception


def group(service: Service, role: Role, first: int) -> tuple[str, list[str]]:
    """A campaign of three accounts for this role alone, with members that nobody decided on."""
    members = [f"acct_member_{role}_{n}" for n in range(first, first + 3)]
    name = f"group_{role}_{first}"
    with service.database.write() as connection:
        cases.store(connection, [finding_on(m, 0.9, campaign_id=name) for m in members], START)
        known = campaign_of(CAMPAIGN, [HARVESTER, data.GOOD_CUSTOMER])
        known.example_event_ids = ["event_0", "event_1"]  # others ask to read them
        campaigns.store(connection, [known, campaign_of(name, members)], START)
    return name, members


def split(service: Service, role: Role) -> None:
    """Split the first member off a campaign."""
    name, _ = group(service, role, 20)
    with ticked("members_", [0]):
        app = page(service, role, "campaign", id=name)
        app.text_input(key=f"why_split_{token(name)}").set_value("another customer")
        button(app, "Split off").click().run()
    assert "another customer" in all_text(app)


def merge(service: Service, role: Role) -> None:
    """Merge a campaign with the only other one."""
    name, _ = group(service, role, 30)
    app = page(service, role, "campaign", id=name)
    app.selectbox(key=f"merge_{token(name)}").select_index(0).run()
    app.text_input(key=f"why_merge_{token(name)}").set_value("one queue of work")
    button(app, "Merge").click().run()
    assert "one queue of work" in all_text(app)


def take_back(service: Service, role: Role) -> None:
    """Take back what was said of who belongs together."""
    name, members = group(service, role, 40)
    groupings.keep(service.client(role), name, "a slip", accounts=members[:1])
    button(page(service, role, "campaign", id=name), "Take back").click().run()


ACTIONS: dict[str, Action] = {
    "decide on an account": Action(
        DECIDE, lambda s, r: record(s, r, "account", f"acct_bystander_{14 + ROLES.index(r):03d}"),
        lambda c: c.decide_account(HARVESTER, "confirm", "past the page"), "account.confirm",
    ),
    "decide on a campaign": Action(
        DECIDE, lambda s, r: record(s, r, "campaign", CAMPAIGN),
        lambda c: c.decide_campaign(CAMPAIGN, "confirm", "past the page"), "campaign.confirm",
    ),
    "split members off": Action(
        DECIDE, split, lambda c: groupings.keep(c, CAMPAIGN, "past the page", accounts=[HARVESTER]), "grouping.issue"
    ),
    "merge campaigns": Action(
        DECIDE, merge, lambda c: groupings.keep(c, CAMPAIGN, "past the page", [data.OTHER_CAMPAIGN]), "grouping.issue"
    ),
    "take a split back": Action(DECIDE, take_back, lambda c: groupings.undo(c, 1), "grouping.end"),
    "undo": Action(DECIDE, undo, lambda c: c.undo(1), "account.undo"),
    "ask to read an account": Action(
        DECIDE, lambda s, r: ask_to_read(s, r, "account", HARVESTER),
        lambda c: c.unmask("account", HARVESTER, "past the page", 15), "unmasking.issue",
    ),
    "ask to read a campaign": Action(
        DECIDE, lambda s, r: ask_to_read(s, r, "campaign", CAMPAIGN),
        lambda c: c.unmask("campaign", CAMPAIGN, "past the page", 15), "unmasking.issue",
    ),
    "ask for a decision on many": Action(
        DECIDE, ask_for_many,
        lambda c: c.ask_bulk({}, {"decision": "dismiss", "reason": "past the page"}, 1), "bulk.issue",
    ),
    "approve": Action(
        LEAD, lambda s, r: finish(s, r, "approve"), lambda c: c.approve("exception", 1, "past the page"), "exception.approve"
    ),
    "refuse": Action(
        DECIDE, lambda s, r: finish(s, r, "refuse"), lambda c: c.end("exception", 1, "past the page"), "exception.end"
    ),
    "switch": Action(
        LEAD, switch,
        lambda c: c.switch_enforcement("none", "past the page"), "enforcement.switch",
    ),
    "put a signal into shadow": Action(
        LEAD, put_into_shadow, lambda c: signals.switch(c, "grading", "shadow", "past the page"), "signal.shadow",
    ),
    "share a query": Action(DECIDE, save, lambda c: search.save(c, "x", "a text", None, True), "query.share"),
    "draw a sample": Action(DECIDE, draw, lambda c: quality.draw(c, 1), "sample.draw"),
    "make a key": Action(
        ADMIN, lambda s, r: type_and_press(s, r, "keys", "Create key", "A new analyst"),
        lambda c: c.make_key("past the page", "admin"), "key.create",
    ),
    "add a person": Action(
        ADMIN, lambda s, r: type_and_press(s, r, "people", "Add person", "bob@example.com"),
        lambda c: settings.put_person(c, "x@example.com", "admin"), "person.set",
    ),
    "set retention": Action(
        ADMIN, lambda s, r: type_and_press(s, r, "retention", "Set retention", "the privacy policy"),
        lambda c: settings.keep_for(c, 1, "past the page"), "retention.set",
    ),
    "set the texts of an account": Action(
        ADMIN, lambda s, r: type_and_press(s, r, "texts", "Set", "acct_other", "its contract"),
        lambda c: settings.set_content(c, "a", "none", "past the page"), "content.set",
    ),
    "make a route": Action(
        ADMIN, lambda s, r: type_and_press(s, r, "alerts", "Add route", "chat", "https://1.1.1.1/hook"),
        lambda c: settings.make_webhook(c, "x", "https://example.com", "native", ["account.flagged"]), "webhook.create",
    ),
}  # fmt: skip


def newest(service: Service) -> tuple[str, str]:
    """Who did what last, by the audit trail."""
    (entry,) = service.client("auditor").audit(1, 0).items
    return entry.actor, entry.action


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_of_each_role(service: Service, name: str, role: Role) -> None:
    """Who may do it does it on the page, and the trail has it under their name; whoever may not is refused past the page."""
    action = ACTIONS[name]
    if role in action.roles:
        action.press(service, role)
        actor, entry = newest(service)
        assert entry == action.entry
        assert f"Test {role}" in actor
    else:
        before = newest(service)
        with pytest.raises(Forbidden):
            action.past(service.client(role))
        assert newest(service) == before


def dialog(service: Service, role: Role, opened: str) -> AppTest:
    """A dialog by itself, opened by a line of Python, for who signed in with a key of this role.

    A click in a dialog runs the dialog alone, which AppTest cannot do; here it is opened anew by each run.
    """
    app = AppTest.from_string(f"from dashboard import exceptions, membership, session\n{opened}", default_timeout=60)
    app.session_state[session.KEY] = service.keys[role]
    app.session_state[session.ME] = service.client(role).me()
    return app.run()


@pytest.mark.parametrize("role", sorted(DECIDE))
def test_a_verdict_for_each_member(service: Service, role: Role) -> None:
    """Members are decided on one by one, under the person's name; without a reason none is; the campaign stays open."""
    name, members = group(service, role, 0)
    app = dialog(service, role, f"membership.judge(session.client().campaign({name!r}).members[:2])")
    assert members[0] in all_text(app)
    button(app, "Record for each").click().run()
    assert "Write a reason first" in all_text(app)
    app.selectbox[0].set_value(2)
    app.text_area[0].set_value("one frame in both")
    button(app, "Record for each").click().run()
    assert not app.exception
    client = service.client(role)
    assert [client.account(m).state for m in members] == ["confirmed", "confirmed", "open"]
    assert client.account(members[0]).decisions[0].reason == "one frame in both"
    assert f"Test {role}" in client.account(members[0]).decisions[0].actor
    assert client.campaign(name).state == "open"


@pytest.mark.parametrize(("role", "state"), [("analyst", "pending"), ("lead", "live"), ("admin", "live")])
def test_members_are_taken_out(service: Service, role: Role, state: str) -> None:
    """Membership is excepted for the chosen alone; an analyst's request waits; asked for twice, the service's no is told."""
    name, members = group(service, role, 10)
    opened = f"membership.exclude(session.client().campaign({name!r}).members[:1])"
    app = dialog(service, role, opened)
    button(app, "Take out").click().run()
    assert "Write a reason first" in all_text(app)
    app.text_area[0].set_value("a customer of theirs")
    button(app, "Take out").click().run()
    client = service.client(role)
    (made,) = client.account(members[0]).exceptions
    assert (made.signal, made.state, made.reason) == ("campaign", state, "a customer of theirs")
    assert client.account(members[1]).exceptions == []
    app = dialog(service, role, opened)
    app.text_area[0].set_value("once more")
    button(app, "Take out").click().run()
    assert "0 of 1 are recorded" in all_text(app)
    assert len(client.account(members[0]).exceptions) == 1


@pytest.mark.parametrize(("role", "state"), [("analyst", "pending"), ("lead", "live"), ("admin", "live")])
def test_an_exception_is_made_and_ended_in_its_dialogs(service: Service, role: Role, state: str) -> None:
    """Asked for with a reason, a signal is excepted; ended with a reason, it counts again."""
    account = f"acct_bystander_{90 + 2 * ROLES.index(role):03d}"
    opened = f"exceptions.make({account!r}, session.client().account({account!r}).evidence[0])"
    app = dialog(service, role, opened)
    button(app, "Ask for the exception").click().run()
    assert "Write a reason" in all_text(app)
    app.text_area[0].set_value("a tutoring product")
    button(app, "Ask for the exception").click().run()
    client = service.client(role)
    (made,) = client.account(account).exceptions
    assert (made.state, made.reason) == (state, "a tutoring product")
    app = dialog(service, role, f"exceptions.end(session.client().account({account!r}).exceptions[0])")
    app.text_input[0].set_value("no longer so").run()
    button(app, "End it").click().run()
    assert client.account(account).exceptions[0].state == "ended"


@pytest.mark.parametrize("role", ["auditor", "gateway"])
def test_members_are_for_deciders(service: Service, role: Role) -> None:
    """Past the page, others neither decide on a member nor take one out."""
    until = datetime.now(UTC) + timedelta(days=3)
    with pytest.raises(Forbidden):
        service.client(role).make_exception(HARVESTER, "campaign", "past the page", until)
    with pytest.raises(Forbidden):
        service.client(role).decide_account(HARVESTER, "confirm", "past the page", {"verdict_id": 2})


class Row(NamedTuple):
    """An action on a chosen row of a table."""

    roles: frozenset[Role]
    place: str
    table: str
    button: str
    entry: str


ROWS = {
    "revoke a key": Row(ADMIN, "keys", "keys_", "Revoke this key", "key.revoke"),
    "remove a person": Row(ADMIN, "people", "people_", "Remove and end their sessions", "person.remove"),
    "follow the default": Row(ADMIN, "texts", "content_", "Follow the default", "content.unset"),
    "test a route": Row(ADMIN, "alerts", "webhooks_", "Send a test", ""),
    "rotate a secret": Row(ADMIN, "alerts", "webhooks_", "Rotate the secret", "webhook.rotate"),
    "disable a route": Row(ADMIN, "alerts", "webhooks_", "Disable", "webhook.disable"),
    "split a member off": Row(DECIDE, "campaign", "members_", "Split off", ""),
    "open a member": Row(READ, "campaign", "members_", "Open the account", ""),
}


@pytest.mark.parametrize("role", sorted(READ))
@pytest.mark.parametrize("name", ROWS)
def test_each_action_on_a_row(service: Service, name: str, role: Role) -> None:
    """With a row chosen its action is offered to the roles of the table alone; pressed, it is done in that person's name."""
    row = ROWS[name]
    if name == "revoke a key":
        service.client("admin").make_key("Leaver", "analyst")
    where = PLACES[row.place]
    with ticked(row.table, [0] if name != "revoke a key" else [_newest_key(service)]):
        app = page(service, role, where.name, **where.query)
        assert not app.exception
        assert (row.button in {b.label for b in app.button if not b.disabled}) == (role in row.roles)
        if role in row.roles and row.entry:
            button(app, row.button).click().run()
            actor, entry = newest(service)
            assert entry == row.entry
            assert f"Test {role}" in actor


def _newest_key(service: Service) -> int:
    keys = service.client("admin").all_keys()
    return next(n for n, key in enumerate(keys) if key.name == "Leaver" and key.revoked_at is None)
