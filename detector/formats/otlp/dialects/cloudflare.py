"""Cloudflare AI Gateway: both bodies as JSON text. Metadata that callers set are bare attributes: none names the account
unless it is configured to."""

from __future__ import annotations

from detector.formats import chat
from detector.formats.base import mapping, parsed
from detector.formats.otlp.content import Attributes, Said

_PROMPT, _COMPLETION = "gen_ai.prompt_json", "gen_ai.completion_json"
_SIGNS = frozenset({_PROMPT, _COMPLETION, "gen_ai.model.provider"})


def is_call(attributes: Attributes) -> bool:
    """True for a request that passed the gateway."""
    return not _SIGNS.isdisjoint(attributes)


def knows(names: tuple[str, ...]) -> bool:
    """True where a record with these names may tell something."""
    return not _SIGNS.isdisjoint(names)


def read(attributes: Attributes) -> Said | None:
    """What these names say; None where there are none of them."""
    if _PROMPT not in attributes and _COMPLETION not in attributes:
        return None
    asked, answered = parsed(attributes.get(_PROMPT)), parsed(attributes.get(_COMPLETION))
    request = asked if isinstance(asked, dict) and {"messages", "input", "prompt", "contents"} & set(asked) else None
    fields = chat.exchange(request or {}, answered)
    if request is None:
        fields["messages"] = chat.messages(asked)
    fields["operation"] = "chat" if mapping(answered).get("object") != "list" else None
    return Said(**fields)
