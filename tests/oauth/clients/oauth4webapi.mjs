// oauth4webapi against a real server: the strictest reader of answers there is.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { check, done, failure, visit } from "./hands.mjs";

const { HEDDLE, CLIENT_ID, CLIENT_SECRET, PUBLIC_ID, REDIRECT_URI } = process.env;
const issuer = new URL(HEDDLE);
const scope = "openid profile email IDENTITY READ_BLOCK";
let as;

for (const algorithm of ["oauth2", "oidc"]) {
  await check(`discovery: ${algorithm}`, async () => {
    as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm }));
    assert.equal(as.authorization_response_iss_parameter_supported, true);
    assert.deepEqual(as.code_challenge_methods_supported, ["S256"]);
  });
}

/** Sends a person to the page; the answer's parameters, checked with `iss` and `state`, and what the exchange needs. */
async function authorize(client, { word, state = oauth.generateRandomState(), nonce, more = {}, parameters } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(as.authorization_endpoint);
  const asked = parameters ?? {
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...(state && { state }),
    ...(nonce && { nonce }),
    ...more,
  };
  url.search = new URLSearchParams({ client_id: client.client_id, ...asked });
  const back = await visit(url, word);
  assert.ok(back.href.startsWith(REDIRECT_URI), back.href);
  assert.equal([...back.searchParams.keys()].at(-1), "iss");
  return { answer: oauth.validateAuthResponse(as, client, back, state || oauth.expectNoState), verifier, back };
}

async function exchange(client, auth, { answer, verifier }, options) {
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, REDIRECT_URI, verifier);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, options);
  return { tokens, response };
}

async function refresh(client, auth, token, options) {
  const response = await oauth.refreshTokenGrantRequest(as, client, auth, token, options);
  return oauth.processRefreshTokenResponse(as, client, response);
}

async function introspect(client, auth, token) {
  const response = await oauth.introspectionRequest(as, client, auth, token);
  return oauth.processIntrospectionResponse(as, client, response);
}

async function revoke(client, auth, token, options) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, options));
}

const confidential = { client_id: CLIENT_ID };
const ways = {
  client_secret_basic: [confidential, oauth.ClientSecretBasic(CLIENT_SECRET)],
  client_secret_post: [confidential, oauth.ClientSecretPost(CLIENT_SECRET)],
  none: [{ client_id: PUBLIC_ID }, oauth.None()],
};

for (const [way, [client, auth]] of Object.entries(ways)) {
  let tokens;
  await check(`${way}: code for tokens, and an ID token whose signature holds`, async () => {
    const nonce = oauth.generateRandomNonce();
    const allowed = await authorize(client, { nonce });
    const got = await exchange(client, auth, allowed, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, got.response);
    tokens = got.tokens;
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.expires_in, 3600);
    assert.deepEqual(tokens.scope.split(" ").sort(), scope.split(" ").sort());
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    assert.equal(claims.aud, client.client_id);
    assert.equal(claims.email, "ada@example.org");
  });
  await check(`${way}: userinfo is of the ID token's subject`, async () => {
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    const response = await oauth.userInfoRequest(as, client, tokens.access_token);
    const info = await oauth.processUserInfoResponse(as, client, sub, response);
    assert.deepEqual([info.name, info.email], ["Ada", "ada@example.org"]);
  });
  await check(`${way}: the token opens the API`, async () => {
    const url = new URL(`${HEDDLE}/external-api/v1/blocks`);
    const response = await oauth.protectedResourceRequest(tokens.access_token, "GET", url);
    assert.equal(response.status, 200);
  });
  await check(`${way}: refresh`, async () => {
    const before = tokens;
    tokens = await refresh(client, auth, before.refresh_token);
    assert.notEqual(tokens.access_token, before.access_token);
    assert.notEqual(tokens.refresh_token, before.refresh_token);
    await failure(oauth.ResponseBodyError, { error: "invalid_grant", status: 400 }, () =>
      refresh(client, auth, before.refresh_token),
    );
  });
  if (way !== "none") {
    await check(`${way}: introspection of either token`, async () => {
      const access = await introspect(client, auth, tokens.access_token);
      assert.equal(access.active, true);
      assert.deepEqual([access.client_id, access.token_type, access.iss], [client.client_id, "Bearer", as.issuer]);
      assert.equal((await introspect(client, auth, tokens.refresh_token)).active, true);
      assert.deepEqual(await introspect(client, auth, "agpt_xt_none"), { active: false });
    });
  }
  await check(`${way}: revoking the access token ends only it`, async () => {
    await revoke(client, auth, tokens.access_token);
    const url = new URL(`${HEDDLE}/external-api/v1/blocks`);
    const error = await failure(oauth.WWWAuthenticateChallengeError, { status: 401 }, () =>
      oauth.protectedResourceRequest(tokens.access_token, "GET", url),
    );
    assert.equal(error.cause[0].scheme, "bearer");
    assert.equal(error.cause[0].parameters.error, "invalid_token");
    tokens = await refresh(client, auth, tokens.refresh_token);
  });
  await check(`${way}: revoking the refresh token ends the family`, async () => {
    await revoke(client, auth, tokens.refresh_token, { additionalParameters: { token_type_hint: "refresh_token" } });
    await failure(oauth.ResponseBodyError, { error: "invalid_grant" }, () => refresh(client, auth, tokens.refresh_token));
    await failure(oauth.WWWAuthenticateChallengeError, { status: 401 }, async () =>
      oauth.processUserInfoResponse(as, client, oauth.skipSubjectCheck, await oauth.userInfoRequest(as, client, tokens.access_token)),
    );
  });
}

const [client, auth] = ways.client_secret_basic;

await check("without state and without openid there is neither in the answer", async () => {
  const allowed = await authorize(client, { state: "", more: { scope: "IDENTITY" } });
  const { tokens } = await exchange(client, auth, allowed);
  assert.equal(tokens.id_token, undefined);
  assert.equal(tokens.scope, "IDENTITY");
});

await check("a pushed request", async () => {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const parameters = {
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "IDENTITY",
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  const response = await oauth.pushedAuthorizationRequest(as, client, auth, parameters);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, response);
  const { answer } = await authorize(client, { state, parameters: { request_uri } });
  await exchange(client, auth, { answer, verifier });
});

for (const [name, expected, options] of [
  ["no from the person", "access_denied", { word: "deny" }],
  ["a scope that the application may not have", "invalid_scope", { more: { scope: "WRITE_GRAPH" } }],
  ["another response type", "unsupported_response_type", { more: { response_type: "token" } }],
  ["no challenge", "invalid_request", { more: { code_challenge: "" } }],
  ["a request object", "request_not_supported", { more: { request: "e30.e30." } }],
]) {
  await check(`authorization refused: ${name}`, () =>
    failure(oauth.AuthorizationResponseError, { error: expected }, () => authorize(client, options)),
  );
}

await check("a wrong secret in a header is challenged, in a body it is an error body", async () => {
  const allowed = await authorize(client);
  await failure(oauth.WWWAuthenticateChallengeError, { status: 401 }, () =>
    exchange(client, oauth.ClientSecretBasic("agpt_secret_wrong"), allowed),
  );
  await failure(oauth.ResponseBodyError, { error: "invalid_client", status: 401 }, () =>
    exchange(client, oauth.ClientSecretPost("agpt_secret_wrong"), allowed),
  );
  await failure(oauth.ResponseBodyError, { error: "invalid_client", status: 401 }, () => exchange(client, oauth.None(), allowed));
  await exchange(client, auth, allowed);
});

await check("a wrong verifier; a code twice, which ends what came of it", async () => {
  const allowed = await authorize(client);
  const wrong = { ...allowed, verifier: oauth.generateRandomCodeVerifier() };
  const refused = { error: "invalid_grant", status: 400 };
  await failure(oauth.ResponseBodyError, refused, () => exchange(client, auth, wrong));
  const { tokens } = await exchange(client, auth, allowed);
  await failure(oauth.ResponseBodyError, refused, () => exchange(client, auth, allowed));
  assert.deepEqual(await introspect(client, auth, tokens.access_token), { active: false });
  await failure(oauth.ResponseBodyError, refused, () => refresh(client, auth, tokens.refresh_token));
});

await check("somebody else's code and token", async () => {
  const [other, none] = ways.none;
  const allowed = await authorize(client);
  await failure(oauth.ResponseBodyError, { error: "invalid_grant" }, () => exchange(other, none, allowed));
  const { tokens } = await exchange(client, auth, allowed);
  await failure(oauth.ResponseBodyError, { error: "invalid_grant" }, () => refresh(other, none, tokens.refresh_token));
});

await check("no more scope at refresh, and less when asked", async () => {
  const { tokens } = await exchange(client, auth, await authorize(client, { more: { scope: "IDENTITY READ_BLOCK" } }));
  const wider = { additionalParameters: { scope: "IDENTITY READ_BLOCK openid" } };
  await failure(oauth.ResponseBodyError, { error: "invalid_scope" }, () => refresh(client, auth, tokens.refresh_token, wider));
  const less = { additionalParameters: { scope: "IDENTITY" } };
  const narrow = await refresh(client, auth, tokens.refresh_token, less);
  assert.equal(narrow.scope, "IDENTITY");
  const url = new URL(`${HEDDLE}/external-api/v1/blocks`);
  const error = await failure(oauth.WWWAuthenticateChallengeError, { status: 403 }, () =>
    oauth.protectedResourceRequest(narrow.access_token, "GET", url),
  );
  assert.equal(error.cause[0].parameters.error, "insufficient_scope");
  assert.equal(error.cause[0].parameters.scope, "READ_BLOCK");
});

await check("an unknown grant type", () =>
  failure(oauth.ResponseBodyError, { error: "unsupported_grant_type", status: 400 }, async () =>
    oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, auth, {})),
  ),
);

await check("an answer with another issuer is refused by the library", async () => {
  const { back } = await authorize(client, { state: "s" });
  back.searchParams.set("iss", "https://evil.example.org");
  assert.throws(() => oauth.validateAuthResponse(as, client, back, "s"), /"iss" \(issuer\)/);
});

done();
