"""Parts of an account: each attribute sets apart the requests it speaks of, and nothing else decides what a part is."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from detector.event import Event, Params
from detector.parts import ATTRIBUTES, MIN_REQUESTS, PER_ATTRIBUTE, SHARE, parts
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.view import View
from tests.detector.builders import event

ALL = 40  # requests of the account
SPECIAL = range(12)  # those that differ in one attribute
DAY = 1440  # minutes


def plain(i: int, **fields: Any) -> Event:
    """An ordinary request: its own question, a day and an hour of its own."""
    return event(i, minute=i * (DAY + 67), turns=(f"question {'abcdefghij'[i % 10] * (i // 10 + 1)}",), **fields)


def opening(i: int) -> Event:
    """Ordinary requests in pairs: a question, and the dialogue that goes on with it."""
    first = f"question {'abcdefghij'[i // 2 % 10] * (i // 20 + 1)}"
    return event(i, minute=i * (DAY + 67), turns=(first,) if i % 2 == 0 else (first, "and then?"))


def turns(i: int, *texts: str) -> Event:
    """A request of these turns."""
    return event(i, minute=i * (DAY + 67), turns=texts)


CASES: dict[str, tuple[Callable[[int], Event], Callable[[int], Event]]] = {  # special and other requests
    "sentence": (
        lambda i: turns(i, f"Answer with every step of the derivation written out. {'klmnopqrst'[i % 10] * (i + 1)}"),
        plain,
    ),
    "system": (lambda i: plain(i, system="You grade."), plain),
    "settings": (lambda i: plain(i, params=Params(temperature=0.9, max_tokens=900)), plain),
    "tools": (lambda i: plain(i, tools=[{"name": "run"}]), plain),
    "model": (lambda i: plain(i, model="large"), plain),
    "logprobs": (lambda i: plain(i, params=Params(logprobs=True, top_logprobs=5)), plain),
    "alone": (lambda i: turns(i, f"alone {'x' * i}"), opening),
    "replayed": (lambda i: turns(i, f"never asked {'x' * i}", "go on"), opening),
    "sampled": (lambda i: turns(i, f"once more {'x' * (i % 4)}"), plain),
    "hour": (lambda i: event(i, minute=1000 * DAY + i, turns=(f"burst {'x' * i}",)), plain),
    "day": (lambda i: event(i, minute=1000 * DAY + 110 * i, turns=(f"spread {'x' * i}",)), plain),
}


def mixed(attribute: str, special: range = SPECIAL, size: int = ALL) -> list[Event]:
    """An account of ``size`` requests of which the ``special`` ones differ in one attribute."""
    odd, ordinary = CASES[attribute]
    return [odd(i) if i in special else ordinary(i) for i in range(size)]


def found(profiles: Profiles) -> dict[str, list[set[str]]]:
    """Ids of the requests of each part, by attribute."""
    rows = parts(profiles, View(profiles))
    out: dict[str, list[set[str]]] = {}
    for (attribute, _), part in rows.partition_by("attribute", "group", as_dict=True).items():
        out.setdefault(tuple(ATTRIBUTES)[attribute], []).append(set(part["event_id"]))
    return out


def profile(detector: Detector, events: list[Event]) -> Profiles:
    """Profile of the events."""
    return detector.profile(detector.features(events))


def ids(numbers: range) -> set[str]:
    """Ids of events."""
    return {f"e{i}" for i in numbers}


@pytest.mark.parametrize("attribute", CASES)
def test_an_attribute_sets_the_right_rows_apart(detector: Detector, attribute: str) -> None:
    """The only part by the attribute is the requests that have it."""
    assert found(profile(detector, mixed(attribute)))[attribute] == [ids(SPECIAL)]


def test_intent_sets_the_likely_rows_apart(detector: Detector) -> None:
    """Requests that probably are of one kind of harvest are a part; as likely ordinary ones are none."""
    frame = detector.features([plain(i) for i in range(ALL)]).with_columns(
        pl.lit(0, pl.Int16).alias(c) for c in ("intent_ordinary", "intent_reasoning", "intent_grading")
    )
    special = pl.col("event_id").is_in(list(ids(SPECIAL)))
    likely = frame.with_columns(pl.when(special).then(900).otherwise(100).cast(pl.Int16).alias("intent_grading"))
    usual = frame.with_columns(pl.when(special).then(900).otherwise(100).cast(pl.Int16).alias("intent_ordinary"))
    assert found(detector.profile(likely))["intent"] == [ids(SPECIAL)]
    assert "intent" not in found(detector.profile(usual))


def test_every_attribute_is_tested() -> None:
    """No attribute is forgotten here."""
    assert {*CASES, "intent"} == set(ATTRIBUTES)


@pytest.mark.parametrize(
    ("special", "size", "there"),
    [
        (range(MIN_REQUESTS - 1), 40, False),  # too few to be judged
        (range(MIN_REQUESTS), 40, True),
        (range(MIN_REQUESTS), round(MIN_REQUESTS / SHARE[0]), True),
        (range(MIN_REQUESTS), round(MIN_REQUESTS / SHARE[0]) + 2, False),  # an exception
        (range(36), 40, True),
        (range(37), 40, False),  # nearly the whole account
    ],
)
def test_a_part_has_a_least_and_a_largest_size(detector: Detector, special: range, size: int, there: bool) -> None:
    """Below MIN_REQUESTS, and outside SHARE, there is no part."""
    assert found(profile(detector, mixed("system", special, size))).get("system", []) == (
        [ids(special)] if there else []
    )


def test_the_largest_parts_of_an_attribute_are_kept(detector: Detector) -> None:
    """Of four models those with the most requests are parts."""
    names = ["a"] * 8 + ["b"] * 9 + ["c"] * 11 + ["d"] * 12
    events = [plain(i, model=name) for i, name in enumerate(names)]
    kept = found(profile(detector, events))["model"]
    assert PER_ATTRIBUTE == 2
    assert sorted(map(len, kept)) == [11, 12]


def test_parts_are_of_one_account_each(detector: Detector) -> None:
    """Two accounts that differ in the same attribute have a part each, with the share of their own requests."""
    other = [
        event(100 + i, "acct_b", i * (DAY + 67), (f"b {'x' * i}",), system="You grade." if i < 10 else None)
        for i in range(20)
    ]
    profiles = profile(detector, mixed("system") + other)
    rows = parts(profiles, View(profiles)).filter(pl.col("attribute") == list(ATTRIBUTES).index("system"))
    assert rows.group_by("group").agg(pl.col("acct").n_unique())["acct"].to_list() == [1, 1]
    shares = rows.group_by("group").agg(pl.len(), pl.col("share").first()).sort("len")
    assert shares.select("len", "share").rows() == [(10, 0.5), (12, 0.3)]


@pytest.mark.parametrize("seed", range(5))
def test_order_does_not_matter(detector: Detector, seed: int) -> None:
    """Shuffled events have the same parts under the same keys."""
    events = mixed("sampled")
    shuffled = events[:]
    random.Random(seed).shuffle(shuffled)
    columns = ["group", "attribute", "share", "event_key"]
    one, two = (
        parts(p, View(p)).select(columns).sort(columns)
        for p in (profile(detector, events), profile(detector, shuffled))
    )
    assert len(one)
    assert one.equals(two)


def test_prefixes_of_one_account_are_accounts_of_their_own(detector: Detector) -> None:
    """Rows that stand in several accounts, as prefixes of one do, are parts of each by themselves."""
    rows = detector.profile(detector.features(mixed("system"))).sample
    whole, half = (rows.head(n).with_columns(pl.lit(n, pl.UInt64).alias("acct")) for n in (ALL, ALL // 2))

    def sizes(profiles: Profiles) -> dict[int, list[int]]:
        found = parts(profiles, View(profiles)).group_by("acct", "group").len().sort("acct", "len")
        return {int(acct): own["len"].to_list() for (acct,), own in found.group_by("acct", maintain_order=True)}

    together = sizes(Profiles.of_rows(pl.concat([whole, half])))
    assert together == sizes(Profiles.of_rows(whole)) | sizes(Profiles.of_rows(half))
    assert max(together[ALL]) <= ALL
