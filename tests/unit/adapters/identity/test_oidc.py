"""A sign-in server's token holds only if everything about it does; keys are made here, no server is asked."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from trialimg.adapters.identity.oidc import OidcProvider, keys_from
from trialimg.core.errors import AccessError, TrialimgError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, CLIENT, NONCE = "https://id.example.org", "trialimg", "n-0S6_WzA2Mj"


@pytest.fixture(scope="module")
def keys():
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "stranger": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }


@pytest.fixture(scope="module")
def jwks(keys, tmp_path_factory):
    rsa_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(keys["rsa"].public_key()))
    ec_key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(keys["ec"].public_key()))
    path = tmp_path_factory.mktemp("issuer") / "jwks.json"
    path.write_text(json.dumps({"keys": [{**rsa_key, "kid": "r1", "alg": "RS256"}, {**ec_key, "kid": "e1"}]}))
    return str(path)


@pytest.fixture(scope="module")
def provider(jwks):
    return OidcProvider(ISSUER, CLIENT, keys_from(jwks))


def token(key, *, kid="r1", algorithm="RS256", without=(), **changes):
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "nonce": NONCE, "iat": AT - 5, "exp": AT + 300}
    claims = {name: value for name, value in {**claims, **changes}.items() if name not in without}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


def test_a_token_that_holds_names_the_subject(provider, keys):
    assert provider.subject(token(keys["rsa"]), nonce=NONCE, at=NOW) == "248289761001"
    elliptic = token(keys["ec"], kid="e1", algorithm="ES256")
    assert provider.subject(elliptic, nonce=NONCE, at=NOW) == "248289761001"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iss": "https://id.example.com"}, "issuer"),
        ({"aud": "another"}, "udience"),
        ({"aud": [CLIENT, "another"]}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"nonce": "of another sign-in"}, "another sign-in"),
        ({"exp": AT - 61}, "expired"),
        ({"exp": AT + 86_400, "iat": AT - 601}, "expired"),
        ({"iat": AT + 61}, "time has not come"),
        ({"nbf": AT + 61}, "time has not come"),
        ({"exp": True}, "form"),
        ({"sub": ""}, "form"),
        *(({"without": (name,)}, name) for name in ("iss", "aud", "sub", "exp", "iat", "nonce")),
    ],
    ids=str,
)
def test_one_wrong_claim_is_enough_to_refuse(provider, keys, changes, says):
    with pytest.raises(AccessError, match=says):
        provider.subject(token(keys["rsa"], **changes), nonce=NONCE, at=NOW)


def test_clocks_may_differ_by_a_minute(provider, keys):
    for changes in ({"exp": AT - 59}, {"iat": AT + 59}, {"aud": [CLIENT, "another"], "azp": CLIENT}):
        assert provider.subject(token(keys["rsa"], **changes), nonce=NONCE, at=NOW)


def test_a_signature_by_a_stranger_is_refused(provider, keys):
    with pytest.raises(AccessError, match="ignature"):
        provider.subject(token(keys["stranger"]), nonce=NONCE, at=NOW)
    with pytest.raises(AccessError, match="no such key"):
        provider.subject(token(keys["stranger"], kid="x9"), nonce=NONCE, at=NOW)
    with pytest.raises(AccessError, match="no such key"):
        provider.subject(token(keys["rsa"], kid=""), nonce=NONCE, at=NOW)


def test_a_token_by_nothing_or_by_the_public_key_as_a_shared_secret_is_refused(provider, keys):
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"r1","typ":"JWT"}').rstrip(b"=")
    signed = header + b"." + token(keys["rsa"]).encode().split(b".")[1]
    mac = hmac.digest(keys["rsa"].public_key().public_bytes(encoding, form), signed, "sha256")
    by_public_key = (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
    for forged in (token(None, algorithm="none"), by_public_key):
        with pytest.raises(AccessError, match="alg"):
            provider.subject(forged, nonce=NONCE, at=NOW)


def test_an_algorithm_that_is_not_pinned_is_refused(jwks, keys):
    only_rsa = OidcProvider(ISSUER, CLIENT, keys_from(jwks), algorithms=("RS256",))
    with pytest.raises(AccessError, match="alg"):
        only_rsa.subject(token(keys["ec"], kid="e1", algorithm="ES256"), nonce=NONCE, at=NOW)
    with pytest.raises(TrialimgError, match="HS256"):
        OidcProvider(ISSUER, CLIENT, keys_from(jwks), algorithms=("HS256",))


@pytest.mark.parametrize("text", ["", "a.b.c", "é.é.é", "x" * 20_000], ids=["empty", "not base64", "not ASCII", "long"])
def test_what_is_no_token_is_refused(provider, text):
    with pytest.raises(AccessError):
        provider.subject(text, nonce=NONCE, at=NOW)


def test_without_a_nonce_no_token_holds(provider, keys):
    with pytest.raises(AccessError, match="another sign-in"):
        provider.subject(token(keys["rsa"], nonce=""), nonce="", at=NOW)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "no keys"), ("[]", "no keys"), ('{"keys": []}', "no keys"), ("{" + " " * (1 << 20) + "}", "larger")],
    ids=["empty", "list", "none", "huge"],
)
def test_a_file_without_keys_is_refused(tmp_path, text, says):
    path = tmp_path / "jwks.json"
    path.write_text(text)
    with pytest.raises(TrialimgError, match=says):
        keys_from(str(path))


def test_keys_come_by_https_or_from_a_file_that_is_there(tmp_path):
    with pytest.raises(TrialimgError, match="https"):
        keys_from("http://id.example.org/jwks")
    with pytest.raises(TrialimgError, match="cannot be read"):
        keys_from(str(tmp_path / "absent.json"))
    assert isinstance(keys_from("https://id.example.org/jwks"), jwt.PyJWKClient)
