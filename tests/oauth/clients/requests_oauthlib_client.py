"""requests-oauthlib, against a real server. It knows neither discovery nor introspection; those are plain requests."""

import warnings

import requests
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidClientError, InvalidGrantError
from requests_oauthlib import OAuth2Session

from hands import *

# oauthlib warns when the scope of an answer is not what was asked for.
warnings.simplefilter("error")
SCOPE = ["openid", "profile", "email", "IDENTITY", "READ_BLOCK"]


def session(client=CLIENT_ID, scope=SCOPE, **more):
    return OAuth2Session(client, redirect_uri=REDIRECT_URI, scope=scope, pkce="S256", **more)


def sign_in(session, word="allow", **how):
    url, _ = session.authorization_url(AUTHORIZE)
    back = visit(url, word)
    return session.fetch_token(TOKEN, authorization_response=back, **how)


WAYS = {
    "a secret in the header": (CLIENT_ID, dict(client_secret=CLIENT_SECRET)),
    "a secret in the body": (CLIENT_ID, dict(client_secret=CLIENT_SECRET, include_client_id=True)),
    "a public client": (PUBLIC_ID, dict(include_client_id=True)),
}

for way, (client, how) in WAYS.items():
    heddle = session(client)
    with check(f"{way}: fetch_token"):
        token = sign_in(heddle, **how)
        assert token["expires_in"] == 3600 and token["id_token"].count(".") == 2, token
        assert sorted(token["scope"]) == sorted(SCOPE), token
    with check(f"{way}: userinfo and the API with the token"):
        assert heddle.get(USERINFO).json()["sub"] == heddle.get(ME).json()["id"]
        assert heddle.get(USERINFO).json()["email"] == "ada@example.org"
    secret = how.get("client_secret")
    as_client = dict(client_id=client, client_secret=secret) if secret else dict(client_id=client)
    with check(f"{way}: refresh_token"):
        before = token["refresh_token"]
        token = heddle.refresh_token(TOKEN, **as_client)
        assert token["refresh_token"] != before and heddle.get(ME).status_code == 200
        fails(InvalidGrantError, lambda: heddle.refresh_token(TOKEN, refresh_token=before, **as_client), "invalid_grant")
    with check(f"{way}: introspection and revocation by plain requests"):
        if secret:
            about = requests.post(INTROSPECT, data={"token": token["access_token"]}, auth=(client, secret)).json()
            assert about["active"] is True and about["scope"].split() == token["scope"], about
        ended = requests.post(REVOKE, data={"token": token["refresh_token"], **as_client})
        assert ended.status_code == 200, ended.text
        assert heddle.get(ME).status_code == 401

with check("a wrong secret raises"):
    fails(InvalidClientError, lambda: sign_in(session(), client_secret="agpt_secret_wrong"), "invalid_client")
    fails(InvalidClientError, lambda: sign_in(session(), client_secret="agpt_secret_wrong", include_client_id=True),
          "invalid_client")

with check("no from the person raises"):
    fails(AccessDeniedError, lambda: sign_in(session(), "deny", client_secret=CLIENT_SECRET), "access_denied")

with check("a scope that the application may not have raises"):
    fails(OAuth2Error, lambda: sign_in(session(scope=["WRITE_GRAPH"]), client_secret=CLIENT_SECRET), "invalid_scope")

done()
