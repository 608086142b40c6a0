"""report.json: all findings, exactly, for programs."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.assessment import AccountFinding, CampaignFinding
from detector.report.document import render
from tests.detector.report.builders import findings


def test_holds_the_findings() -> None:
    """Run, totals, campaigns and flagged accounts with their evidence come back as they were given."""
    run, assessment, examples = findings("own words")
    report = json.loads(render(run, assessment, examples))
    assert report["run"]["events"] == 1000
    assert report["run"]["events_per_second"] == 500
    assert report["totals"]["flagged"] == 2
    assert report["totals"]["watched"] == 1
    assert report["totals"]["flagged_output_tokens"] == 180_000
    assert report["totals"]["expected_false_flags"] == 0.3
    assert report["totals"]["expected_false_flags_interval"] == [0, 2]
    assert report["totals"]["max_false_flags"] == 0.0005
    assert msgspec.convert(report["accounts"], list[AccountFinding]) == assessment.flagged()
    assert msgspec.convert(report["campaigns"], list[CampaignFinding]) == assessment.campaigns
    assert report["examples"]["e1"]["prompt"] == "own words"
    assert "check entitlement" in report["note"]


def test_flagged_come_riskiest_first() -> None:
    """The order of the accounts in the file is the order to read them in."""
    run, assessment, examples = findings()
    assessment.accounts[0].risk, assessment.accounts[1].risk = 0.91, 0.99
    risks = [a["risk"] for a in json.loads(render(run, assessment, examples))["accounts"]]
    assert risks == [0.99, 0.91]


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_any_text_is_valid_json(words: str) -> None:
    """Whatever a suspect writes, the file is UTF-8 JSON and gives the text back; only half surrogates are replaced."""
    run, assessment, examples = findings(words)
    report = json.loads(render(run, assessment, examples).decode("utf-8"))
    assert report["accounts"][0]["evidence"][0]["text"] == words.encode("utf-8", "replace").decode()
