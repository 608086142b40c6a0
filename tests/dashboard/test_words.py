"""Numbers and times in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dashboard import words


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (words.count(12_345), "12,345"),
        (words.count(1_234_567), "1.23 M"),
        (words.percent(0.97), "97 %"),
        (words.percent(0.9966), "99.7 %"),
        (words.percent(1), "100 %"),
        (words.percent(0.9998), "> 99.9 %"),
        (words.percent(0.0001), "< 0.1 %"),
        (words.percent(0), "0 %"),
        (words.percent(0.004), "0.4 %"),
        (words.amount(14), "14"),
        (words.amount(0.12345), "0.123"),
        (words.signed(-0.384), "−0.38"),
        (words.weight(2.48), "Moderate evidence: odds × 12"),
        (words.weight(-0.36), "Weak evidence: odds ÷ 1.4"),
        (words.weight(2.3), "Moderate evidence: odds × 10"),
        (words.weight(3.2), "Strong evidence: odds × 25"),
        (words.weight(80.0), "Very strong evidence: odds × over 1,000"),
        (words.known(163, 300, (0.487, 0.599)), "behind it 163 of 300 requests, 49 % to 60 %"),
        (words.expected(2.44), "2.4"),
        (words.ordinary(1 / 4800), "at most 1 in 4,800"),
        (words.ordinary(1 / 93), "at most 1 in 93"),  # whose reciprocal is a little less in floating point
        (words.ordinary(0.75), "at most 75 %"),
        (words.ordinary(0.38), "at most 1 in 2"),
        (words.ordinary(1.0), "–"),
        (
            words.false_flags(12, 1.4, (0, 4), 0.001),
            "Of the 12 flags, about 1.4 (0 to 4) are expected to be false: "
            "thresholds are set for at most 0.1 % of honest accounts, those of all sizes together.",
        ),
        (words.false_flags(1, 0.01, (0, 1), 0), "Of the 1 flag, under 0.1 (0 to 1) is expected to be false."),
        (words.duration(90), "2 minutes"),
        (words.duration(3 * 86_400), "3 days"),
        (words.quantity(1, "request"), "1 request"),
        (words.when(None), "–"),
        (words.money(12.3, "EUR"), "12.30 EUR"),
        (words.money(1204.4, "USD"), "1,204 USD"),
        (words.alike(3, 1), "3 of 4"),
        (words.alike(0, 0), "–"),
        (words.action("key.create"), "Key: create"),
        (words.action("signals.set_shadow"), "Signals: set shadow"),
    ],
)
def test_numbers_read_well(shown: str, expected: str) -> None:
    """Counts, shares and lengths of time come with unit and sensible precision."""
    assert shown == expected


def test_times_are_utc() -> None:
    """A time of any zone is shown in UTC."""
    assert words.when(datetime(2026, 9, 7, 12, tzinfo=timezone(timedelta(hours=2)))) == "2026-09-07 10:00"


@pytest.mark.parametrize(
    ("hours", "said"), [(49.5, "in 2 days"), (1.7, "in 2 hours"), (-3.2, "3 hours late"), (-50, "2 days late")]
)
def test_what_is_due_is_told_from_now(hours: float, said: str) -> None:
    """What is to come and what is late are told apart; what is never due is left empty."""
    assert words.until(datetime.now(UTC) + timedelta(hours=hours)) == said
    assert words.until(None) == ""
