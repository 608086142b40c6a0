"""A large database for the pages: cases with evidence, campaigns, events, decisions, an audit trail, an index to search in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl

from api.schemas.jobs import BacktestIn
from api.services.likeness import FILE
from api.storage import audit, campaigns, cases, decisions, events, jobs, ranges, samples, segments
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding, Evidence, Template, Tie
from detector.codebook import Codebook
from detector.event import Client, Event, Message, Usage
from detector.likeness import Likeness
from detector.signals import SIGNALS

SEED = 7
CHUNK = 5000
CAMPAIGNS = 400
MEMBERS = 40
REVIEWED = 2000
TRAIL = 20_000
DAYS = 28
START = datetime(2026, 9, 7, tzinfo=UTC)
HARVESTS = ("reasoning elicitation", "instruction/answer pairs", "repeated sampling", "grading")
PROMPT = "Explain {topic} number {n} step by step, and put your whole reasoning into tags before the answer. " * 3


def name(n: int) -> str:
    """An account's id."""
    return f"acct_{n:06d}"


def fill(database: Database, folder: Path, accounts: int, stored: int) -> None:
    """Fill a migrated database, and write the search index into ``folder``."""
    rng = random.Random(SEED)
    segments.ensure(database)
    _events(database, accounts, stored)
    _findings(database, accounts, stored, rng)
    _reviews(database, accounts, rng)
    _index(folder, accounts)


def _events(database: Database, accounts: int, stored: int) -> None:
    for start in range(0, stored, CHUNK):
        rows = []
        for n in range(start, min(start + CHUNK, stored)):
            when = START + timedelta(seconds=n * DAYS * 86_400 / stored)
            event = Event(
                event_id=f"e{n}",
                timestamp=when,
                account_id=name(n % accounts),
                model="large-2",
                messages=[Message(content=PROMPT.format(topic=n % 997, n=n))],
                response="First, consider the case. " * 12,
                usage=Usage(input_tokens=60, output_tokens=400),
                client=Client(ip="198.51.100.7", country="SG", user_agent="python/3"),
            )
            rows.append(events.to_row(event, when))
        with database.write("events") as connection:
            events.insert(connection, rows)


def _evidence(rng: random.Random) -> list[Evidence]:
    chosen = rng.sample(SIGNALS, 8)
    return [
        Evidence(
            signal=s.name,
            title=s.title,
            direction="for" if i < 5 else "against",
            value=rng.random(),
            unit="share of requests",
            percentile=rng.random(),
            contribution=(1 if i < 5 else -1) * rng.random() * 3,
            text=f"{rng.randint(20, 99)} % of {rng.randint(20, 900)} requests show it, of ordinary accounts at most 3 %.",
        )
        for i, s in enumerate(chosen)
    ]


def _finding(n: int, rng: random.Random, stored: int, accounts: int) -> AccountFinding:
    risk = 0.2 + 0.8 * rng.random()
    seen = START + timedelta(hours=rng.randrange(DAYS * 20))
    each = max(stored // accounts, 1)
    return AccountFinding(
        account_id=name(n),
        risk=risk,
        verdict="flag" if risk > 0.5 else "watch",
        requests=rng.randint(8, 4000),
        score=risk * 6,
        first_seen=seen,
        last_seen=seen + timedelta(days=3),
        flagged_at=seen + timedelta(hours=3) if risk > 0.5 else None,
        campaign_id=f"campaign_{n % CAMPAIGNS:04d}" if n < CAMPAIGNS * MEMBERS else None,
        harvest=rng.choice(HARVESTS),
        input_tokens=rng.randint(1000, 10**6),
        output_tokens=rng.randint(1000, 10**7),
        evidence=_evidence(rng),
        activity=[rng.randrange(9) for _ in range(168)],
        clusters=[(rng.randrange(1024), 50 - i) for i in range(30)],
        templates=[Template(template_id=f"{n:x}", text="Explain {…} step by step.", requests=300, share=0.9, distinct_slots=280,
                            slot_examples=["one", "two"], event_ids=[f"e{n}"])],
        example_event_ids=[f"e{(n + i * accounts) % stored}" for i in range(min(each, 12))],
    )  # fmt: skip


def _findings(database: Database, accounts: int, stored: int, rng: random.Random) -> None:
    for start in range(0, accounts, CHUNK):
        found = [_finding(n, rng, stored, accounts) for n in range(start, min(start + CHUNK, accounts))]
        with database.write("findings") as connection:
            cases.store(connection, found, START)
    groups = [_campaign(c, rng, accounts) for c in range(CAMPAIGNS)]
    plane = Codebook.load().projection()
    points = [[c, float(x), float(y), rng.randrange(5000)] for c, (x, y) in enumerate(plane)]
    rates = segments.ErrorRates(120.0, 90, 150, 0.001, REVIEWED // 2)
    with database.write("findings") as connection:
        campaigns.store(connection, groups, START)
        segments.note_assessment(connection, stored, 9.0, 0.5, msgspec.json.encode(points), rates, 0)
    _profiled(database, stored)


def _profiled(database: Database, stored: int) -> None:
    """Leave the log behind as a worker does that is done with it."""
    last = START + timedelta(days=DAYS)
    while ranges.cut(database, stored):
        with ranges.hold(database) as held:
            assert held is not None
            with held.writing() as connection:
                done = held.range
                segments.add(connection, done.after_seq, done.last_seq, done.events, 0, last, None)


def _campaign(c: int, rng: random.Random, accounts: int) -> CampaignFinding:
    members = [name(n) for n in range(c, min(CAMPAIGNS * MEMBERS, accounts), CAMPAIGNS)]
    return CampaignFinding(
        campaign_id=f"campaign_{c:04d}",
        risk=0.5 + rng.random() / 2,
        verdict="flag",
        accounts=members,
        requests=rng.randint(500, 90_000),
        first_seen=START,
        last_seen=START + timedelta(days=DAYS),
        flagged_at=START + timedelta(days=2),
        harvest=rng.choice(HARVESTS),
        ties=[Tie(kind="template", text="all accounts share a rare template", weight=22.0, members=len(members))],
        evidence=_evidence(rng),
        activity=[rng.randrange(90) for _ in range(168)],
        clusters=[(rng.randrange(1024), 500 - i) for i in range(30)],
        example_event_ids=[f"e{c}", f"e{c + CAMPAIGNS}"],
        members=dict.fromkeys(members, "shares a rare template and its hours"),
    )


def _reviews(database: Database, accounts: int, rng: random.Random) -> None:
    for n in rng.sample(range(accounts), min(REVIEWED, accounts)):
        decision = "confirm" if rng.random() < 0.6 else "dismiss"
        decisions.decide(database, "account", name(n), decision, "reviewed in the benchmark", f"reviewer {n % 5}")  # type: ignore[arg-type]
        if rng.random() < 0.2:
            decisions.decide(database, "account", name(n), "confirm", "a second look", f"reviewer {(n + 1) % 5}")
    for start in range(0, TRAIL, CHUNK):
        with database.write("audit") as connection:
            for n in range(start, start + CHUNK):
                audit.append(
                    connection, f"analyst {n % 9}", "prompts.read", f"account {name(n % accounts)}", {"reason": "case"}
                )
    samples.draw(database, 200, "reviewer 1", START)
    for n in range(200):
        jobs.create(
            database, BacktestIn(kind="backtest", title=f"backtest {n}"), "reviewer 1", START + timedelta(minutes=n)
        )


def _index(folder: Path, accounts: int) -> None:
    """The index that the worker would make: four prompts of each account, 28 days of counters."""
    rng = np.random.default_rng(SEED)
    codebook = Codebook.load()
    size = accounts * 4
    vectors = codebook.centroids[rng.integers(0, codebook.k, size)] + rng.normal(0, 0.03, (size, 256)).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = faiss.IndexScalarQuantizer(256, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT)
    index.add(np.clip(np.rint(vectors * 254), -127, 127).astype(np.float32))
    first = (START - datetime(1970, 1, 1, tzinfo=UTC)).days
    days = pl.DataFrame(
        {
            "account_id": [name(n) for n in range(accounts) for _ in range(DAYS)],
            "day": np.tile(np.arange(first, first + DAYS, dtype=np.int32), accounts),
            **{c: rng.integers(1, 9000, accounts * DAYS) for c in ("requests", "input_tokens", "output_tokens")},
        }
    )
    topics = pl.DataFrame(_topics(first, rng), schema=["day", "cluster", "requests"], orient="row")
    fit = pl.DataFrame(
        {"day": np.arange(first, first + DAYS, dtype=np.int32), "similarity": rng.random(DAYS), "n": [2000] * DAYS}
    )
    made = Likeness(
        [name(n) for n in range(accounts)], np.repeat(np.arange(accounts, dtype=np.int32), 4), index, days, topics, fit
    )
    (folder / FILE).write_bytes(made.to_bytes())


def _topics(first: int, rng: np.random.Generator) -> Iterator[tuple[int, int, int]]:
    for day in range(first, first + DAYS):
        for cluster in range(1024):
            yield day, cluster + 2, int(rng.integers(1, 90))
