"""Authlib's session on requests, against a real server."""

import warnings

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from hands import *

warnings.simplefilter("error")
SCOPE = "openid profile email IDENTITY READ_BLOCK"


def session(way=None, scope=SCOPE, secret=CLIENT_SECRET, client=CLIENT_ID, **more):
    return OAuth2Session(client, secret, scope=scope, redirect_uri=REDIRECT_URI, code_challenge_method="S256",
                         token_endpoint_auth_method=way, revocation_endpoint_auth_method=way, **more)


def sign_in(session, word="allow", **more):
    verifier = generate_token(48)
    url, state = session.create_authorization_url(AUTHORIZE, code_verifier=verifier, **more)
    back = visit(url, word)
    return session.fetch_token(TOKEN, authorization_response=back, state=state, code_verifier=verifier)


WAYS = {
    "the default way": dict(),
    "a secret in the body": dict(way="client_secret_post"),
    "a public client": dict(secret=None, client=PUBLIC_ID),
}

for way, how in WAYS.items():
    heddle = session(**how)
    with check(f"{way}: fetch_token, and the ID token's signature holds"):
        token = sign_in(heddle, nonce="n-0S6_WzA2Mj")
        assert token["token_type"] == "Bearer" and token["expires_in"] == 3600, token
        assert sorted(token["scope"].split()) == sorted(SCOPE.split()), token
        # From `expires_in`; a member of that name with another meaning would be taken as it is.
        assert isinstance(token["expires_at"], int), token
        keys = KeySet.import_key_set(heddle.get(JWKS, withhold_token=True).json())
        claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
        rules = jwt.JWTClaimsRegistry(iss={"essential": True, "value": HEDDLE}, nonce={"value": "n-0S6_WzA2Mj"},
                                      aud={"essential": True, "value": heddle.client_id}, exp={"essential": True})
        rules.validate(claims)
        assert claims["email"] == "ada@example.org", claims
    with check(f"{way}: userinfo and the API with the token"):
        assert heddle.get(USERINFO).json()["sub"] == heddle.get(ME).json()["id"] == claims["sub"]
        assert heddle.get(f"{HEDDLE}/external-api/v1/blocks").status_code == 200
    with check(f"{way}: refresh_token"):
        before = dict(token)
        token = heddle.refresh_token(TOKEN)
        assert token["access_token"] != before["access_token"] and token["refresh_token"] != before["refresh_token"]
        assert heddle.get(ME).status_code == 200
    if heddle.client_secret:
        with check(f"{way}: introspect_token"):
            about = heddle.introspect_token(INTROSPECT, token=token["access_token"]).json()
            assert about["active"] is True and about["token_type"] == "Bearer", about
            assert heddle.introspect_token(INTROSPECT, token="x").json() == {"active": False}
    with check(f"{way}: revoke_token ends what a refresh token belongs to"):
        answer = heddle.revoke_token(REVOKE, token=token["refresh_token"], token_type_hint="refresh_token")
        assert answer.status_code == 200, answer.text
        assert heddle.get(ME).status_code == 401
        fails(AuthlibBaseError, lambda: heddle.refresh_token(TOKEN), "invalid_grant")

with check("a wrong secret raises, and nothing is kept as a token"):
    for way in ("client_secret_basic", "client_secret_post"):
        wrong = session(way, secret="agpt_secret_wrong")
        fails(AuthlibBaseError, lambda: sign_in(wrong), "invalid_client")
        assert wrong.token is None, wrong.token

with check("no from the person raises, and nothing is kept as a token"):
    # This library does not look at the error; it sends what an application would send that has no code.
    denied = session()
    fails(AuthlibBaseError, lambda: sign_in(denied, "deny"), "unsupported_grant_type")
    assert denied.token is None, denied.token

with check("a token that is about to expire is renewed unasked"):
    renewed = []
    heddle = session(token_endpoint=TOKEN, update_token=lambda token, refresh_token: renewed.append(refresh_token))
    heddle.token = {**sign_in(heddle), "expires_at": 1}
    before = heddle.token["refresh_token"]
    assert heddle.get(ME).status_code == 200
    assert renewed == [before]

done()
