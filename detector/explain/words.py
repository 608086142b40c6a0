"""What would change a verdict, in plain sentences."""

from __future__ import annotations

from detector.explain.course import MAX_GROWTH
from detector.explain.explanation import Explanation, WhatIf
from detector.explain.search import Change, Setting
from detector.parts import MIN_REQUESTS
from detector.report.text import count, percent, quantity, risk

NO_PROFILE = "What would change the verdict is known from the profile alone: audit with --keep-profiles, or give the log instead of --audit."
WORDS = {"flag": "be flagged", "watch": "be watched", "clear": "be clear"}


def measure(value: float, unit: str) -> str:
    """A signal's value as people read it: shares as percent, else three digits."""
    if unit.startswith("share"):
        return percent(value)
    return count(value) if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


def _with_unit(value: float, unit: str) -> str:
    """The value with its unit, where that is not a scale."""
    return measure(value, unit) if unit.startswith(("share", "0 to")) else f"{measure(value, unit)} {unit}"


def sentences(explained: Explanation) -> list[str]:
    """What would change the verdict, the most telling first."""
    found = explained.what_if
    if found is None:
        return [NO_PROFILE]
    verdict = explained.account.verdict
    out = [_without_campaign(explained, found)] if explained.campaign else []
    if verdict == found.own_verdict and verdict != "clear":
        campaign = explained.campaign
        kept = campaign is not None and campaign.verdict in (verdict, "flag")
        out.append(_less(found, verdict) + (" Its campaign alone would keep the verdict." if kept else ""))
    if found.flagged_after is not None:
        out.append(_reached(found.flagged_after, explained.account.requests))
    if verdict != "flag":
        out += _more(explained, found)
    return out


def _without_campaign(explained: Explanation, found: WhatIf) -> str:
    still = "still " if found.own_verdict == explained.account.verdict else ""
    return f"Without its campaign it would {still}{WORDS[found.own_verdict]}: its own conduct has a risk of {risk(found.own_risk)}."


def _less(found: WhatIf, verdict: str) -> str:
    undone = "flagged" if verdict == "flag" else "watched"
    own = "By its own conduct it would not be" if verdict == "flag" else "It would not be"
    if found.less is None:
        return f"No set of signals undoes it: with every one of them at the ordinary median it would still be {undone}."
    changes = [
        f"{s.title.lower()} were {_with_unit(s.target, s.unit)} instead of {measure(s.value, s.unit)}"
        for s in found.less.settings
    ]
    watched = ", still watched" if found.less.verdict == "watch" else ""
    which = " (the ordinary median)" if len(changes) == 1 else f" (the ordinary medians; {_size(found.less)})"
    return f"{own} {undone} if its {_listed(changes)}{which}: the risk would be {risk(found.less.risk)}{watched}."


def _reached(after: int, made: int) -> str:
    if after <= MIN_REQUESTS:
        return f"Its own conduct reached the threshold within its first {after} of {quantity(made, 'request')}, the fewest that are judged."
    return f"Its own conduct reached the threshold for the first time after {after} of {quantity(made, 'request')}."


def _size(change: Change) -> str:
    return "no smaller set does" if change.smallest else "none of them can be left out"


def _more(explained: Explanation, found: WhatIf) -> list[str]:
    if found.too_few:
        out = [f"{quantity(explained.account.requests, 'request')} are too few to flag an account by its own conduct."]
    elif not found.more:
        if found.closest is None:
            return ["Nothing that its signals could show would flag it by its own conduct."]
        only = found.closest
        out = [
            "No one signal and no two would flag it. The one that raises the risk most is "
            f"{_goal(only.settings[0])}: to {risk(only.risk)}."
        ]
    elif len(found.more[0].settings) > 1:
        pair = found.more[0]
        both = " and ".join(_goal(s) for s in pair.settings)
        out = [f"No single signal would flag it; the least unusual two together: {both} (risk {risk(pair.risk)})."]
    else:
        first = "All else equal, it would be flagged with its"
        out = [f"{first} {_goal(change.settings[0])} (risk {risk(change.risk)})." for change in found.more]
    if found.flagged_at_requests is not None:
        more = found.flagged_at_requests - explained.account.requests
        out.append(
            f"If it goes on in the same way, it would be flagged at about {quantity(found.flagged_at_requests, 'request')}: {count(more)} more."
        )
    else:
        out.append(f"More requests of the same kind would not flag it, up to {MAX_GROWTH:.0f} times as many.")
    return out


def _goal(setting: Setting) -> str:
    """A signal at the value that it would have to reach, and how usual that is."""
    usual = (
        f"beyond {percent(setting.beyond)} of ordinary accounts"
        if setting.beyond < 1
        else "beyond all ordinary accounts"
    )
    return f"{setting.title.lower()} at {_with_unit(setting.target, setting.unit)} instead of {measure(setting.value, setting.unit)} ({usual})"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
