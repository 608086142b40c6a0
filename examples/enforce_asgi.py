"""Apply verdicts in a gateway of one's own, an ASGI application: uvicorn enforce_asgi:app

Needs the client (`pip install --no-deps distillwatch`), httpx and starlette. Replace `answer` by the gateway, and `owner` by what
authenticates its callers: it must be the owner that the gateway's logs name, never what a client says of itself.
"""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from api.client import EnforcementMiddleware, Enforcer, Verdicts

KEYS = {"Bearer key-of-north": "acct_north", "Bearer key-of-south": "acct_south"}


def owner(scope) -> str | None:
    """The account of a request, by its key."""
    return KEYS.get(dict(scope["headers"]).get(b"authorization", b"").decode())


async def answer(request: Request) -> JSONResponse:
    """Stands for the model."""
    return JSONResponse({"choices": [{"message": {"role": "assistant", "content": "Hello."}}]})


verdicts = Verdicts(
    os.environ.get("DISTILLWATCH_API_URL", "http://127.0.0.1:8400"), os.environ.get("DISTILLWATCH_KEY", "")
)
app = EnforcementMiddleware(
    Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])]), Enforcer(verdicts.start()), owner
)
