// Signs people in with Heddle and lists the blocks of their server. docs/sign-in-sample.md walks through it.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import * as client from "openid-client";

const { HEDDLE = "http://127.0.0.1:8006", CLIENT_ID, CLIENT_SECRET, PORT = "8123" } = process.env;
const SCOPE = "openid profile email IDENTITY READ_BLOCK";
const SESSION_SECONDS = 8 * 60 * 60;
const SIGN_IN_SECONDS = 10 * 60;

if (!CLIENT_ID || !CLIENT_SECRET) {
  console.error("set CLIENT_ID and CLIENT_SECRET to what `heddle app create` printed");
  process.exit(1);
}

// 1. What the server says of itself: its addresses, its keys, its algorithms.
const issuer = new URL(HEDDLE);
const execute = issuer.protocol === "http:" ? [client.allowInsecureRequests] : [];
const config = await client.discovery(issuer, CLIENT_ID, CLIENT_SECRET, undefined, { execute });

// Browsers that are on their way to Heddle, and those that are signed in, each by a cookie that nobody can guess. They are
// forgotten when this program ends; a real application keeps them in its database.
const leaving = new Map();
const sessions = new Map();

// 2. Off to Heddle. What the answer will be checked against is kept for this browser alone.
async function signIn(request, response) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: callback(),
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
  redirect(response, url.href, cookie("leaving", keep(leaving, checks, SIGN_IN_SECONDS), SIGN_IN_SECONDS));
}

// 3. Back from Heddle. The library compares `state` and `iss`, changes the code for tokens and checks the ID token.
async function back(request, response) {
  const checks = take(leaving, request, "leaving");
  if (!checks) return redirect(response, "/sign-in");
  const url = new URL(request.url, callback());
  if (url.searchParams.get("error") === "access_denied") return page(response, html`<p>Heddle was told no. You are not signed in.</p><p><a href="/sign-in">Sign in with Heddle</a></p>`);
  const tokens = await client.authorizationCodeGrant(config, url, { ...checks, idTokenExpected: true });
  const { sub, name, email } = tokens.claims();
  // `sub` is who it is for good; a real application looks up or makes its own account by it here.
  const session = { sub, name, email, ...kept(tokens) };
  // A new cookie, whatever the browser brought: nobody can have chosen it.
  redirect(response, "/", cookie("session", keep(sessions, session, SESSION_SECONDS), SESSION_SECONDS), cookie("leaving", "", 0));
}

// 4. The API, with a token that is renewed in time.
async function blocks(session) {
  const url = new URL(`${HEDDLE}/external-api/v1/blocks`);
  const answer = await client.fetchProtectedResource(config, await accessToken(session), url, "GET");
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

/** The session's access token; a refresh token is good once, so requests that come together wait for one renewal. */
async function accessToken(session) {
  if (session.expires > Date.now() + 60_000) return session.access;
  session.renewal ??= client.refreshTokenGrant(config, session.refresh).then(
    (tokens) => Object.assign(session, kept(tokens)),
  ).finally(() => delete session.renewal);
  await session.renewal;
  return session.access;
}

function kept(tokens) {
  return { access: tokens.access_token, refresh: tokens.refresh_token, expires: Date.now() + tokens.expires_in * 1000 };
}

// 5. Out: the session here, and with the refresh token all that was given for it there.
async function signOut(request, response) {
  const session = take(sessions, request, "session");
  if (session) await client.tokenRevocation(config, session.refresh);
  redirect(response, "/", cookie("session", "", 0));
}

async function home(request, response) {
  const session = sessions.get(cookies(request).session)?.value;
  if (!session) return page(response, html`<p>You are not signed in.</p><p><a href="/sign-in">Sign in with Heddle</a></p>`);
  let list;
  try {
    list = await blocks(session);
  } catch (error) {
    // The person took it back, or an operator did.
    const isOver = error.status === 401 || error.error === "invalid_grant";
    if (!isOver) throw error;
    sessions.delete(cookies(request).session);
    return redirect(response, "/", cookie("session", "", 0));
  }
  page(
    response,
    html`<p>Hello ${session.name || session.email}, your server has ${list.length} blocks.</p>
      <form method="post" action="/sign-out"><button>Sign out</button></form>
      <ul>${list.map((block) => html`<li>${block.name}</li>`)}</ul>`,
  );
}

const routes = { "GET /": home, "GET /sign-in": signIn, "GET /callback": back, "POST /sign-out": signOut };

const server = createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url.split("?")[0]}`];
  try {
    if (!route) return page(response, html`<p>There is nothing here.</p>`, 404);
    // Another site's page can send forms here too, but not say that it is this one.
    const site = request.headers["sec-fetch-site"] ?? "same-origin";
    if (request.method === "POST" && site !== "same-origin") return page(response, html`<p>Not from here.</p>`, 403);
    await route(request, response);
  } catch (error) {
    console.error(error);
    page(response, html`<p>That did not work. <a href="/">Try again</a></p>`, 502);
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

/** Where Heddle sends browsers back to; registered without the port, which stands for all of them on loopback. */
function callback() {
  return `http://127.0.0.1:${server.address().port}/callback`;
}

function keep(map, value, seconds) {
  const key = randomBytes(32).toString("base64url");
  const timer = setTimeout(() => map.delete(key), seconds * 1000).unref();
  map.set(key, { value, timer });
  return key;
}

function take(map, request, name) {
  const key = cookies(request)[name];
  const found = map.get(key);
  map.delete(key);
  clearTimeout(found?.timer);
  return found?.value;
}

function cookies(request) {
  const pairs = (request.headers.cookie ?? "").split("; ").map((pair) => pair.split("="));
  return Object.fromEntries(pairs);
}

function cookie(name, value, seconds) {
  // With https, add Secure and begin the name with __Host-.
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
}

function redirect(response, target, ...set) {
  response.writeHead(303, { Location: target, "Set-Cookie": set, "Cache-Control": "no-store" }).end();
}

function page(response, body, status = 200) {
  const policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policy,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  };
  response.writeHead(status, headers);
  response.end(`<!doctype html>\n<html lang="en"><title>Weaver</title><h1>Weaver</h1>${body.text}</html>\n`);
}

/** Text with values put into it, which are escaped unless they are such text themselves. */
function html(pieces, ...values) {
  const escape = (value) => String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const shown = (value) => (Array.isArray(value) ? value.map(shown).join("") : value?.text ?? escape(value ?? ""));
  return { text: pieces.reduce((text, piece, at) => text + shown(values[at - 1]) + piece) };
}
