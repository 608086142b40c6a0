"""LiteLLM custom_auth: the key ``sk-NAME`` belongs to the user NAME. Imported by the proxy, not by the tests."""

import hashlib

from fastapi import HTTPException, Request
from litellm.proxy._types import UserAPIKeyAuth


async def user_api_key_auth(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Accept keys that begin with sk- and name their owner."""
    if not api_key.startswith("sk-"):
        raise HTTPException(401, "unknown key")
    return UserAPIKeyAuth(
        api_key=hashlib.sha256(api_key.encode()).hexdigest(), user_id=api_key.removeprefix("sk-"), key_alias="main"
    )
