"""Webhooks: signed, delivered at least once, retried, logged, and never to a place inside the house by accident."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.schemas.base import Role
from api.schemas.webhooks import DeliveryPage
from api.services.webhooks import addresses, courier, sending, signing
from api.services.webhooks.courier import Courier
from api.settings import Settings
from api.storage import audit, webhooks
from api.storage.engine import Database
from tests.api.builders import account, campaign
from tests.api.receiver import Got, Receiver, receiving
from tests.api.test_verdicts import act, decide, store

Headers = dict[Role, dict[str, str]]
LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def allowed(settings: Settings) -> Settings:
    """Settings under which webhooks may reach this machine."""
    return settings.model_copy(update={"webhook_allowed_networks": "127.0.0.0/8", "public_url": "https://desk.example"})


@pytest.fixture
def http(allowed: Settings, secrets: dict[Role, str]) -> Iterator[TestClient]:
    """The application under such settings."""
    with TestClient(create_app(allowed)) as client:
        yield client


@pytest.fixture
def sender(database: Database, allowed: Settings) -> Iterator[Courier]:
    """A courier, to be stepped by hand."""
    found = Courier(database, allowed)
    yield found
    found.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with receiving() as found:
        yield found


def make(http: TestClient, headers: Headers, url: str, shape: str = "native", *kinds: str) -> dict[str, Any]:
    """Make a webhook as the admin."""
    body = {"name": "pager", "url": url, "shape": shape, "kinds": kinds or ["account.flagged"]}
    answer = http.post("/v1/webhooks", json=body, headers=headers["admin"])
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def deliver(sender: Courier) -> None:
    """Attempt all that is due, once."""
    while sender.step():
        sender.wait()


def log_of(http: TestClient, headers: Headers, hook: dict[str, Any]) -> list[Any]:
    """The delivery log."""
    answer = http.get(f"/v1/webhooks/{hook['webhook_id']}/deliveries", headers=headers["auditor"])
    return DeliveryPage.model_validate(answer.json()).items


def verified(secret: str, got: Got) -> bool:
    """Verify as the specification tells receivers to, by own means."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(got.headers["webhook-timestamp"])) < 300
    return fresh and expected in got.headers["webhook-signature"].split(" ")


def test_the_published_example_of_the_specification() -> None:
    """The signature is that of the Standard Webhooks specification's test vector."""
    at = datetime.fromtimestamp(1614265330, UTC)
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = signing.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_flag_is_told(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """New flags arrive signed, once, without a prompt, and the log says so."""
    hook = make(http, headers, receiver.url)
    store(http, database, [account("a"), account("w", 0.6)])
    deliver(sender)
    store(http, database, [account("a", 0.95)])
    deliver(sender)
    (got,) = receiver.got
    assert verified(hook["secret"], got)
    assert not verified(signing.new_secret(), got)
    assert got.headers["content-type"] == "application/json"
    body = json.loads(got.body)
    assert (body["type"], [i["account_id"] for i in body["data"]["items"]]) == ("account.flagged", ["a"])
    item = body["data"]["items"][0]
    assert (item["action"], item["codes"], item["risk"]) == ("observe", ["AML.T0024.002"], 0.9)
    assert item["url"] == "https://desk.example/account?id=a"
    (delivery,) = log_of(http, headers, hook)
    assert (delivery.state, [a.status for a in delivery.attempts]) == ("delivered", [204])
    assert delivery.message_id == got.headers["webhook-id"]


def test_each_kind_is_told_to_who_wants_it(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """Campaigns, decisions, changed verdicts and the switch make messages; kinds that a webhook did not ask for do not."""
    make(
        http,
        headers,
        receiver.url,
        "native",
        "campaign.flagged",
        "case.decided",
        "verdict.changed",
        "enforcement.changed",
    )
    store(http, database, [account("a", campaign_id="c"), account("b", 0.1)], [campaign("c", ["a"])])
    decide(http, headers, "cases/a", "confirm", act("throttle"))
    http.put("/v1/enforcement", json={"mode": "none", "reason": "an outage"}, headers=headers["admin"])
    deliver(sender)
    told = [json.loads(got.body) for got in receiver.got]
    assert [t["type"] for t in told] == [
        "verdict.changed", "campaign.flagged", "case.decided", "verdict.changed", "enforcement.changed", "verdict.changed",
    ]  # fmt: skip
    assert [t["data"]["items"][0].get("action") for t in told] == ["observe", None, None, "throttle", None, "observe"]
    assert told[2]["data"]["items"][0]["actions"] == ["throttle"]
    assert "looked at it" not in receiver.got[2].body.decode(), "the reason of a decision stays in the house"


def test_many_flags_make_few_messages(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """A wave of flags arrives in messages of at most fifty, each account once, each body of a moderate size."""
    make(http, headers, receiver.url)
    store(http, database, [account(f"a{n:03}") for n in range(120)])
    deliver(sender)
    sizes = [len(json.loads(got.body)["data"]["items"]) for got in receiver.got]
    assert sorted(sizes) == [20, 50, 50]
    assert len({i["account_id"] for got in receiver.got for i in json.loads(got.body)["data"]["items"]}) == 120


def test_failures_are_tried_again(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Errors are retried with the same id and a new time until it is taken; every attempt is in the log."""
    monkeypatch.setattr(courier, "FIRST_PAUSE", timedelta(microseconds=1))
    monkeypatch.setattr(courier, "GROWTH", 1.0)
    receiver.answer = lambda number: (503 if number < 3 else 200, {})
    hook = make(http, headers, receiver.url)
    store(http, database, [account("a")])
    deliver(sender)
    assert [a.status for a in log_of(http, headers, hook)[0].attempts] == [503, 503, 200]
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    assert all(verified(hook["secret"], got) for got in receiver.got)


def test_it_gives_up_at_last(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """After the last attempt a delivery has failed; a person can send it once more."""
    monkeypatch.setattr(courier, "FIRST_PAUSE", timedelta(microseconds=1))
    monkeypatch.setattr(courier, "GROWTH", 1.0)
    receiver.answer = lambda number: (500, {})
    hook = make(http, headers, receiver.url)
    store(http, database, [account("a")])
    deliver(sender)
    (delivery,) = log_of(http, headers, hook)
    assert (delivery.state, len(delivery.attempts)) == ("failed", courier.MAX_ATTEMPTS)
    receiver.answer = lambda number: (200, {})
    again = f"/v1/webhooks/{hook['webhook_id']}/deliveries/{delivery.delivery_id}/again"
    assert http.post(again, headers=headers["admin"]).status_code == 202
    assert http.post(again, headers=headers["admin"]).status_code == 404
    deliver(sender)
    assert log_of(http, headers, hook)[0].state == "delivered"


def test_pauses_grow_and_heed_the_receiver() -> None:
    """Pauses grow to half a day, differ a little, span more than a day together, and are at least what Retry-After says."""
    pauses = [courier.pause(n) for n in range(courier.MAX_ATTEMPTS - 1)]
    assert timedelta(seconds=4) <= pauses[0] <= timedelta(seconds=6)
    assert all(p <= courier.LONGEST_PAUSE * 1.2 for p in pauses)
    assert timedelta(days=1) < sum(pauses, timedelta()) < timedelta(days=3)
    assert courier.pause(0, 600) >= timedelta(seconds=600)
    assert courier.pause(0, 1e9) <= courier.LONGEST_PAUSE * 1.2
    assert len({courier.pause(3) for _ in range(10)}) > 1


def test_gone_disables(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """A receiver that answers 410 gets nothing more until an admin enables it again."""
    receiver.answer = lambda number: (410, {})
    hook = make(http, headers, receiver.url)
    store(http, database, [account("a")])
    deliver(sender)
    store(http, database, [account("b")])
    deliver(sender)
    assert len(receiver.got) == 1
    (shown,) = http.get("/v1/webhooks", headers=headers["lead"]).json()
    assert "410" in shown["disabled_reason"]
    http.post(f"/v1/webhooks/{hook['webhook_id']}/enable", headers=headers["admin"])
    store(http, database, [account("c")])
    deliver(sender)
    assert len(receiver.got) == 2


def test_rotation_signs_with_both(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """During the overlap either secret verifies; without one only the new secret does. No secret is ever listed."""
    hook = make(http, headers, receiver.url)
    rotate = f"/v1/webhooks/{hook['webhook_id']}/rotate"
    second = http.post(rotate, headers=headers["admin"]).json()["secret"]
    test = f"/v1/webhooks/{hook['webhook_id']}/test"
    assert http.post(test, headers=headers["admin"]).status_code == 202
    deliver(sender)
    assert verified(hook["secret"], receiver.got[0])
    assert verified(second, receiver.got[0])
    third = http.post(f"{rotate}?overlap_hours=0", headers=headers["admin"]).json()["secret"]
    http.post(test, headers=headers["admin"])
    deliver(sender)
    assert [verified(s, receiver.got[1]) for s in (hook["secret"], second, third)] == [False, False, True]
    listed = (
        http.get("/v1/webhooks", headers=headers["admin"]).text + http.get("/v1/audit", headers=headers["admin"]).text
    )
    assert not any(secret.removeprefix("whsec_") in listed for secret in (hook["secret"], second, third))
    assert audit.verify(database).problem is None


def test_a_slow_receiver_holds_up_no_other(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """While one receiver drips its answer, another gets its message; the slow one is cut off after the longest time."""
    monkeypatch.setattr(sending, "MAX_SECONDS", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        slow = make(http, headers, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        make(http, headers, receiver.url)
        store(http, database, [account("a")])
        start = time.monotonic()
        assert sender.step() == 2
        connection, _ = listener.accept()
        with connection:
            while not receiver.got and time.monotonic() < start + 10:
                time.sleep(0.01)
            assert time.monotonic() - start < 1.4
            for _ in range(30):
                try:
                    connection.sendall(b"H")
                except OSError:
                    break
                time.sleep(0.1)
            sender.wait()
    assert time.monotonic() - start < 6
    (attempt,) = log_of(http, headers, slow)[0].attempts
    assert attempt.error in ("timed out", "no whole answer within 2 s")
    assert 1400 < attempt.milliseconds < 3000


def test_a_dead_courier_loses_nothing(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """What a courier took and never finished is due again after its lease; until then it is nobody else's."""
    make(http, headers, receiver.url)
    store(http, database, [account("a")])
    now = datetime.now(UTC)
    assert len(webhooks.claim(database, now, timedelta(seconds=0.5), 10)) == 1  # and then it dies
    deliver(sender)
    assert receiver.got == []
    time.sleep(0.6)
    deliver(sender)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing is stored
@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://127.0.0.1/hook", "not public"),
        ("https://localhost/hook", "not public"),
        ("https://10.1.2.3/", "not public"),
        ("https://169.254.169.254/latest/meta-data/", "not public"),
        ("https://2130706433/", "not public"),
        ("https://0x7f.1/", "not public"),
        ("https://[::1]/", "not public"),
        ("https://[::ffff:192.168.0.1]/", "not public"),
        ("https://[64:ff9b::7f00:1]/", "not public"),
        ("https://[2002:7f00:1::]/", "not public"),
        ("https://[fe80::1]/", "not public"),
        ("https://100.64.0.1/", "not public"),
        ("https://0.0.0.0/", "not public"),
        ("http://8.8.8.8/", "use https"),
        ("https://user:secret@8.8.8.8/", "user or password"),
        ("https://8.8.8.8/#part", "after #"),
        ("https://no-such-name.invalid/", "has no address"),
        ("ftp://8.8.8.8/", "url"),
        ("https://8.8.8.8:99999/", "cannot be read"),
        ("https://8.8.8.8/a b", "url"),
    ],
)
def test_addresses_inside_the_house_are_refused(url: str, word: str, settings: Settings, headers: Headers) -> None:
    """Private, loopback, link-local and disguised addresses cannot be made a webhook's, nor odd ones; the answer says why."""
    with TestClient(create_app(settings)) as http:
        body = {"name": "n", "url": url, "kinds": ["account.flagged"]}
        answer = http.post("/v1/webhooks", json=body, headers=headers["admin"])
        assert answer.status_code == 422
        assert word in answer.text


@given(st.ip_addresses(v=4))
def test_only_global_addresses_pass(address: Any) -> None:
    """Whatever way an IPv4 address is dressed up in IPv6, it is refused exactly if it is not global."""
    number = int(address)
    dressed = [address, f"::ffff:{address}", f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}"]
    public = address.is_global and not address.is_multicast
    for text in dressed:
        try:
            addresses.resolve(str(text), 443, [])
            assert public, text
        except addresses.Refused:
            assert not public, text


def test_a_name_is_checked_when_it_is_used(
    http: TestClient, headers: Headers, database: Database, receiver: Receiver, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A name that points inside the house by the time of sending is refused then, at the very connection."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, *rest: Any, **named: Any) -> Any:
        if host != "moving.example":
            return real(host, *rest, **named)
        asked.append(host)
        return real("8.8.8.8" if len(asked) == 1 else "127.0.0.1", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    outcome = sending.send(f"https://moving.example:{port}/", b"{}", {}, [])
    assert "not public" in str(outcome.error)
    assert (len(asked), receiver.got) == (2, [])


def test_redirects_are_not_followed(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """A redirect, e.g. to an address inside, counts as a failure and says what to do."""
    receiver.answer = lambda number: (307, {"Location": "http://127.0.0.1:1/inside"})
    hook = make(http, headers, receiver.url)
    store(http, database, [account("a")])
    deliver(sender)
    (delivery,) = log_of(http, headers, hook)
    assert delivery.state == "pending"
    assert "redirects are not followed" in str(delivery.attempts[0].error)
    assert len(receiver.got) == 1


def test_certificates_are_checked_against_the_name(tmp_path: Path) -> None:
    """Over TLS the certificate must be of the webhook's name, though the connection goes to a checked address."""
    pem = tmp_path / "pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", tmp_path / "cert", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "cert", pem)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    with receiving(serving) as receiver:
        named = receiver.url.replace("127.0.0.1", "localhost")
        assert sending.send(named, b"{}", {"Host": "localhost"}, LOOPBACK, trusting).error is None
        assert "certificate" in str(sending.send(receiver.url, b"{}", {}, LOOPBACK, trusting).error).lower()
        assert "certificate" in str(sending.send(named, b"{}", {}, LOOPBACK).error).lower()
    assert len(receiver.got) == 1


def test_removal_and_the_log_s_end(
    http: TestClient, headers: Headers, database: Database, sender: Courier, receiver: Receiver
) -> None:
    """A removed webhook is gone with its queue; old deliveries are forgotten, waiting ones never."""
    hook = make(http, headers, receiver.url)
    store(http, database, [account("a")])
    deliver(sender)
    store(http, database, [account("b")])
    assert webhooks.prune(database, datetime.now(UTC) - courier.KEEP) == 0
    assert webhooks.prune(database, datetime.now(UTC) + timedelta(days=1)) == 1
    assert [d.state for d in log_of(http, headers, hook)] == ["pending"]
    path = f"/v1/webhooks/{hook['webhook_id']}"
    assert http.delete(path, headers=headers["admin"]).status_code == 204
    assert http.delete(path, headers=headers["admin"]).status_code == 404
    deliver(sender)
    assert len(receiver.got) == 1


def test_unanswered_kinds_are_refused(http: TestClient, headers: Headers) -> None:
    """A shape that has no words for a kind cannot be asked for it."""
    body = {"name": "n", "url": "https://8.8.8.8/", "shape": "ocsf", "kinds": ["enforcement.changed"]}
    answer = http.post("/v1/webhooks", json=body, headers=headers["admin"])
    assert (answer.status_code, "ocsf has no words" in answer.text) == (422, True)
