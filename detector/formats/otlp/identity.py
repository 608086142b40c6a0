"""Whose call it is: verified names first, on the span, then on those around it, then on the process.

``gen_ai.user``, ``llm.user`` and whatever else comes from the request's body are the client's claim and never the
account. ``user.id`` is set by the operator's own process; where a gateway maps it from a header, map it from one that
authentication has set, as clients can send any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from detector.formats.base import GIVEN, Given, RowError, first, identifier, key_id, named_owner, text
from detector.formats.otlp.content import Attributes

NOBODY = ("default_user_id", "litellm_proxy_master_key")  # what LiteLLM writes where no user or key is meant
_LITELLM = ("metadata.", "litellm.metadata.", "langfuse.observation.metadata.", "langfuse.trace.metadata.")
_OWNERS = ("user_api_key_user_id", "user_api_key_team_id", "user_api_key_org_id", "user_api_key_project_id")
_KEYS = ("litellm.api_key.hash", *(f"{prefix}user_api_key_hash" for prefix in _LITELLM))
_LITELLM_OWNERS = (*(f"{prefix}{name}" for name in _OWNERS for prefix in _LITELLM), "litellm.team.id", *_KEYS)
_OF_LITELLM = frozenset(_LITELLM_OWNERS)
CREDENTIALS = (*_KEYS, "api_key.id", "api_key_id")
TENANTS = ("consumer.id", "tenant.id")
USERS = ("user.id", "enduser.id", "langfuse.user.id")
_TOLD = {
    "organization": (
        *(f"{prefix}user_api_key_{name}" for name in ("org_id", "team_id") for prefix in _LITELLM),
        "litellm.team.id",
        "organization.id",
    ),
    "key": CREDENTIALS,
    "user": USERS,
    "claimed": tuple(f"{prefix}user_api_key_end_user_id" for prefix in ("metadata.", "litellm.metadata.")),
    "session": ("session.id",),
    "ip": (*(f"{prefix}requester_ip_address" for prefix in _LITELLM), "client.address", "http.client_ip"),
    "agent": (*(f"{prefix}user_agent" for prefix in _LITELLM), "user_agent.original", "http.user_agent"),
}
_MEANINGS: dict[str, list[tuple[str, int]]] = {}  # of a name: what it tells, and its place among those that tell it
for _what, _names in _TOLD.items():
    for _rank, _name in enumerate(_names):
        _MEANINGS.setdefault(_name, []).append((_what, _rank))
NAMES = frozenset({*_MEANINGS, *_LITELLM_OWNERS, *TENANTS})  # all that is asked for here


def owner(chain: Sequence[Attributes], resource: Attributes, given: Given) -> tuple[str, str]:
    """The account of a call and the attribute that names it; ``chain`` is the span and those around it, inmost first.

    Raises RowError where nobody is named.
    """
    for source in chain:
        if found := named_owner(source, given):
            return identifier(found, "account"), "configured"
    for source in chain:
        if found := _litellm(source):
            return found
    for names in (TENANTS, USERS):
        for source in chain:
            for name in names:
                if name in source and (value := text(source[name])):
                    return identifier(value, name), name
    if found := named_owner(resource, given):
        return identifier(found, "account"), "configured"
    for name in (*TENANTS, *USERS):
        if value := text(resource.get(name)):
            return identifier(value, name), f"resource {name}"
    if given.owner:
        return identifier(given.owner, "account"), GIVEN
    raise RowError(
        f"account: neither the span nor those around it have {', '.join(TENANTS + USERS)}; set one of them where "
        "requests are authenticated, or configure the attribute that names the account"
    )


def is_final(own: Attributes, given: Given) -> bool:
    """True where a call's own attributes name its account so that no span around it could name another."""
    return bool(named_owner(own, given) or (not given.account_attributes and _litellm(own)))


def _litellm(source: Attributes) -> tuple[str, str] | None:
    """LiteLLM's verified owner: the key's user, else its team and so on, else the key; then ``user.id`` is a claim."""
    if _OF_LITELLM.isdisjoint(source):
        return None
    for name in _LITELLM_OWNERS:
        value = text(source.get(name))
        if value and value not in NOBODY:
            return identifier(key_id(value), name), name
    key = text(first(source, _KEYS))
    return (key, "litellm key") if key else None


def told(chain: Sequence[Attributes]) -> dict[str, str]:
    """What the span and those around it tell of the caller beside the account, inmost first, by the keys of ``_TOLD``."""
    found: dict[str, str] = {}
    for source in chain:
        here: dict[str, tuple[int, Any]] = {}
        for name, value in source.items():
            if value is None or value == "":
                continue
            for what, rank in _MEANINGS.get(name, ()):
                if what not in here or rank < here[what][0]:
                    here[what] = rank, value
        for what, (_, value) in here.items():
            if what not in found and (told := text(value)):
                found[what] = told
    if key := key_id(found.pop("key", None)):  # the id of the key, never the key
        found["key"] = key
    return found
