"""report.html: whole, safe against the people it reports on, and usable offline."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.assessment import NOT_CHANCES, TIE_TITLES, Assessment, Tie
from detector.report import page as page_module
from detector.report import write_report
from detector.report.page import render as page
from tests.detector.report.builders import START, account, evidence, findings, run
from tests.detector.report.html import LOADING, Page

EXPECTED_TAGS = Page(page(*findings())).tags
HOSTILE = [
    "<script>alert(1)</script>",
    "</pre></main></body></html><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>body{background:url(http://evil.example/x)}",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "--><!--",
    "<![CDATA[",
    "{{ 7*7 }} {% raw %} {0} %s {account_id.__class__}",
    "javascript:alert(1)",
    "&lt;script&gt; &amp; &#60;b&#62;",
    "\u202egnp.exe\u202c zero\u200bwidth \u2066isolate\u2069 \ufeffmark",
    "nul\x00 esc\x1b[31m bell\x07 \x7f \x85",
    "tag\U000e0041\U000e0042 filler\u3164 joiner\u034f selector\U000e0100",
    "half \ud800 a pair",
]
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\u3164\u034f\U000e0000-\U000e01ff]"
)


def assert_safe(html: str) -> Page:
    """The page closes what it opens, holds only the elements of a harmless page, and neither runs nor loads anything."""
    parsed = Page(html)
    assert parsed.faults == []
    assert parsed.tags <= EXPECTED_TAGS
    assert not parsed.tags & {"script", "img", "iframe", "link", "base", "object", "form"}
    assert all(h.startswith("#") for h in parsed.hrefs)
    assert not [a for a in parsed.attributes if a[1] in LOADING or a[1].startswith("on")]
    styles = [v for _, name, v in parsed.attributes if name == "style"]
    assert all(re.fullmatch(r"width: \d+%", s) for s in styles)
    assert not HIDDEN.search(html)
    return parsed


@pytest.mark.parametrize("attack", HOSTILE)
def test_known_attacks_stay_text(attack: str) -> None:
    """Each attack, put into every text of every finding, changes no element, link or attribute of the page."""
    assert_safe(page(*findings(attack)))


@settings(max_examples=25, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200), st.lists(st.sampled_from([*HOSTILE, "<", '"', "&", "{…}"]), max_size=6).map("".join)
    )
)
def test_any_text_stays_text(words: str) -> None:
    """Whatever a suspect writes, the page stays whole and harmless."""
    assert_safe(page(*findings(words)))


def test_the_check_can_fail() -> None:
    """An unescaped script, an event handler, an address and a hidden character are each noticed."""
    html = page(*findings())
    for bad in (
        "<script>1</script>",
        "<p onclick=x></p>",
        '<a href="http://evil.example"></a>',
        "\u202e",
        "</section>",
    ):
        with pytest.raises(AssertionError):
            assert_safe(html.replace("<main", f"{bad}<main", 1))


def test_huge_texts_are_cut() -> None:
    """A text of a megabyte in every place leaves a page of ordinary size, which says what was cut."""
    html = page(*findings("long text " * 100_000))
    assert len(html) < 300_000
    assert "the first of 1.00 million characters" in html


def test_loads_nothing() -> None:
    """No address stands in the page, and its content security policy forbids all loading and all scripts."""
    html = page(*findings())
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    policy = next(
        v for tag, name, v in Page(html).attributes if tag == "meta" and name == "content" and "default-src" in v
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "script-src" not in policy


def test_links_lead_somewhere() -> None:
    """Every anchor exists once, and every link leads to one."""
    parsed = Page(page(*findings()))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {h[1:] for h in parsed.hrefs} <= set(parsed.ids)
    labelled = [v for _, name, v in parsed.attributes if name == "aria-labelledby"]
    assert labelled
    assert set(labelled) <= set(parsed.ids)


def test_says_what_was_found() -> None:
    """Totals, the caution, both sides of the evidence, slots, ties in plain words and the example prompts are on the page."""
    run_, assessment, examples = findings("my own words")
    text = " ".join(Page(page(run_, assessment, examples)).text.split())
    for expected in (
        "1,000 requests of 3 accounts, 2026-09-07 00:00 to 2026-09-09 00:00 UTC", "looks like harvesting", "check entitlement",
        "For harvesting (1)", "Against (1)", "×12", "÷2.7", "Higher than 98", "20.0 bits", "about 1 in 1.05 million",
        "{…} end", "listed in rejected.jsonl", "180,000", "Busiest hour",
    ):  # fmt: skip
        assert expected in text.replace("\u00a0", " "), expected
    assert text.count("my own words") > 20


@pytest.mark.parametrize("kind", sorted(TIE_TITLES))
def test_a_strength_is_not_told_as_a_chance(kind: str) -> None:
    """Each kind of tie has a heading; a weight is told as a chance where one stands behind it, and else not in bits."""
    run_, assessment, examples = findings("my own words")
    assessment.campaigns[0].ties = [Tie(kind=kind, text="They are alike.", weight=7.4, members=2)]
    text = Page(page(run_, assessment, examples)).text
    told = f"{TIE_TITLES[kind]} 7.4 {'' if kind in NOT_CHANCES else 'bits'} They are alike."
    assert "".join(told.split()) in "".join(text.split())
    assert ("by accident with a chance of" in text) == (kind not in NOT_CHANCES)


def test_flagged_accounts_beyond_the_cap_are_named_as_missing() -> None:
    """The page holds the riskiest accounts up to the cap, and says where the others are."""
    many = [account(f"acct_{i}", risk=0.6 + i / 1000) for i in range(page_module.MAX_ACCOUNTS + 30)]
    html = page(run(), Assessment(accounts=many, campaigns=[]), {})
    parsed = Page(html)
    assert sum(i.startswith("account-") and not i.endswith("-title") for i in parsed.ids) == page_module.MAX_ACCOUNTS
    assert "The 100 riskiest of 130 flagged accounts are shown" in parsed.text
    assert "acct_129" in parsed.text
    assert "acct_3 " not in parsed.text


def test_the_strongest_reasons_come_first_and_the_rest_is_counted() -> None:
    """Reasons stand by weight on their side; beyond the cap only their number is given."""
    finding = account("acct_1")
    finding.evidence = [evidence(f"reason {i}", 0.1 + i / 10) for i in range(page_module.MAX_REASONS + 2)]
    text = Page(page(run(), Assessment(accounts=[finding], campaigns=[]), {})).text
    assert text.index("reason 9") < text.rindex("reason 8") < text.rindex("reason 5")
    assert "And 2 weaker reasons" in text
    assert "Nothing measurable speaks against it." in text


def test_a_part_is_named_once() -> None:
    """Reasons that were counted in a part of an account's requests stand below one line that says so."""
    finding = account("acct_1")
    for reason in finding.evidence:
        reason.part = "30 of its 120 requests, those of one day"
        reason.text += f" Counted in {reason.part}."
    html = page(run(), Assessment(accounts=[finding], campaigns=[]), {})
    section = html[html.index('id="account-1"') :]
    assert section.count("Counted in 30 of its 120 requests, those of one day") == 1


def test_without_content() -> None:
    """Where no text is kept the page says so and shows the rest."""
    finding = account("acct_1")
    finding.templates[0].text = ""
    text = Page(page(run(), Assessment(accounts=[finding], campaigns=[]), {})).text
    assert "No text is kept of these requests" in text
    assert "No words are kept for this template" in text


@pytest.mark.parametrize("accounts", [[], [account("acct_1", verdict="clear", risk=0.0)]])
def test_nothing_found(accounts: list) -> None:
    """A log without findings, or without accounts, gives a whole page that says so."""
    html = page(
        run(events=0, accounts=0, seconds=0.0, timeline=[], first_event=None),
        Assessment(accounts=accounts, campaigns=[]),
        {},
    )
    assert "No account was flagged." in assert_safe(html).text


def test_odd_numbers_do_not_break_pictures() -> None:
    """Not-a-number, infinite, empty and skewed figures still give a whole page."""
    odd = account("acct_1", risk=float("nan"))
    odd.evidence = [evidence("odd", float("inf")), evidence("odd", float("nan"))]
    odd.requests, odd.activity = 0, [0] * 168
    one = account("acct_2", risk=1.0)
    one.requests, one.activity = 10**12, [1, 2, 3]
    html = page(run(timeline=[]), Assessment(accounts=[odd, one], campaigns=[]), {})
    assert_safe(html)
    assert not re.search(r'"(nan|inf|-inf)"|[ M](nan|inf)', html)


def test_writes_both_files(tmp_path: Path) -> None:
    """write_report makes the folder and both files, readable as UTF-8 whatever the texts hold."""
    out = tmp_path / "new" / "folder"
    write_report(out, *findings("half \ud800 a pair, \u202e and ünïcode"))
    assert "⟨U+D800⟩" in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "report.json").stat().st_size > 1000
    assert START.strftime("%Y-%m-%d") in (out / "report.json").read_text(encoding="utf-8")


def test_error_rates_are_stated() -> None:
    """The page says how many flags are expected to be false, and of each account how many honest ones score as high."""
    html = page(*findings()).replace("\u00a0", " ")
    assert (
        "Of the 2 flags, about 0.3 (0 to 2) are expected to be false: "
        "thresholds are set for at most 0.05 % of honest accounts, those of all sizes together" in html
    )
    assert "At most 1 in 4,800 honest accounts of its size scores as high. Of the flags" in html
    assert "at least as high, 2.0 % are expected to be false" in html


def test_what_was_read_is_told_where_files_were() -> None:
    """The size of what was read stands there for log files, and not for events that were in a database already."""
    found, assessment, examples = findings()
    assert "<dt>Read</dt>" in page(msgspec.structs.replace(found, bytes=12_800_000), assessment, examples)
    assert "<dt>Read</dt>" not in page(msgspec.structs.replace(found, bytes=0), assessment, examples)


def test_output_that_is_not_logged_is_not_none_taken() -> None:
    """Where a log names no output tokens, the page says so, and tells no number."""
    run_, assessment, examples = findings()
    for finding in (*assessment.accounts, *assessment.campaigns):
        finding.output_tokens = 0
    text = Page(page(run_, assessment, examples)).text
    assert "Output tokensnone logged" in text
    assert "Output tokens they tooknone logged" in text
