"""The service over HTTP, in the service's own types. Every rule is the service's; this only asks and passes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar, overload
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.schemas.account import AccountDetail
from api.schemas.approvals import (
    ApprovalKind,
    ApprovalPage,
    Because,
    Ended,
    ExceptionIn,
    ExceptionOut,
    UnmaskIn,
    UnmaskingOut,
)
from api.schemas.audit import AuditPage
from api.schemas.base import Readable, Role, Subject
from api.schemas.bulk import BulkIn, BulkItem, BulkOut, BulkPreview
from api.schemas.campaign import CampaignDetail, CampaignPage
from api.schemas.case import CampaignGraph, Release, Twins
from api.schemas.decisions import DecisionIn, DecisionOut, Snapshot, UndoIn
from api.schemas.evidence import ExamplePrompt, RequestsBehind
from api.schemas.keys import KeyCreated, KeyIn, KeyOut, Me
from api.schemas.overview import ClusterPoint, Overview
from api.schemas.performance import Performance
from api.schemas.queue import CasePage, Claim
from api.schemas.verdicts import EnforcementIn, EnforcementMode, EnforcementOut

URL_VARIABLE = "DISTILLWATCH_API_URL"
DEFAULT_URL = "http://127.0.0.1:8400"
TIMEOUT_SECONDS = 20.0  # a page that takes longer is better shown as a failure than as a spinner
TRANSFER_SECONDS = 600.0  # of a file
MAX_DETAIL = 500  # characters of the service's explanation that are shown

Body = TypeVar("Body", bound=BaseModel)
Given = Mapping[str, Any] | None
Parameters = Mapping[str, str | int | float | None]


class ApiError(Exception):
    """The service could not do what was asked; ``detail`` says why in the service's words."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail[:MAX_DETAIL]


class Unreachable(ApiError):
    """No answer: the service is down, or the address is wrong."""


class KeyRefused(ApiError):
    """401: the key is unknown, expired or revoked."""


class Forbidden(ApiError):
    """403: the key's role may not do this."""


class Missing(ApiError):
    """404: there is no such account, campaign or page."""


class Refused(ApiError):
    """409 or 422: the request breaks a rule, e.g. a decision without a reason."""


class Broken(ApiError):
    """Anything else: the service failed, is overloaded, or is of another version."""


ERRORS: dict[int, type[ApiError]] = {401: KeyRefused, 403: Forbidden, 404: Missing, 409: Refused, 422: Refused}


def base_url() -> str:
    """Address of the service, from the environment."""
    return os.environ.get(URL_VARIABLE, DEFAULT_URL).rstrip("/")


@lru_cache(maxsize=4)
def _connections(url: str) -> httpx.Client:
    """One pool of connections for all sessions; keys travel with each request, never with the pool."""
    # The address is configured outright, so proxies of the environment are not asked.
    return httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)


class Client:
    """What one signed-in person may ask of the service."""

    def __init__(self, key: str, url: str | None = None) -> None:
        if not (key.isascii() and key.isprintable()):
            raise KeyRefused("A key consists of printable ASCII characters.")
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._http = _connections(url or base_url())

    def me(self) -> Me:
        """Whose key this is."""
        return self._get("/v1/me", Me)

    def overview(self) -> Overview:
        """The figures at the top."""
        return self._get("/v1/overview", Overview)

    def performance(self) -> Performance:
        """How the flags fared with the people who reviewed them."""
        return self._get("/v1/performance", Performance)

    def cases(self, parameters: Parameters) -> CasePage:
        """One page of the queue: sort, order, state, verdict, min_risk, due, claim, pattern, q, limit, cursor."""
        return self._get("/v1/cases", CasePage, parameters)

    def account(self, account_id: str) -> AccountDetail:
        """Everything on one account."""
        return self._get(f"/v1/cases/{quote(account_id, safe='')}", AccountDetail)

    def claim(self, account_id: str) -> Claim:
        """Keep a case for oneself for a while."""
        return self._post(f"/v1/cases/{quote(account_id, safe='')}/claim", Claim, None)

    def release(self, account_id: str) -> Claim:
        """Let a case go."""
        return self._post(f"/v1/cases/{quote(account_id, safe='')}/release", Claim, None)

    def preview_bulk(self, query: Mapping[str, Any], decision: Mapping[str, Any]) -> BulkPreview:
        """What a decision on all cases that match would do."""
        return self._post("/v1/bulk", BulkPreview, checked(BulkIn, query=query, decision=decision))

    def ask_bulk(self, query: Mapping[str, Any], decision: Mapping[str, Any], expected: int) -> BulkOut:
        """Ask for a decision on all cases that match, of which the preview told so many."""
        body = checked(BulkIn, query=query, decision=decision, dry_run=False, expected=expected)
        return self._post("/v1/bulk", BulkOut, body)

    def bulks(self, limit: int = 20) -> list[BulkOut]:
        """Bulk decisions with their progress, the newest first."""
        return self._parse(TypeAdapter(list[BulkOut]), self._ask("GET", "/v1/bulk", {"limit": limit}))

    def bulk_items(self, bulk_id: int, limit: int = 200) -> list[BulkItem]:
        """The accounts of a bulk decision with their results, what failed first."""
        answer = self._ask("GET", f"/v1/bulk/{bulk_id}/items", {"limit": limit})
        return self._parse(TypeAdapter(list[BulkItem]), answer)

    def decide_account(self, account_id: str, decision: str, reason: str, more: Given = None) -> DecisionOut:
        """Record a decision on an account; ``more`` as in api.schemas.decisions.DecisionIn."""
        return self._decide(f"/v1/cases/{quote(account_id, safe='')}/decisions", decision, reason, more)

    def campaigns(self, limit: int, offset: int) -> CampaignPage:
        """One page of campaigns, riskiest first."""
        return self._get("/v1/campaigns", CampaignPage, {"limit": limit, "offset": offset})

    def campaign(self, campaign_id: str) -> CampaignDetail:
        """Everything on one campaign."""
        return self._get(f"/v1/campaigns/{quote(campaign_id, safe='')}", CampaignDetail)

    def decide_campaign(self, campaign_id: str, decision: str, reason: str, more: Given = None) -> DecisionOut:
        """Record a decision on a campaign as a whole; ``more`` as in api.schemas.decisions.DecisionIn."""
        return self._decide(f"/v1/campaigns/{quote(campaign_id, safe='')}/decisions", decision, reason, more)

    def undo(self, decision_id: int, reason: str = "") -> DecisionOut:
        """Take back the last decision on an account or campaign."""
        return self._post(f"/v1/decisions/{decision_id}/undo", DecisionOut, checked(UndoIn, reason=reason))

    def snapshot(self, decision_id: int) -> Snapshot:
        """The evidence as it was when a decision was made."""
        return self._get(f"/v1/decisions/{decision_id}/evidence", Snapshot)

    def approvals(self, limit: int = 100) -> ApprovalPage:
        """What waits for a second person, the oldest first."""
        return self._get("/v1/approvals", ApprovalPage, {"limit": limit})

    def approve(self, kind: ApprovalKind, number: int, reason: str) -> Ended:
        """Approve what another person asked for."""
        return self._post(f"/v1/approvals/{kind}/{number}/approve", Ended, checked(Because, reason=reason))

    def end(self, kind: ApprovalKind, number: int, reason: str) -> Ended:
        """Refuse what waits, or end what holds."""
        return self._post(f"/v1/approvals/{kind}/{number}/end", Ended, checked(Because, reason=reason))

    def make_exception(self, account_id: str, signal: str, reason: str, expires_at: datetime) -> ExceptionOut:
        """Let a signal not count in an account's risk for a time."""
        body = checked(ExceptionIn, account_id=account_id, signal=signal, reason=reason, expires_at=expires_at)
        return self._post("/v1/exceptions", ExceptionOut, body)

    def unmask(self, subject: Readable, subject_id: str, reason: str, minutes: int) -> UnmaskingOut:
        """Ask for leave to read the prompts of an account or campaign."""
        body = checked(UnmaskIn, subject=subject, subject_id=subject_id, reason=reason, minutes=minutes)
        return self._post("/v1/unmaskings", UnmaskingOut, body)

    def behind(self, subject: Subject, subject_id: str, signal: str) -> RequestsBehind:
        """Some of the requests behind one reason, masked."""
        return self._get(
            "/v1/reasons", RequestsBehind, {"subject": subject, "subject_id": subject_id, "signal": signal}
        )

    def prompts(self, subject: Subject, subject_id: str, signal: str | None = None) -> list[ExamplePrompt]:
        """Example requests, or those behind one reason, in full, with leave; each reading is in the audit trail."""
        asked = {"subject": subject, "subject_id": subject_id, **({"signal": signal} if signal else {})}
        answer = self._ask("GET", "/v1/prompts", asked)
        return self._parse(TypeAdapter(list[ExamplePrompt]), answer)

    def enforcement(self) -> EnforcementOut:
        """What of the actions gateways are told."""
        return self._get("/v1/enforcement", EnforcementOut)

    def switch_enforcement(self, mode: EnforcementMode, reason: str) -> EnforcementOut:
        """Use the switch that stops enforcement, or turns it on again."""
        answer = self._ask("PUT", "/v1/enforcement", body=checked(EnforcementIn, mode=mode, reason=reason))
        return self._parse(TypeAdapter(EnforcementOut), answer)

    def twins(self, account_id: str) -> Twins:
        """The reviewed accounts most like one."""
        return self._get("/v1/twins", Twins, {"account": account_id})

    def graph(self, campaign_id: str) -> CampaignGraph:
        """Members of a campaign and what ties each pair."""
        return self._get(f"/v1/campaigns/{quote(campaign_id, safe='')}/graph", CampaignGraph)

    def releases(self) -> list[Release]:
        """When models were released."""
        return self._parse(TypeAdapter(list[Release]), self._ask("GET", "/v1/releases"))

    def clusters(self, account_id: str | None = None) -> list[ClusterPoint]:
        """The codebook in the plane, with the population's requests and one account's."""
        return self._parse(TypeAdapter(list[ClusterPoint]), self._ask("GET", "/v1/clusters", {"account": account_id}))

    def audit(self, limit: int, offset: int) -> AuditPage:
        """One page of the audit trail, newest first."""
        return self._get("/v1/audit", AuditPage, {"limit": limit, "offset": offset})

    def all_keys(self) -> list[KeyOut]:
        """All keys of the service (never the secrets)."""
        return self._parse(TypeAdapter(list[KeyOut]), self._ask("GET", "/v1/keys"))

    def make_key(self, name: str, role: Role) -> KeyCreated:
        """A new key; its secret is in this answer only."""
        return self._parse(
            TypeAdapter(KeyCreated), self._ask("POST", "/v1/keys", body=checked(KeyIn, name=name, role=role))
        )

    def revoke_key(self, key_id: str) -> KeyOut:
        """Make a key useless at once."""
        return self._parse(TypeAdapter(KeyOut), self._ask("DELETE", f"/v1/keys/{quote(key_id, safe='')}"))

    def fetch(self, path: str, body: type[Body], parameters: Parameters | None = None) -> Body:
        """What a path answers, as its body."""
        return self._get(path, body, parameters)

    def fetch_list(self, path: str, body: type[Body], parameters: Parameters | None = None) -> list[Body]:
        """What a path answers, as a list of bodies."""
        return self._parse(TypeAdapter(list[body]), self._ask("GET", path, parameters))  # type: ignore[valid-type]

    @overload
    def send(self, method: str, path: str, given: Any = None, body: None = None) -> None: ...
    @overload
    def send(self, method: str, path: str, given: Any, body: type[Body]) -> Body: ...
    def send(self, method: str, path: str, given: Any = None, body: type[Body] | None = None) -> Body | None:
        """Send what :func:`checked` gave; the answer as its body, where one is named."""
        response = self._ask(method, path, body=given)
        return self._parse(TypeAdapter(body), response) if body else None

    def download(self, path: str) -> bytes:
        """A file."""
        return self._ask("GET", path, seconds=TRANSFER_SECONDS).content

    def upload(self, path: str, data: bytes, body: type[Body], parameters: Parameters) -> Body:
        """Send a file."""
        return self._parse(
            TypeAdapter(body), self._ask("POST", path, parameters, content=data, seconds=TRANSFER_SECONDS)
        )

    def _decide(self, path: str, decision: str, reason: str, more: Given) -> DecisionOut:
        return self._post(path, DecisionOut, checked(DecisionIn, decision=decision, reason=reason, **(more or {})))

    def _post(self, path: str, answer: type[Body], body: Any) -> Body:
        return self._parse(TypeAdapter(answer), self._ask("POST", path, body=body))

    def _get(self, path: str, body: type[Body], parameters: Parameters | None = None) -> Body:
        return self._parse(TypeAdapter(body), self._ask("GET", path, parameters))

    def _ask(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        body: Any = None,
        content: bytes | None = None,
        seconds: float = TIMEOUT_SECONDS,
    ) -> httpx.Response:
        given = {name: value for name, value in (parameters or {}).items() if value not in (None, "")}
        try:
            response = self._http.request(
                method, path, params=given, json=body, content=content, headers=self._headers, timeout=seconds
            )
        except (httpx.HTTPError, UnicodeError) as error:
            raise Unreachable(f"{self._http.base_url}: {error}") from None
        if response.is_success:
            return response
        raise ERRORS.get(response.status_code, Broken)(_explanation(response))

    @staticmethod
    def _parse(adapter: TypeAdapter[Any], response: httpx.Response) -> Any:
        try:
            return adapter.validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Broken(
                f"The service's answer has another form than this dashboard expects: {where}: {first['msg']}"
            ) from None


def checked(schema: type[BaseModel], **values: Any) -> dict[str, Any]:
    """The body of a request, refused here in the words that the service would use."""
    try:
        return schema.model_validate(values).model_dump(mode="json")
    except ValidationError as error:
        raise Refused("; ".join(e["msg"] for e in error.errors())) from None


def _explanation(response: httpx.Response) -> str:
    """What the service says about a failure: FastAPI's ``detail`` as text or as a list of errors, else the status."""
    try:
        body = response.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list):
        return "; ".join(str(item.get("msg", item)) if isinstance(item, dict) else str(item) for item in detail)
    return f"HTTP {response.status_code} {response.reason_phrase}"
