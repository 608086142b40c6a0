"""Prompts under a mask: lengths, punctuation and what a template has in common stay legible, everything else does not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from api.schemas.evidence import ExamplePrompt
from detector.assessment import AccountFinding, Assessment, CampaignFinding, Template
from detector.event import Event, Message
from detector.report.examples import shown

DOT = "•"
Finding = TypeVar("Finding", AccountFinding, CampaignFinding)
_WORD = re.compile(r"\w+")


def common_words(templates: Iterable[Template]) -> frozenset[str]:
    """Words of the constant parts of templates: what many requests share says nothing about one of them."""
    return frozenset(word.casefold() for t in templates for word in _WORD.findall(t.text))


def mask(text: str, legible: frozenset[str]) -> str:
    """A text whose words, but for the legible ones, are dots of the same number."""
    return _WORD.sub(lambda m: m[0] if m[0].casefold() in legible else DOT * len(m[0]), text)


def masked(example: ExamplePrompt, legible: frozenset[str]) -> ExamplePrompt:
    """An example request under the mask; who, when and which model are left."""
    texts = {name: getattr(example, name) for name in ("system", "prompt", "response")}
    return example.model_copy(update={name: mask(t, legible) if t else t for name, t in texts.items()})


def masked_report(assessment: Assessment, examples: Mapping[str, Event]) -> tuple[Assessment, dict[str, Event]]:
    """What a report is made of, under the mask: in a request only words of its findings' templates are legible."""
    legible: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for finding in assessment.findings():
        words = common_words(finding.templates)
        for event_id in finding.example_event_ids:
            legible[event_id] |= words
    masked_assessment = msgspec.structs.replace(
        assessment,
        accounts=[_masked_slots(f) for f in assessment.accounts],
        campaigns=[_masked_slots(f) for f in assessment.campaigns],
    )
    return masked_assessment, {i: _masked_event(e, legible[i]) for i, e in examples.items()}


def _masked_slots(finding: Finding) -> Finding:
    words = common_words(finding.templates)
    templates = [
        msgspec.structs.replace(t, slot_examples=[mask(s, words) for s in t.slot_examples]) for t in finding.templates
    ]
    return msgspec.structs.replace(finding, templates=templates)


def _masked_event(event: Event, legible: frozenset[str]) -> Event:
    """An event with nothing but what an example shows of it."""
    system, prompt, response = shown(event)
    return Event(
        event_id=event.event_id,
        account_id=event.account_id,
        timestamp=event.timestamp,
        model=event.model,
        system=mask(system, legible),
        messages=[Message(role="user", content=mask(prompt, legible))],
        response=mask(response, legible),
    )
