"""Explanations: every verdict has its reasons, they add up, and the terminal shows them safely."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from rich.console import Console

from detector.assessment import CampaignFinding
from detector.explain.case import case_of, restricted
from detector.explain.console import print_explanation
from detector.explain.course import MAX_GROWTH
from detector.explain.explanation import Explanation, explain
from detector.explain.sources import nearest, to_json
from detector.explain.words import NO_PROFILE, sentences
from detector.pipeline import Detector
from detector.signals import SIGNALS
from tests.detector.explain.conftest import Log


@pytest.fixture(scope="module")
def explained(log: Log, detector: Detector) -> list[Explanation]:
    """Some explanations of each verdict, members of campaigns among them."""
    members = [a for a in log.of("flag") if a.campaign_id][:2]
    chosen = [*members, *log.of("flag")[:2], *log.of("watch")[:2], *log.of("clear")[:2], log.of("clear")[-1]]
    names = dict.fromkeys(a.account_id for a in chosen)
    return [explain(log.profiles, log.assessment, name, detector.scorer) for name in names]


def shown(explained: Explanation, width: int = 140) -> str:
    """What the terminal shows."""
    out = io.StringIO()
    print_explanation(Console(file=out, width=width, highlight=False), explained)
    return out.getvalue().replace("\u00a0", " ")


def test_every_verdict_is_explained(explained: list[Explanation]) -> None:
    """There are flagged, watched and clear accounts and members of campaigns among the explained, each with its evidence."""
    assert {e.account.verdict for e in explained} >= {"flag", "clear"}
    assert any(e.campaign for e in explained)
    for e in explained:
        assert e.account.evidence
        assert len(e.account.activity) == 168
        assert e.what_if is not None


def test_shares_add_up_within_the_riskiest_part(explained: list[Explanation], log: Log, detector: Detector) -> None:
    """All signals are there; with the base and what sets the riskiest part apart, their shares give the own risk; evidence tells the same."""
    width = len(SIGNALS)
    for e in explained:
        assert {s.signal for s in e.shares} == {s.name for s in SIGNALS}
        assert e.base is not None
        assert e.what_if is not None
        told = {x.signal: x.contribution for x in e.account.evidence if x.signal != "campaign"}
        assert told == {s.signal: pytest.approx(s.contribution) for s in e.shares if s.said}
        if e.what_if.too_few:
            continue
        case = case_of(restricted(log.profiles, log.acct(e.account.account_id)), detector.scorer)
        odds = detector.scorer.accounts.predict(case.x)
        riskiest = case.x[[int(odds.argmax())]]
        apart = float(detector.scorer.accounts.shares(riskiest)[0, width:-width].sum())
        total = e.base + sum(s.contribution for s in e.shares) + apart
        assert total == pytest.approx(float(odds.max()), abs=1e-6)
        assert case.risk_of(total) == pytest.approx(e.what_if.own_risk, abs=1e-6)


def test_the_course_is_in_order(explained: list[Explanation]) -> None:
    """Points of the course are in the order of requests and time, within the account's life."""
    for e in explained:
        assert [p.requests for p in e.course] == sorted(p.requests for p in e.course)
        assert [p.at for p in e.course] == sorted(p.at for p in e.course)
        assert all(e.account.first_seen <= p.at <= e.account.last_seen for p in e.course)


def test_what_would_change_it_fits_the_verdict(explained: list[Explanation]) -> None:
    """Flagged accounts are told what would clear them, others what would flag them and after how many requests."""
    for e in explained:
        found = e.what_if
        assert found is not None
        verdict = e.account.verdict
        if verdict == found.own_verdict == "flag":
            assert found.less is None or found.less.verdict != "flag"
            assert not found.more
        if verdict == "clear":
            assert found.less is None
            assert found.too_few or found.more or found.closest
        if found.flagged_after is not None:
            assert found.own_risk >= e.flag_at
            assert found.flagged_after <= e.account.requests
        if found.flagged_at_requests is not None:
            assert e.account.requests < found.flagged_at_requests <= e.account.requests * MAX_GROWTH + 1


def test_the_words_say_what_was_found(explained: list[Explanation]) -> None:
    """Sentences name the campaign's part, the signals and their values; without a profile they say what to do."""
    for e in explained:
        words = " ".join(sentences(e))
        assert ("Without its campaign" in words) == (e.campaign is not None)
        found = e.what_if
        assert found is not None
        for change in [*([found.less] if found.less else []), *found.more]:
            assert all(s.title.lower() in words for s in change.settings)
        assert all(s.endswith(".") for s in sentences(e))
    assert sentences(msgspec.structs.replace(explained[0], what_if=None)) == [NO_PROFILE]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_terminal_shows_all_parts(explained: list[Explanation], width: int) -> None:
    """Verdict, thresholds, evidence for and against, ties and what would change are on the terminal, within its width."""
    for e in explained:
        text = shown(e, width)
        assert e.account.verdict.upper() in text
        for part in ("Evidence for", "Evidence against", "What would change the verdict", "check entitlement"):
            assert part in " ".join(text.split())
        strongest = next(s for s in e.shares)
        assert re.split(r"[\s-]", strongest.title)[0] in text  # a narrow column breaks a title at spaces and hyphens
        if isinstance(e.campaign, CampaignFinding):
            assert e.campaign.campaign_id in text
            assert len(e.campaign.ties) == 0 or "accounts" in text
        assert max(map(len, text.splitlines())) <= width


def test_hostile_words_do_not_disturb_the_terminal(explained: list[Explanation]) -> None:
    """Ids, templates and slots of suspects reach the terminal as plain text; JSON takes lone surrogates."""
    e = msgspec.convert(msgspec.to_builtins(explained[0]), Explanation)
    hostile = "\x1b[2J[red]x[/] \u202e\x00\ud800"
    e.account.account_id = hostile
    e.account.harvest = hostile
    for template in e.account.templates:
        template.text, template.slot_examples = hostile, [hostile]
    if e.campaign:
        e.campaign.members = {hostile: hostile}
        e.campaign.accounts = [hostile, hostile + "2"]
    text = shown(e)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "[red]x[/]" in text
    assert msgspec.json.decode(to_json(e))["account"]["risk"] == e.account.risk


def test_an_unknown_account_is_an_error(log: Log, detector: Detector) -> None:
    """Explaining an account that is not there raises KeyError."""
    with pytest.raises(KeyError):
        explain(log.profiles, log.assessment, "nobody", detector.scorer)


def test_nearest_ids() -> None:
    """Ids that contain the unknown one come first, then those spelt nearly so; nothing alike gives nothing."""
    known = ["acct_1", "acct_12", "acct_77", "team-blue", "Team-Blue-2"]
    assert nearest("team-blue", ["Team-Blue-2", "acct_1"]) == ["Team-Blue-2"]
    assert nearest("acct_72", known)[0] in {"acct_77", "acct_12"}
    assert nearest("zzzzzz", ["acct_1"]) == []
    assert nearest("", known) == []


def test_reasons_count_in_the_part_or_in_the_whole(log: Log) -> None:
    """Each reason looks at the requests that it says it was counted in, and both kinds stand side by side in some account."""
    mixed = 0
    for a in log.assessment.accounts:
        reasons = [e for e in a.evidence if e.signal != "campaign" and e.requests is not None]
        for e in reasons:
            counted = int(e.part.split(" of ")[0].replace(",", "")) if e.part else a.requests
            assert e.looked_at == counted
            assert e.requests is not None
            assert e.requests <= e.looked_at
            assert len(e.event_ids) <= e.requests
        mixed += len({e.part for e in reasons}) == 2
    assert mixed


def test_the_arithmetic_adds_up(explained: list[Explanation]) -> None:
    """What is printed below the evidence ends with the log-odds that decide, beside those from which an account is flagged."""
    for e in explained:
        text = " ".join(shown(e).split())
        if e.log_odds is None:
            assert "no log-odds are made of them" in text
            continue
        start = text.index("to begin with")
        numbers = [float(n) for n in re.findall(r"[+-]\d+\.\d", text[start - 10 : text.index("flagged from +") + 20])]
        *terms, total, flagged_from = numbers[:7]
        assert sum(terms) == pytest.approx(total, abs=0.3)  # each is rounded to a tenth
        assert total == pytest.approx(e.log_odds, abs=0.06)
        assert flagged_from == pytest.approx(e.flag_log_odds, abs=0.06)
