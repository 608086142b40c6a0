"""From a merged profile to stored findings."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from xxhash import xxh3_128_digest

from api.prices import DEFAULT_PRICES, Prices
from api.services import grouping, shadowing
from api.services.continuity import keep_names
from api.storage import campaigns, cases, events, exceptions, groupings, segments, shadow
from api.storage.engine import Database
from detector.assessment import AccountFinding, Assessment, CampaignFinding
from detector.calibration import with_reviews
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.regrouping import Constraint
from detector.templates import fill_in

_ENCODER = msgspec.json.Encoder()


class Said(NamedTuple):
    """What people say that assessments keep to."""

    exceptions: dict[str, set[str]]  # signals that do not count, by account
    constraints: list[Constraint]
    shadow: frozenset[str]  # signals that count for nobody
    honest: frozenset[str]  # accounts that were dismissed, and count as honest in the calibration


class Findings:
    """Assesses and stores; remembers what it stored, so that only what changed is written again."""

    def __init__(
        self, database: Database, detector: Detector, prices: Prices = DEFAULT_PRICES, assessor: str | None = None
    ) -> None:
        """``assessor``: whose findings they are, where several workers could assess; another one's are refused."""
        self._database = database
        self._prices = prices
        self._assessor = assessor
        self._detector = detector
        self._stored: dict[str, bytes] | None = None  # digest by account; None: not known yet
        self._said: Said | None = None  # as of the last assessment

    def update(self, profiles: Profiles, position: int) -> Assessment:
        """Assess the profile of the log up to ``position`` and store the findings, all in one transaction.

        Raises Moved where another worker assesses by now, with nothing stored.
        """
        start = time.perf_counter()
        with self._database.read() as connection:
            state = segments.state(connection)
        said = self._holding()  # first: what people say from here on is news to the next assessment
        honest = cases.honest(self._database)
        detector = reviewed(self._detector.in_shadow(said.shadow), honest)
        assessment = detector.assess(profiles, said.exceptions, said.constraints)
        keep_names(assessment, grouping.known(self._database, said.constraints))
        fill_in(assessment, events.by_id(self._database, example_ids(assessment)))
        clusters = self._clusters(profiles)
        digests = {f.account_id: xxh3_128_digest(_ENCODER.encode(f)) for f in assessment.accounts}
        now = datetime.now(UTC)
        with self._database.write("findings") as connection:
            before = self._stored
            if before is None or state.is_worded_anew:
                before = dict.fromkeys(cases.ids(connection), b"")
            changed = [f for f in assessment.accounts if before.get(f.account_id) != digests[f.account_id]]
            cases.store(connection, changed, now, self._prices)
            cases.forget(connection, before.keys() - digests.keys())
            campaigns.store(connection, assessment.campaigns, now)
            seconds = time.perf_counter() - start
            low, high = assessment.expected_false_flags_interval
            rates = segments.ErrorRates(
                assessment.expected_false_flags, low, high, assessment.max_false_flags, len(honest)
            )
            if self._assessor is not None:
                segments.confirm(connection, self._assessor)
            segments.note_assessment(
                connection, position, seconds, assessment.threshold, clusters, rates, state.texts_gone
            )
        self._stored, self._said = digests, said
        return assessment

    def outdated(self) -> bool:
        """Whether people say otherwise than at the last assessment. Unknown after a start, so yes where they ever said anything."""
        if self._said is None:
            now = datetime.now(UTC)
            ever = exceptions.page(self._database, None, now, only_open=False, limit=1, offset=0)
            with self._database.read() as connection:
                switched = shadow.last(connection)
            merged = groupings.page(self._database, limit=1)
            return bool(ever or switched or merged or cases.honest_ids(self._database))
        return self._holding() != self._said

    def _holding(self) -> Said:
        now = datetime.now(UTC)
        return Said(
            exceptions.holding(self._database, now),
            groupings.holding(self._database, now),
            shadowing.holding(self._database),
            cases.honest_ids(self._database),
        )

    def _clusters(self, profiles: Profiles) -> bytes:
        """JSON of the codebook in the plane with all requests per cluster."""
        by_key = profiles.kind("cluster").group_by("key").agg(pl.col("n").sum()).iter_rows()
        population = {key - 2: n for key, n in by_key}  # the profile shifts clusters so that "no text" is 1
        plane = self._detector.codebook.projection()
        points = [[c, round(float(x), 4), round(float(y), 4), population.get(c, 0)] for c, (x, y) in enumerate(plane)]
        return json.dumps(points, separators=(",", ":")).encode()


def reviewed(detector: Detector, honest: Sequence[cases.Honest]) -> Detector:
    """The detector that counts the dismissed accounts among the honest ones of its calibration."""
    if not honest:
        return detector
    scores, requests = (np.array(column, float) for column in zip(*honest, strict=True))
    weights = with_reviews(detector.scorer.weights, scores, requests)
    return replace(detector, scorer=replace(detector.scorer, weights=weights))


def example_ids(assessment: Assessment) -> set[str]:
    """Events that the templates of the findings are put into words from."""
    found: list[AccountFinding | CampaignFinding] = [*assessment.accounts, *assessment.campaigns]
    return {event_id for finding in found for template in finding.templates for event_id in template.event_ids}
