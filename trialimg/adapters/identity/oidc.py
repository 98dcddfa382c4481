"""Sign-in servers that speak OpenID Connect: their tokens are checked here, never believed.

References
----------
Sakimura, Bradley, Jones, de Medeiros, Mortimore. OpenID Connect Core 1.0, 2014, section 3.1.3.7.
Sheffer, Hardt, Jones. JSON Web Token Best Current Practices. RFC 8725, 2020.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from trialimg.core.errors import AccessError, TrialimgError

__all__ = ["ALGORITHMS", "OidcProvider", "keys_from"]

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures by a key pair; a token is never checked by a shared secret, nor by nothing."""

_SLACK = timedelta(seconds=60)
"""How far two clocks may differ."""
_OLDEST = timedelta(minutes=10)
"""After it was issued a token opens no session."""
_LONGEST_TOKEN = 16_384
_LARGEST_KEYS_BYTES = 1 << 20
_NEEDED = ("iss", "sub", "aud", "exp", "iat", "nonce")
_TIMEOUT_S = 10


@dataclass(frozen=True)
class OidcProvider:
    """One issuer, to whom we are known as one client."""

    issuer: str
    client: str
    """What the tokens name as their audience."""
    keys: jwt.PyJWKSet | jwt.PyJWKClient
    algorithms: Sequence[str] = ALGORITHMS

    def __post_init__(self) -> None:
        if strangers := set(self.algorithms) - set(ALGORITHMS):
            raise TrialimgError(f"{', '.join(sorted(strangers))}: not an algorithm that tokens are taken by")

    def subject(self, id_token: str, *, nonce: str, at: datetime) -> str:
        """Whom the token speaks of, by the issuer's own identifier.

        Raises
        ------
        AccessError
            If the token is not signed by the issuer, is not for us or for this sign-in, or is not of this time.
        """
        if len(id_token) > _LONGEST_TOKEN:
            raise AccessError("the identity token is too long")
        try:
            claims = jwt.decode(
                id_token,
                self._key(id_token),
                algorithms=list(self.algorithms),
                audience=self.client,
                issuer=self.issuer,
                options={"require": list(_NEEDED), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, UnicodeError) as refused:
            raise AccessError(f"the identity token does not hold: {refused}") from refused
        if because := self._misfit(claims, nonce, at):
            raise AccessError(f"the identity token does not hold: {because}")
        subject: str = claims["sub"]
        return subject

    def _key(self, id_token: str) -> jwt.PyJWK:
        """The issuer's key that the token names; its only one where the token names none."""
        if isinstance(self.keys, jwt.PyJWKClient):
            return self.keys.get_signing_key_from_jwt(id_token)
        named = jwt.get_unverified_header(id_token).get("kid")
        found = [key for key in self.keys.keys if key.key_id == named or (named is None and len(self.keys.keys) == 1)]
        if not found:
            raise jwt.InvalidKeyError("the issuer has no such key")
        return found[0]

    def _misfit(self, claims: dict[str, Any], nonce: str, at: datetime) -> str:
        """What is wrong with claims that the issuer did sign; empty if nothing is."""
        now, expires, issued = at.timestamp(), claims["exp"], claims["iat"]
        begins = claims.get("nbf", issued)
        is_time = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (expires, issued, begins))
        if not is_time or not isinstance(claims["sub"], str) or not claims["sub"]:
            return "its claims have another form"
        if not nonce or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            return "it was made for another sign-in"
        if now >= expires + _SLACK.total_seconds() or now >= issued + _OLDEST.total_seconds():
            return "it has expired"
        if max(issued, begins) > now + _SLACK.total_seconds():
            return "its time has not come"
        audience = claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        if (is_shared or "azp" in claims) and claims.get("azp") != self.client:
            return "it was made for another client"
        return ""


def keys_from(place: str) -> jwt.PyJWKSet | jwt.PyJWKClient:
    """The public keys of an issuer: a JWKS file, or its address by https, asked when a token comes.

    Raises
    ------
    TrialimgError
        If the file cannot be read or holds no key, or the address is not https.
    """
    scheme = urlsplit(place).scheme
    if scheme == "https":
        return jwt.PyJWKClient(place, timeout=_TIMEOUT_S)
    if scheme == "http":
        raise TrialimgError(f"{place}: the keys of a sign-in server come by https, or from a file")
    try:
        with Path(place).open("rb") as file:
            data = file.read(_LARGEST_KEYS_BYTES + 1)
        if len(data) > _LARGEST_KEYS_BYTES:
            raise TrialimgError(f"{place}: larger than any set of keys")
        return jwt.PyJWKSet.from_dict(json.loads(data))
    except OSError as fault:
        raise TrialimgError(f"{place}: cannot be read ({fault.strerror})") from fault
    except (ValueError, AttributeError, jwt.PyJWTError) as fault:
        raise TrialimgError(f"{place}: holds no keys in the form of a JWKS ({fault})") from fault
