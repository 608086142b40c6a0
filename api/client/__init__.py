"""The client: send events, follow verdicts, enforce them. Needs Python and httpx, nothing of the service.

``pip install --no-deps distillwatch`` puts it beside a gateway that has httpx, without the rest's dependencies.
"""

from __future__ import annotations

from api.client.asgi import EnforcementMiddleware
from api.client.enforcing import Enforcer
from api.client.events import EventClient, Full, Stats
from api.client.spool import SpoolInUse
from api.client.verdicts import Verdict, Verdicts

__all__ = ["EnforcementMiddleware", "Enforcer", "EventClient", "Full", "SpoolInUse", "Stats", "Verdict", "Verdicts"]
