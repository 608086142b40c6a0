"""LiteLLM callback that applies distillwatch's verdicts before each call. In config.yaml:

    litellm_settings:
      callbacks: ["generic_api", "distillwatch_hook.hook"]

Needs `pip install --no-deps distillwatch` beside the proxy, and DISTILLWATCH_API_URL and DISTILLWATCH_KEY (of role gateway).
Verdicts are kept in memory and renewed every two seconds; without the service, or with any fault here, calls go through.
DISTILLWATCH_DRY_RUN=1 only logs what would happen.
"""

from __future__ import annotations

import hashlib
import logging
import os
from typing import Any

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger

from api.client import Enforcer, Verdicts

NOBODY = {"default_user_id", "litellm_proxy_master_key"}  # what LiteLLM writes where no user or key is meant

log = logging.getLogger("distillwatch.client")


class Hook(CustomLogger):
    """Asks for the verdict on the owner of the key: the same that distillwatch reads from LiteLLM's logs."""

    def __init__(self) -> None:
        super().__init__()
        url = os.environ.get("DISTILLWATCH_API_URL", "http://127.0.0.1:8400")
        self._dry_run = os.environ.get("DISTILLWATCH_DRY_RUN", "") not in ("", "0")
        self._enforcer = Enforcer(Verdicts(url, os.environ.get("DISTILLWATCH_KEY", "")).start(), dry_run=self._dry_run)

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: dict, call_type: str) -> dict | None:
        """Let a call through, let it through with less, or refuse it."""
        try:
            key = hashed(user_api_key_dict.api_key)
            outcome = self._enforcer.check(owner(user_api_key_dict, key), key, data)
        except Exception:
            log.exception("enforcement failed; the call goes through")
            return None
        if self._dry_run and outcome.verdict.action not in ("allow", "observe"):
            log.warning("would %s account %s", outcome.verdict.action, outcome.verdict.account_id)
        if outcome.refusal is not None:
            refusal = outcome.refusal
            raise HTTPException(refusal.status, refusal.body["error"], headers=dict(refusal.headers))
        return outcome.body


def owner(key: Any, key_hash: str) -> str:
    """The verified owner: the key's user, else its team, organization or project, else the key itself."""
    names = (getattr(key, name, None) for name in ("user_id", "team_id", "org_id", "project_id"))
    return next((str(name) for name in names if name and name not in NOBODY), key_hash)


def hashed(api_key: str | None) -> str:
    """The key's id in the logs: its hash."""
    key = api_key or ""
    return hashlib.sha256(key.encode()).hexdigest() if key.startswith("sk-") else key


hook = Hook()
