"""Bodies of webhooks: what OCSF publishes as its schema, what Alertmanager posts, what Slack takes; hostile names stay text."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from api.schemas.webhooks import WebhookKind, WebhookShape
from api.services import atlas
from api.services.webhooks import shapes
from api.services.webhooks.shapes import ocsf, slack
from api.services.webhooks.shapes.base import Context

NOW = datetime(2026, 9, 7, 10, tzinfo=UTC)
CONTEXT = Context("msg_1", "pager", "https://desk.example/", "1.0", NOW)
HOSTILE = "<!channel> *bold* `code` <https://evil.example|click> & @here"

SEEN = {"first_seen": NOW - timedelta(days=3), "last_seen": NOW, "flagged_at": NOW - timedelta(days=1)}
FIGURES = {
    "verdict": "flag", "state": "open", "risk": 0.93, "harvest": "reasoning elicitation", "requests": 1200,
    "input_tokens": 10, "output_tokens": 20, "top_reason": "one frame", **SEEN,
}  # fmt: skip
ACCOUNT = {
    "account_id": HOSTILE, "action": "throttle", "until": NOW + timedelta(days=1), "codes": sorted(atlas.TECHNIQUES),
    "reasons": ["s"], "campaign_id": "c1", **FIGURES,
}  # fmt: skip
GONE = {"account_id": "a", "action": "allow", "verdict": "clear", "state": "open", "codes": [], "reasons": []}
CAMPAIGN = {"campaign_id": "c1", "accounts": 3, "members": ["a", "b"], "codes": ["AML.T0021"], **FIGURES}
ITEMS: dict[str, list[dict[str, Any]]] = {
    "account.flagged": [ACCOUNT, {**ACCOUNT, "account_id": "b", "until": None, "harvest": None, "flagged_at": None}],
    "verdict.changed": [ACCOUNT, GONE, {**ACCOUNT, "state": "dismissed", "action": "allow"}],
    "campaign.flagged": [CAMPAIGN],
    "case.decided": [
        {"subject": "account", "subject_id": HOSTILE, "decision": d, "verdict_id": v, "actor": "me", "actions": acts}
        for d, v, acts in (("confirm", 2, ["throttle"]), ("dismiss", 5, []), ("need_more", 7, []), ("undo", 2, []))
    ],
    "enforcement.changed": [{"mode": "none", "before": "all", "actor": "me", "reason": "an outage"}],
    "test": [{"actor": "me"}],
}


def body(shape: WebhookShape, kind: str, items: list[dict[str, Any]] | None = None, context: Context = CONTEXT) -> Any:
    """The body of a message, read back."""
    message = {"type": kind, "timestamp": NOW, "data": {"items": items or ITEMS[kind]}}
    return json.loads(shapes.body(shape, msgspec.json.encode(message), context))


@cache
def validator(class_name: str) -> jsonschema.Draft202012Validator:
    """Of the published schema of an OCSF class."""
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(ocsf.VERSION))
    return jsonschema.Draft202012Validator(schemas.get_class_schema(class_name))


def validate(findings: Any) -> None:
    """Raise unless all findings are valid."""
    names = {ocsf.DETECTION: "detection_finding", ocsf.INCIDENT: "incident_finding"}
    for finding in findings:
        validator(names[finding["class_uid"]]).validate(finding)


def test_every_kind_is_covered() -> None:
    """Every kind of message is tested here, in every shape."""
    assert set(ITEMS) == {*get_args(WebhookKind), "test"}
    assert set(shapes.RENDER) == set(get_args(WebhookShape))


@pytest.mark.parametrize("kind", sorted(ITEMS.keys() - {"enforcement.changed"}))
@pytest.mark.parametrize("context", [CONTEXT, CONTEXT._replace(public_url="")])
def test_ocsf_is_valid(kind: str, context: Context) -> None:
    """Findings satisfy the published JSON schema of their class, in which unknown attributes are errors."""
    found = body("ocsf", kind, context=context)
    assert len(found) == len(ITEMS[kind])
    validate(found)


def test_ocsf_validation_can_fail() -> None:
    """A finding with a misspelt attribute or without a required one is noticed."""
    (finding,) = body("ocsf", "campaign.flagged")
    for bad in ({**finding, "sevrity": 1}, {k: v for k, v in finding.items() if k != "finding_info_list"}):
        with pytest.raises(jsonschema.ValidationError):
            validate([bad])


def test_ocsf_says_what_is_meant() -> None:
    """Classes, lifecycle, verdict ids and technique ids are the ones that consumers filter by."""
    flagged = body("ocsf", "account.flagged")[0]
    assert (flagged["class_uid"], flagged["type_uid"], flagged["severity"], flagged["is_alert"]) == (
        2004,
        200401,
        "High",
        True,
    )
    found = {a.get("sub_technique", a["technique"])["uid"]: a for a in flagged["finding_info"]["attacks"]}
    assert set(found) == set(atlas.TECHNIQUES)
    assert found["AML.T0024.002"]["technique"]["uid"] == "AML.T0024"
    changed = body("ocsf", "verdict.changed")
    assert [(f["activity_name"], f["status"]) for f in changed] == [
        ("Update", "New"), ("Close", "Resolved"), ("Close", "Suppressed"),
    ]  # fmt: skip
    decided = body("ocsf", "case.decided")
    assert [(f["class_uid"], f["verdict"], f["status"]) for f in decided] == [
        (2005, "True Positive", "In Progress"), (2005, "Benign", "Closed"), (2005, "Insufficient Data", "In Progress"),
        (2005, "Unknown", "In Progress"),
    ]  # fmt: skip
    captions = get_ocsf_schema(ocsf.VERSION)["classes"]["incident_finding"]["attributes"]["verdict_id"]["enum"]
    assert [captions[str(f["verdict_id"])]["caption"] for f in decided] == [f["verdict"] for f in decided]


FIELDS = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
GROUP = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations",
    "externalURL", "alerts",
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(ITEMS))
def test_alertmanager(kind: str) -> None:
    """The receiver's body has exactly the fields of Alertmanager's version 4, the API's those of its alerts, all text."""
    group = body("alertmanager", kind)
    assert set(group) == GROUP
    assert group["version"] == "4"
    assert all(set(alert) == FIELDS for alert in group["alerts"])
    assert group["status"] == ("firing" if any(a["status"] == "firing" for a in group["alerts"]) else "resolved")
    assert all(group["commonLabels"].items() <= alert["labels"].items() for alert in group["alerts"])
    for alert in [*group["alerts"], *body("alertmanager_api", kind)]:
        assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in [*alert["labels"], *alert["annotations"]])
        assert all(isinstance(v, str) and v for v in [*alert["labels"].values(), *alert["annotations"].values()])
        assert datetime.fromisoformat(alert["startsAt"]).tzinfo is not None
        assert datetime.fromisoformat(alert["endsAt"]).tzinfo is not None


def test_alerts_of_one_subject_are_one_alert() -> None:
    """What is fired by a flag is resolved by a dismissal: same labels, same fingerprint."""
    (fired, _) = body("alertmanager", "account.flagged")["alerts"]
    dismissed = body("alertmanager", "case.decided")["alerts"][1]
    assert (fired["labels"], fired["fingerprint"]) == (dismissed["labels"], dismissed["fingerprint"])
    assert (fired["status"], dismissed["status"]) == ("firing", "resolved")
    sent = body("alertmanager_api", "account.flagged")
    assert [datetime.fromisoformat(a["endsAt"]) for a in sent] == [NOW + timedelta(days=1)] * 2


@pytest.mark.parametrize("kind", sorted(ITEMS))
def test_slack(kind: str) -> None:
    """Messages keep Slack's limits, and nothing that a suspect wrote is a mention, a link or formatting."""
    many = (ITEMS[kind] * 40)[:40]
    for items in (ITEMS[kind], many):
        message = body("slack", kind, items)
        assert len(message["blocks"]) <= 50
        for block in message["blocks"]:
            texts = [block["text"]] if "text" in block else block["elements"]
            for text in texts:
                assert 0 < len(text["text"]) <= (150 if block["type"] == "header" else 3000)
                if text["type"] == "mrkdwn":
                    links = re.findall(r"<([^>]*)>", text["text"])
                    assert all(link.startswith("https://desk.example") and link.endswith("|Open") for link in links)
        assert "<!" not in json.dumps(message)
        assert "*bold*" not in json.dumps(message, ensure_ascii=False)


@given(st.text(max_size=2000))
def test_escaped_text_is_within_limits_and_inert(text: str) -> None:
    """No text, however long or odd, breaks out of a section."""
    escaped = slack.escape(text)
    assert len(escaped) <= slack.MAX_TEXT
    assert "<" not in escaped
    assert ">" not in escaped


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=256)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(names, st.sampled_from(sorted(get_args(WebhookShape))))
def test_any_account_id_makes_a_good_body(name: str, shape: Any) -> None:
    """Whatever an account is called, every shape makes a body of it, and OCSF's stays valid."""
    found = body(shape, "account.flagged", [{**ACCOUNT, "account_id": name}])
    if shape == "ocsf":
        validate(found)
        assert found[0]["resources"] == [{"uid": name, "type": "account"}]
    if shape == "slack":
        assert len(found["blocks"][1]["text"]["text"]) <= 3000
