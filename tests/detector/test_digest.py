"""Digests: what a finding shows of its requests is counted right, for many accounts at once, in any order."""

from __future__ import annotations

import polars as pl
import pytest

from detector.digest import EXAMPLES, MIN_TEMPLATE, Digest, digests
from detector.pieces import hash64
from detector.pipeline import Detector
from detector.profiles import HOURS
from tests.detector.builders import event

FRAME = "Explain every single step of the way, please."
USED_BY = 7  # accounts of the whole log


@pytest.fixture(scope="module")
def rows(detector: Detector) -> pl.DataFrame:
    """Ten framed requests of one account, a minute apart, two of them alike, and a greeting of another."""
    framed = [event(i, "a", i, (f"{FRAME} What is {'abcdefghi'[min(i, 8)] * 9}?",)) for i in range(10)]
    return detector.profile(detector.features([*framed, event(99, "b", 3 * 60, ("good morning to you",))])).sample


def digested(rows: pl.DataFrame) -> tuple[Digest, Digest]:
    """Digests of both accounts."""
    usage = pl.DataFrame({"pieces": rows["pieces"].explode().drop_nulls().unique()})
    found = digests(rows, "acct", usage.with_columns(pl.lit(USED_BY).alias("accounts")))
    return found[hash64("a")], found[hash64("b")]


def test_what_is_shown_of_each(rows: pl.DataFrame) -> None:
    """Examples are of different prompts, the frame is the one template with its fillings, hours and topics count requests."""
    framed, greeting = digested(rows)
    assert len(framed.examples) == EXAMPLES == len(set(framed.examples))
    (template,) = framed.templates
    assert (template.requests, template.share, template.distinct_slots) == (10, 1.0, 9)
    assert template.accounts == USED_BY
    assert len(template.event_ids) == EXAMPLES
    assert template.template_id in {f"{k:016x}" for k in rows["pieces"].explode().drop_nulls()}
    assert sum(n for _, n in framed.clusters) == 10
    assert [n for _, n in framed.clusters] == sorted((n for _, n in framed.clusters), reverse=True)
    assert len(framed.activity) == HOURS
    assert framed.activity[0] == 10
    assert greeting.examples == ["e99"]
    assert greeting.templates == []
    assert greeting.activity[3] == 1 == sum(greeting.activity)


@pytest.mark.parametrize("seed", [1, 2])
def test_order_does_not_matter(rows: pl.DataFrame, seed: int) -> None:
    """Shuffled rows have the same digests."""
    assert digested(rows.sample(fraction=1.0, shuffle=True, seed=seed)) == digested(rows)


def test_a_sentence_in_few_requests_is_no_template(rows: pl.DataFrame) -> None:
    """Below the least number of requests nothing is shown."""
    few = pl.concat(
        [rows.filter(pl.col("acct") == hash64("a")).head(MIN_TEMPLATE[0] - 1), rows.filter(pl.col("event_id") == "e99")]
    )
    assert digested(few)[0].templates == []
