"""What the scripts beside this one share: a person to send to the authorization page, and a count of what was checked."""

import os
from contextlib import contextmanager

HEDDLE = os.environ["HEDDLE"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
PUBLIC_ID, REDIRECT_URI = os.environ["PUBLIC_ID"], os.environ["REDIRECT_URI"]
AUTHORIZE = f"{HEDDLE}/auth/authorize"
TOKEN, REVOKE = f"{HEDDLE}/api/oauth/token", f"{HEDDLE}/api/oauth/revoke"
INTROSPECT, USERINFO = f"{HEDDLE}/api/oauth/introspect", f"{HEDDLE}/api/oauth/userinfo"
JWKS, ME = f"{HEDDLE}/api/oauth/jwks", f"{HEDDLE}/external-api/v1/me"

count = 0


def visit(url, word="allow"):
    """Has somebody open the page and say yes, or no; where the browser was sent."""
    print(word, url, flush=True)
    return input()


@contextmanager
def check(name):
    """Counts a check; names it when it fails."""
    global count
    try:
        yield
    except BaseException as error:
        raise AssertionError(name) from error
    count += 1


def fails(kind, work, text):
    """What fails so, with this text in it."""
    try:
        result = work()
    except kind as error:
        assert text in str(error) or text == getattr(error, "error", None), f"{text} in {error!r}"
        return
    raise AssertionError(f"expected {kind.__name__}, not {result!r}")


def done():
    print("checked", count, flush=True)
