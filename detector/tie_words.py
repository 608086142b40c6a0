"""Ties in plain words with numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from detector.assessment import Tie
from detector.profiles import KIND
from detector.ties import CLASS_OF_TIE, MIN_BITS, TYPICAL_ICC

MIN_EXCHANGEABLE = 0.5  # half as like one another as independent users are, or less: a split work queue
MIN_MOVEMENT = 0.3  # similarity of active hours above that of unrelated accounts, which share day and night as well
MILLION_BITS = 20  # from which a chance is told as less than one in a million
MIN_LIKE_MINDED = 0.5  # log-odds by which each member alone looks like a harvester, in the lower quarter of them

OBJECTS = {
    "payment": "payment method",
    "email_domain": "e-mail domain",
    "ip": "address",
    "network": "network",
    "tls": "TLS fingerprint",
    "user_agent": "client program",
    "birth": "day of registration",
    "settings": "set of explicit sampling settings",
}
CONTENT = {
    "piece": "the same rare sentence",
    "system": "the same rare system prompt",
    "state": "the very same tasks",
    "prompt": "nearly the same prompts",
    "settings": "the same rare sampling settings",
}


def chance(bits: float) -> str:
    """A chance of so many bits of surprise in words: 1 in 1,000, less than 1 in a million."""
    if bits >= MILLION_BITS:
        return "less than 1 in a million"
    return f"1 in {float(f'{2**bits:.2g}'):,.0f}"


def ties_of(row: dict[str, Any], seed_kinds: list[int], requests: int, accounts: int) -> list[Tie]:
    """Ties of one group, the content that it was found by first, then by weight. ``row`` is one of ``GroupFeatures.table``."""
    m = int(row["members"])
    found = []
    for kind, words in OBJECTS.items():
        shared, bits = int(row[f"{kind}_shared"]), float(row[f"{kind}_bits"])
        if bits > MIN_BITS:
            text = (
                f"{shared} of {m} accounts share one {words}; unrelated accounts would by a chance of {chance(bits)}."
            )
            found.append(Tie(kind=kind, weight=bits, members=shared, text=text))
    exchangeable, movement = float(row["exchangeable"]), float(row["co_movement"])
    if exchangeable > MIN_EXCHANGEABLE:
        text = (
            f"What the {m} accounts ask could be swapped between them unnoticed: parts of one work queue "
            f"(intraclass correlation {max(float(row['icc']), 0):.3f}; independent users: about {TYPICAL_ICC})."
        )
        found.append(Tie(kind="split_queue", weight=round(10 * exchangeable, 1), members=m, text=text))
    if movement > MIN_MOVEMENT:
        text = (
            f"The accounts are active in the same hours (similarity {movement:.2f} above that of unrelated accounts)."
        )
        found.append(Tie(kind="timing", weight=round(10 * movement, 1), members=m, text=text))
    alike = float(row["member_log_odds_low"])
    if alike > MIN_LIKE_MINDED:
        text = (
            "Each account by itself, its other traffic included, already looks like harvesting: "
            f"three quarters of them by log-odds of at least {alike:.1f}."
        )
        found.append(Tie(kind="conduct", weight=round(alike, 1), members=m, text=text))
    return [*_content(seed_kinds, m, requests, accounts), *sorted(found, key=lambda t: -t.weight)]


def _content(seed_kinds: list[int], members: int, requests: int, accounts: int) -> list[Tie]:
    """What the group was found by, as a tie."""
    content = [k for k in CONTENT if KIND[k] in seed_kinds]
    if not content:
        return []
    weight = float(np.log2(max(accounts / members, 1.0)) * min(members - 1, 5))
    text = f"{members} of {accounts} accounts send {' and '.join(CONTENT[k] for k in content)}, in {requests} requests."
    kind = "prompt" if content == ["state"] else "settings" if content == ["settings"] else "template"
    return [Tie(kind=kind, weight=round(weight, 1), members=members, text=text)]


def tie_classes(ties: list[Tie]) -> int:
    """Number of independent kinds of link."""
    return len(
        {CLASS_OF_TIE.get(t.kind, {"template": "content", "prompt": "content"}.get(t.kind, t.kind)) for t in ties}
    )
