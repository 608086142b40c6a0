"""Templates in words: the constant frame of a group of prompts, with its varying parts shown as slots.

Profiles know a template only by hashes. Where content is kept, the frame is recovered from a few prompts that carry it,
without disguise: the words that all of them share, in order, stand; what differs between them is a slot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import islice, pairwise

from detector.assessment import Assessment
from detector.canonical_text import canonical, unaccented
from detector.event import Event, text_of
from detector.pieces import keys

SLOT = "{…}"
MAX_WORDS = 250  # of each prompt; alignment is quadratic
MAX_CHARS = 20_000  # of each prompt; a "word" may be of any length
MAX_SLOT_CHARS = 160

_WORD = re.compile(r"\w+|[^\w\s]|\s+", re.UNICODE)


def prompt_text(event: Event) -> tuple[str, str]:
    """System text and last user text of an event."""
    system = [text_of(event.system), *(text_of(m.content) for m in event.messages if m.role in ("system", "developer"))]
    users = [text_of(m.content) for m in event.messages if m.role == "user"]
    return "\n".join(s for s in system if s), users[-1] if users else ""


def frame_of(texts: Sequence[str]) -> tuple[str, list[str]]:
    """The common frame of texts with slots, and the longest filling in each text that has it.

    Equal texts have no slot; texts with nothing in common are one slot. Of each the first MAX_WORDS words are read.
    """
    texts = [t for t in dict.fromkeys(texts) if t]
    if not texts:
        return "", []
    words = [[m[0] for m in islice(_WORD.finditer(t[:MAX_CHARS]), MAX_WORDS)] for t in texts]
    frame: list[str | None] = list(words[0])
    for other in words[1:]:
        kept: list[str | None] = []
        at = 0
        solid = [w if w is not None else "\x00" for w in frame]
        blocks = SequenceMatcher(None, _alike(solid), _alike(other), autojunk=False).get_matching_blocks()
        for start, _, size in blocks:
            if start > at or (size == 0 and at < len(frame)):
                kept.append(None)
            if sum(len(w.strip()) for w in solid[start : start + size]) >= 3 or size > 3:
                kept.extend(frame[start : start + size])
            elif size:
                kept.append(None)
            at = start + size
        frame = kept
    out: list[str] = []
    for word in frame:
        if word is not None:
            out.append(word)
        elif not out or out[-1] != SLOT:
            out.append(SLOT)
    text = re.sub(rf"{re.escape(SLOT)}(\s*{re.escape(SLOT)})+", SLOT, "".join(out)).strip()
    return text, _fillings(text, ["".join(w) for w in words])


def _alike(words: Sequence[str]) -> list[str]:
    """Words as compared: case and accents do not count."""
    return [unaccented(w).lower() for w in words]


def _fillings(frame: str, texts: Sequence[str]) -> list[str]:
    """The longest filling of each text that has the frame: each constant part is sought behind the one before."""
    head, *parts = frame.lower().split(SLOT)
    if not parts:
        return []
    found = []
    for original in texts:
        original = original.strip()
        text = original.lower()
        if len(text) != len(original):  # a few letters become two: places would not agree
            continue
        at, fillings = len(head), []
        for i, part in enumerate(parts, 1):
            end = text.rfind(part, at) if i == len(parts) else text.find(part, at)
            if end < 0:
                break
            fillings.append(original[at:end].strip())
            at = end + len(part)
        if len(fillings) == len(parts) and at == len(text) and text.startswith(head):
            longest = max(fillings, key=len)
            if longest:
                found.append(longest[:MAX_SLOT_CHARS])
    return found


def fill_in(assessment: Assessment, examples: dict[str, Event]) -> None:
    """Give every template of the findings its words, from the example events that carry it."""
    texts = {
        i: (canonical(system), canonical(prompt))
        for i, (system, prompt) in ((i, prompt_text(e)) for i, e in examples.items())
    }
    flat, edges = keys([prompt for _, prompt in texts.values()])
    carried = {i: set(flat[a:b].tolist()) for i, (a, b) in zip(texts, pairwise(edges), strict=True)}
    words = cache(frame_of)
    for finding in assessment.findings():
        for template in finding.templates:
            known = [i for i in template.event_ids if i in texts]
            key = int(template.template_id, 16)
            in_prompt = tuple(texts[i][1] for i in known if key in carried[i])
            in_system = tuple(texts[i][0] for i in known if key not in carried[i] and texts[i][0])
            template.text, slots = words(in_prompt or in_system)
            template.slot_examples = list(slots)
        distinct = {t.text: t for t in reversed(finding.templates) if t.text}
        finding.templates = [t for t in finding.templates if not t.text or distinct[t.text] is t]
