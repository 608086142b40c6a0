"""No guilt by association: what an account shares with a flagged one says nothing about it by itself."""

from __future__ import annotations

import msgspec
import pytest

from detector.assessment import AccountFinding
from detector.event import Event
from detector.pipeline import Detector
from detector.simulate import Campaign, Scenario, simulate

SHARERS = 4  # honest accounts that share it: with the flagged one enough for a group


def findings(detector: Detector, events: list[Event]) -> dict[str, AccountFinding]:
    """Findings of a log by account."""
    return {a.account_id: a for a in detector.assess(detector.profile(detector.features(events))).accounts}


@pytest.fixture(scope="module")
def log() -> list[Event]:
    """One plain harvester among chat users."""
    harvest = Campaign("reasoning", "tags", accounts=1, requests=80, cover=0.0)
    return simulate(Scenario(size=0.4, tenants={"chat_user": 40}, campaigns=(harvest,)), 4).events


@pytest.fixture(scope="module")
def apart(detector: Detector, log: list[Event]) -> dict[str, AccountFinding]:
    """What is found where nobody shares anything."""
    return findings(detector, log)


def sharing(log: list[Event], source: str, sharers: set[str], payment: bool, address: bool) -> list[Event]:
    """The log with the payment method or address of one account as that of others too."""
    own = next(e for e in log if e.account_id == source)
    out = []
    for event in log:
        if event.account_id in sharers:
            account, client = event.account, event.client
            if payment:
                account = msgspec.structs.replace(account, payment_fingerprint="shared-card")
            if address:
                client = msgspec.structs.replace(client, ip="203.0.113.9", asn=own.client.asn)
            event = msgspec.structs.replace(event, account=account, client=client)
        out.append(event)
    return out


@pytest.mark.parametrize(
    ("payment", "address"), [(True, False), (False, True), (True, True)], ids=["payment", "address", "both"]
)
def test_a_payment_method_or_address_of_a_flagged_account_raises_nobody(
    detector: Detector, log: list[Event], apart: dict[str, AccountFinding], payment: bool, address: bool
) -> None:
    """Honest accounts that pay with a flagged one's card, or come from its address, keep their verdict and risk to the digit."""
    (source,) = [a for a, f in apart.items() if f.verdict == "flag"]
    sharers = {a for a, f in sorted(apart.items()) if f.verdict == "clear" and f.requests >= 8}
    sharers = set(sorted(sharers)[:SHARERS])
    assert len(sharers) == SHARERS
    together = findings(detector, sharing(log, source, sharers | {source}, payment, address))
    assert together[source].verdict == "flag"
    for account_id in sharers:
        assert together[account_id].verdict == "clear"
        assert together[account_id].risk <= apart[account_id].risk
        assert together[account_id].campaign_id is None
