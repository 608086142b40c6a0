"""What people said of groups, applied to what the detector found: these accounts belong together, those do not.

Campaigns are formed anew at each assessment, so people's word is kept by account and holds for whatever is found. Of two
constraints that name the same two accounts the later one holds. The result is a function of the set of constraints: their
order decides nothing, applying them twice is applying them once, and one that is taken away leaves no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import msgspec
from xxhash import xxh3_64_hexdigest

SAME_WORKER = 0.5  # of a group's members that people put elsewhere: those whom nobody named go with them


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """One word of people on a group."""

    number: int  # a later one has a higher number
    together: bool  # all named accounts belong together; else those of different sides do not
    sides: tuple[frozenset[str], ...]  # account ids


class _Class(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts that the same constraints name on the same sides, so that whatever holds for one holds for all."""

    said: dict[int, int]  # side by number of the constraint
    accounts: tuple[str, ...]  # in order


def regroup(campaign_of: Mapping[str, str], constraints: Collection[Constraint]) -> dict[str, str]:
    """The campaign of each account, as people want it. Nobody joins or leaves: accounts only move between campaigns.

    Those whom nobody named stay where they were found, or follow where most of their group is moved. Of a campaign that falls into
    parts the largest keeps the name.
    """
    found = dict(campaign_of)
    together = {c.number: c.together for c in constraints}
    units = _units(_classes(found, constraints), together)
    named = {a for unit in units for c in unit for a in c.accounts}
    for unit in units:
        if len(unit) > 1 or any(together[n] for n in unit[0].said):
            _bring_home([a for c in unit for a in c.accounts], found, named)
    members: dict[str, list[str]] = {}
    for account in sorted(found):
        members.setdefault(found[account], []).append(account)
    for campaign, accounts in members.items():
        found.update(_parts(campaign, accounts, units, together))
    return found


def _classes(found: Mapping[str, str], constraints: Collection[Constraint]) -> list[_Class]:
    said: dict[str, dict[int, int]] = {}
    for constraint in sorted(constraints, key=lambda c: c.number):
        for side, accounts in enumerate(constraint.sides):
            for account in accounts & found.keys():
                said.setdefault(account, {})[constraint.number] = 0 if constraint.together else side
    alike: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for account in sorted(said):
        alike.setdefault(tuple(sorted(said[account].items())), []).append(account)
    return [_Class(said=dict(key), accounts=tuple(accounts)) for key, accounts in alike.items()]


def _word(a: _Class, b: _Class, together: Mapping[int, bool]) -> tuple[int, bool] | None:
    """The last word on two classes: its number, and whether they belong together; None where nobody spoke of both.

    To stand on one side of a split says nothing.
    """
    both = a.said.keys() & b.said.keys()
    number = max((n for n in both if together[n] or a.said[n] != b.said[n]), default=None)
    return None if number is None else (number, together[number])


def _apart(one: Sequence[_Class], other: Sequence[_Class], together: Mapping[int, bool]) -> bool:
    words = (_word(a, b, together) for a in one for b in other)
    return any(word is not None and not word[1] for word in words)


def _units(classes: Sequence[_Class], together: Mapping[int, bool]) -> list[list[_Class]]:
    """Classes that belong together, the latest word first; never two that another word keeps apart."""
    unit_of = {i: [c] for i, c in enumerate(classes)}
    words = [
        (i, j, w) for i, j in combinations(range(len(classes)), 2) if (w := _word(classes[i], classes[j], together))
    ]
    for i, j, (_, joined) in sorted(words, key=lambda w: (-w[2][0], w[0], w[1])):
        one, other = unit_of[i], unit_of[j]
        if joined and one is not other and not _apart(one, other, together):
            one += other
            unit_of.update((k, one) for k, unit in unit_of.items() if unit is other)
    return list({id(unit): unit for unit in unit_of.values()}.values())


def _bring_home(accounts: Collection[str], found: dict[str, str], named: Collection[str]) -> None:
    """Move accounts that belong together to where most of them are, and with them whoever mostly worked with them."""
    here = Counter(found[a] for a in accounts)
    home = min(here, key=lambda campaign: (-here[campaign], campaign))
    for campaign in here.keys() - {home}:
        group = [a for a, c in found.items() if c == campaign]
        follows = here[campaign] >= SAME_WORKER * len(group)
        found.update((a, home) for a in group if follows and a not in named)
    found.update(dict.fromkeys(accounts, home))


def _parts(
    campaign: str, accounts: Sequence[str], units: Sequence[Sequence[_Class]], together: Mapping[int, bool]
) -> dict[str, str]:
    """The campaign's accounts with that of the part each is in; those whom nobody named stay in the largest part."""
    members = set(accounts)
    parts: list[tuple[list[_Class], list[str]]] = []
    inside = [(unit, sorted(members & {a for c in unit for a in c.accounts})) for unit in units]
    for unit, mine in sorted((u for u in inside if u[1]), key=lambda u: u[1]):
        part = next((p for p in parts if not _apart(p[0], unit, together)), None)
        if part is None:
            parts.append((list(unit), mine))
        else:
            part[0].extend(unit)
            part[1].extend(mine)
    parts.sort(key=lambda p: (-len(p[1]), min(p[1])))
    return {a: _part_name(campaign, mine) for _, mine in parts[1:] for a in mine}


def _part_name(campaign: str, accounts: Collection[str]) -> str:
    return "c" + xxh3_64_hexdigest(f"{campaign} {min(accounts)}")
