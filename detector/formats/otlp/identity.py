"""Whose call it is: verified names first, on the span, then on those around it, then on the process.

``gen_ai.user``, ``llm.user`` and whatever else comes from the request's body are the client's claim and never the
account. ``user.id`` is set by the operator's own process; where a gateway maps it from a header, map it from one that
authentication has set, as clients can send any.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.event import Client
from detector.formats.base import GIVEN, Given, RowError, first, identifier, key_id, named_owner, text
from detector.formats.otlp.content import Attributes

NOBODY = ("default_user_id", "litellm_proxy_master_key")  # what LiteLLM writes where no user or key is meant
_LITELLM = ("metadata.", "litellm.metadata.", "langfuse.observation.metadata.", "langfuse.trace.metadata.")
_OWNERS = ("user_api_key_user_id", "user_api_key_team_id", "user_api_key_org_id", "user_api_key_project_id")
LITELLM_OWNERS = tuple(f"{prefix}{name}" for name in _OWNERS for prefix in _LITELLM)
LITELLM_KEYS = ("litellm.api_key.hash", *(f"{prefix}user_api_key_hash" for prefix in _LITELLM))
CREDENTIALS = (*LITELLM_KEYS, "api_key.id", "api_key_id")
TENANTS = ("consumer.id", "tenant.id")
USERS = ("user.id", "enduser.id", "langfuse.user.id")
ORGANIZATIONS = (
    *(f"{prefix}user_api_key_{name}" for name in ("org_id", "team_id") for prefix in _LITELLM),
    "litellm.team.id",
    "organization.id",
)
_ADDRESSES = (
    *(f"{prefix}requester_ip_address" for prefix in _LITELLM),
    "client.address",
    "http.client_ip",
)
_AGENTS = (*(f"{prefix}user_agent" for prefix in _LITELLM), "user_agent.original", "http.user_agent")
CLAIMED = tuple(f"{prefix}user_api_key_end_user_id" for prefix in ("metadata.", "litellm.metadata."))
NAMES = frozenset(
    {
        *LITELLM_OWNERS,
        *CREDENTIALS,
        *TENANTS,
        *USERS,
        *ORGANIZATIONS,
        *_ADDRESSES,
        *_AGENTS,
        *CLAIMED,
        "litellm.team.id",
    }
)  # all that is asked for here


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
                if value := text(source.get(name)):
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
    for name in (*LITELLM_OWNERS, "litellm.team.id", *LITELLM_KEYS):
        value = text(source.get(name))
        if value and value not in NOBODY:
            return identifier(key_id(value), name), name
    key = text(first(source, LITELLM_KEYS))
    return (key, "litellm key") if key else None


def nearest(chain: Sequence[Attributes], names: Sequence[str]) -> str | None:
    """The value of the first of these names on the span or those around it, inmost first."""
    for source in chain:
        if value := text(first(source, names)):
            return value
    return None


def credential(chain: Sequence[Attributes]) -> str | None:
    """The id of the key, never the key."""
    return key_id(nearest(chain, CREDENTIALS))


def client(chain: Sequence[Attributes]) -> Client:
    """Where the request came from."""
    return Client(ip=nearest(chain, _ADDRESSES), user_agent=nearest(chain, _AGENTS))
