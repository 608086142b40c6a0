"""Tokens of an OpenID Connect provider: checked against its keys, so that what the dashboard passes on need not be believed."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]  # none of them symmetric
TIMEOUT_SECONDS = 10.0
KEYS_SECONDS = 3600.0  # for which the provider's keys are remembered
RETRY_SECONDS = 10.0  # between two questions for keys that are not known
LEEWAY_SECONDS = 60  # between the clocks
MAX_AGE_SECONDS = 3600  # of a token at sign-in, even where it is good for longer
MAX_PERSON = 200


class NotAccepted(ValueError):
    """The token is not good, or names nobody."""


class NoProvider(RuntimeError):
    """The identity provider does not answer."""


class Provider:
    """One identity provider, by its address."""

    def __init__(self, issuer: str, client_id: str, claim: str = "email") -> None:
        self._issuer = issuer.rstrip("/")
        self._claim = claim
        self._registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "values": [self._issuer, self._issuer + "/"]},
            aud={"essential": True, "value": client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._asked = float("-inf")

    def person(self, token: str) -> str:
        """Whom a token names, in lower case. Raises NotAccepted, NoProvider."""
        claims = self._claims(token)
        try:
            self._registry.validate(claims)
        except JoseError as error:
            raise NotAccepted(f"the token is not good: {error}") from error
        if time.time() - claims["iat"] > MAX_AGE_SECONDS:
            raise NotAccepted("the sign-in is more than an hour old: sign in again")
        name = claims.get(self._claim)
        if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_PERSON:
            raise NotAccepted(f"the token has no {self._claim}: ask for the scopes openid, email and profile")
        if self._claim == "email" and claims.get("email_verified") is not True:
            raise NotAccepted("the provider has not verified this e-mail address")
        return name.strip().lower()

    def _claims(self, token: str) -> dict[str, Any]:
        for fresh in (False, True):  # an unknown key may be a new one
            try:
                return dict(jwt.decode(token, self._known(fresh), algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError) as error:
                problem = error
        raise NotAccepted(f"the token is not signed by {self._issuer}: {problem}") from problem

    def _known(self, fresh: bool) -> KeySet:
        with self._lock:
            age = time.monotonic() - self._asked
            if self._keys is None or age > (RETRY_SECONDS if fresh else KEYS_SECONDS):
                try:
                    self._keys = self._ask()
                except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                    raise NoProvider(f"{self._issuer} does not tell its keys: {error}") from error
                self._asked = time.monotonic()
            return self._keys

    def _ask(self) -> KeySet:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
            about = http.get(f"{self._issuer}/.well-known/openid-configuration").raise_for_status().json()
            if str(about["issuer"]).rstrip("/") != self._issuer:
                raise ValueError(f"it calls itself {about['issuer']}")
            return KeySet.import_key_set(http.get(about["jwks_uri"]).raise_for_status().json())
