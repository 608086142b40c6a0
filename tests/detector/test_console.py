"""The terminal: progress with rate and time left, and findings as tables that no suspect's text can disturb."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from detector.assessment import Assessment
from detector.console import PLAIN_EVERY, SHOWN_ACCOUNTS, AuditProgress, print_assessment
from tests.detector.report.builders import account, campaign, findings, run


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def plain(width: int = 140) -> tuple[Console, io.StringIO]:
    """A console that writes to memory and is no terminal."""
    out = io.StringIO()
    return Console(file=out, width=width, highlight=False), out


def terminal() -> tuple[Console, io.StringIO]:
    """A console that believes to be a terminal."""
    out = io.StringIO()
    return Console(file=out, width=160, force_terminal=True, highlight=False, _environ={"TERM": "xterm"}), out


def shown(words: str = "plain words", width: int = 140) -> str:
    """What is printed for findings whose texts are all ``words``."""
    console, out = plain(width)
    run_, assessment, _ = findings(words)
    print_assessment(console, run_, assessment, Path("audit"))
    return out.getvalue()


def test_prints_findings_and_what_to_do() -> None:
    """Flagged accounts, campaigns, expected false flags, the caution, rejected rows and the report are all there."""
    text = " ".join(shown().replace("\u00a0", " ").split())  # long lines are wrapped
    for expected in (
        "2 accounts flagged of 3; 1 watched; 1 campaign.",
        "99.0 %",
        "c1",
        "plain words",
        "Of the 2 flags, about 0.3 (0 to 2) are expected to be false: "
        "thresholds are set for at most 0.05 % of honest accounts, those of all sizes together.",
        "check entitlement",
        "2 rows could not be read",
        "audit/rejected.jsonl",
        "audit/report.html",
        "500/s",
    ):
        assert expected in text, expected


def test_own_reasons_come_before_membership() -> None:
    """The top reason is the weightiest of the account's own, and its place in a campaign only where there is no other."""
    finding = account("acct_1", "own reason")
    finding.evidence[0].contribution = 0.5
    member = account("acct_1", "member of a campaign").evidence[0]
    member.signal, member.contribution = "campaign", 5.0
    finding.evidence.insert(0, member)
    console, out = plain()
    print_assessment(console, run(), Assessment(accounts=[finding], campaigns=[]))
    assert "own reason" in out.getvalue()
    assert "member of" not in out.getvalue()


def test_a_campaign_is_one_row() -> None:
    """A campaign is told in one row with its flagged accounts counted; only accounts in no campaign have rows of their own."""
    console, out = plain()
    accounts = [account("member_1"), account("member_2"), account("member_3", verdict="watch"), account("alone")]
    found = Assessment(accounts=accounts, campaigns=[campaign("words", ["member_1", "member_2", "member_3"])])
    print_assessment(console, run(), found)
    [row] = [r for r in out.getvalue().splitlines() if "c1" in r]
    assert [cell.strip() for cell in row.split("│")][2:5] == ["c1", "3", "2"]
    assert "alone" in out.getvalue()
    assert "member_" not in out.getvalue()


def test_long_lists_are_cut_and_counted() -> None:
    """Only the riskiest accounts are printed; the rest is counted."""
    many = [account(f"acct_{i:03d}", risk=0.5 + i / 1000) for i in range(SHOWN_ACCOUNTS + 7)]
    console, out = plain()
    print_assessment(console, run(), Assessment(accounts=many, campaigns=[]), Path("audit"))
    assert "acct_026" in out.getvalue()
    assert "acct_006" not in out.getvalue()
    assert "… and 7 more flagged accounts in the report" in out.getvalue()


def test_nothing_found() -> None:
    """Without findings there are no tables and no talk of false flags."""
    console, out = plain()
    print_assessment(console, run(events=0, seconds=0.0, rejected=0), Assessment(accounts=[], campaigns=[]))
    assert "0 accounts flagged" in out.getvalue()
    assert "false" not in out.getvalue()


@settings(max_examples=30, deadline=None)
@given(
    st.one_of(
        st.text(alphabet=st.characters(exclude_categories=()), max_size=80),
        st.lists(
            st.sampled_from(["[red]", "[/]", "[link=http://x]", "\x1b[2J", "\x07", "\u202e", "\x00", "\r", "\ud800"]),
            max_size=5,
        ).map("".join),
    )
)
def test_no_text_disturbs_the_terminal(words: str) -> None:
    """Suspects' text is neither markup nor an escape sequence: no control character reaches the terminal."""
    text = shown(words)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_markup_is_printed_as_text() -> None:
    """Brackets of rich's markup stand in the output as they were written."""
    assert "[bold]x[/bold]" in shown("[bold]x[/bold]")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_fits_the_width(width: int) -> None:
    """Tables keep to the width of the terminal."""
    table = [row for row in shown("word " * 100, width).splitlines() if row[:1] in "│┃┏└┡"]
    assert table
    assert max(map(len, table)) <= width


def test_plain_progress_tells_rate_and_time_left() -> None:
    """Where the output is no terminal, long work says every few seconds how far it is, how fast, and how long it will take."""
    clock = Clock()
    console, out = plain()
    with AuditProgress(console, clock) as progress:
        progress.stage("reading")
        for step in range(1, 5):
            clock.now = step * PLAIN_EVERY / 2
            progress.advance(step * 1_000_000, 8_000_000, step * 1000)
        clock.now = 25.0
        progress.stage("assessing")
        clock.now = 27.0
    lines = out.getvalue().replace("\u00a0", " ").splitlines()
    assert lines == [
        "reading: 25 % of 8.0 MB, 2,000 requests, 200/s, 200.0 kB/s, 30 s left",
        "reading: 50 % of 8.0 MB, 4,000 requests, 200/s, 200.0 kB/s, 20 s left",
        "reading: done in 25 s (4,000 requests, 160/s, 160.0 kB/s)",
        "assessing: done in 2.0 s",
    ]


def test_bar_on_a_terminal() -> None:
    """On a terminal each stage has a bar, ending at 100 percent with the rate."""
    console, out = terminal()
    with AuditProgress(console, Clock()) as progress:
        progress.stage("reading [red]")
        progress.advance(0, 0, 0)
        progress.advance(50, 100, 10)
        progress.stage("assessing")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    assert "reading [red]" in text
    assert "10 requests" in text
    assert text.count("100 %") >= 2


def test_a_failing_stage_is_not_called_done() -> None:
    """An error passes through, and the stage that broke is not reported as finished."""
    console, out = plain()
    progress = AuditProgress(console)
    progress.stage("reading")
    with pytest.raises(ValueError, match="broken"), progress:
        raise ValueError("broken")
    assert "done" not in out.getvalue()
