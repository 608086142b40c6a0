"""Secrets are dropped on arrival: credentials in headers and settings never reach a disk.

Keys that name a secret are dropped with all they hold; texts that look like one are replaced. Prompts and answers are
content, not settings: they are stored as they are, under the content policy of their account.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

NAMES_REMEMBERED = 4096  # of settings and headers, which are few and come again with every row
MAX_DEPTH = 32  # deeper settings are dropped

# Compared with the key in lower case, without separators: X-Api-Key, x_api_key and xApiKey are one.
_SECRET_KEY = re.compile(
    r"authori[sz]ation|cookie|api_?keys?$|^key$|^pass$|secret|passw(?:or)?d|passphrase|credential|signature|private_?key"
    r"|(?:^|_)(?:access|refresh|session|security|auth|bearer|id|csrf|xsrf|oauth|client|virtual|provider|webhook)?_?token$"
    r"|(?:provider|virtual|subscription|functions|access|master|account|signing|encryption|public|function)_?key$"
    r"|^x_portkey_(?:config|virtual_key|api_key)|x_amz_|x_goog_api|sessionid$|^proxy_auth|x_helicone_auth|helicone_auth"
    r"|connection_?string|^dsn$"
)
_HARMLESS_KEY = re.compile(
    r"(?:hash|alias|_id|fingerprint|tokens)$"
)  # e.g. user_api_key_hash: what stands for a secret
SECRET_VALUE = re.compile(
    r"(?i)\b(?:bearer|basic|token)\s+[a-z0-9._~+/=-]{6,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|ghp|gho|ghs|glpat|xoxb|xoxp|whsec|r8|nvapi|pplx|co|key|api)[-_](?=[a-z0-9_-]*[0-9])[a-z0-9_-]{16,}"
    r"|\bsk-[a-z0-9_-]{4,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9a-z_-]{30,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|://[^/\s:@]+:[^/\s@]+@"
)
REDACTED = "[redacted]"


@lru_cache(NAMES_REMEMBERED)
def is_secret_name(name: str) -> bool:
    """True where a header or a setting of this name holds a credential."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_").lower()
    return bool(_SECRET_KEY.search(plain)) and not _HARMLESS_KEY.search(plain)


def redact(value: Any, depth: int = 0) -> Any:
    """The value without secrets: keys that name one are dropped, texts that hold one become ``[redacted]``."""
    if depth > MAX_DEPTH:
        return REDACTED
    if isinstance(value, dict):
        return {
            name: redact(inner, depth + 1)
            for name, inner in value.items()
            if not (isinstance(name, str) and is_secret_name(name))
        }
    if isinstance(value, list):
        return [redact(inner, depth + 1) for inner in value]
    if isinstance(value, str) and SECRET_VALUE.search(value):
        return REDACTED
    return value
