// openid-client as its documentation shows it, against a real server.

import assert from "node:assert/strict";
import * as client from "openid-client";
import { check, done, failure, visit } from "./hands.mjs";

const { HEDDLE, CLIENT_ID, CLIENT_SECRET, PUBLIC_ID, ES256_ID, ES256_SECRET, REDIRECT_URI } = process.env;
const issuer = new URL(HEDDLE);
const api = new URL(`${HEDDLE}/external-api/v1/me`);

async function signIn(config, { push = false, more = {} } = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: "openid profile email offline_access IDENTITY",
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  };
  const url = push
    ? await client.buildAuthorizationUrlWithPAR(config, parameters)
    : client.buildAuthorizationUrl(config, parameters);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  if (more.max_age) checks.maxAge = Number(more.max_age);
  return client.authorizationCodeGrant(config, await visit(url), checks);
}

const ways = {
  "the default way": [CLIENT_ID, CLIENT_SECRET],
  "a secret in the header": [CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET)],
  "a public client": [PUBLIC_ID, undefined, client.None()],
  "ID tokens with ES256": [ES256_ID, { client_secret: ES256_SECRET, id_token_signed_response_alg: "ES256" }],
};

for (const [way, credentials] of Object.entries(ways)) {
  let config, tokens;
  await check(`${way}: discovery`, async () => {
    config = await client.discovery(issuer, ...credentials);
    client.enableNonRepudiationChecks(config);
  });
  await check(`${way}: sign-in with an ID token that is checked`, async () => {
    tokens = await signIn(config);
    const claims = tokens.claims();
    assert.deepEqual([claims.email, claims.name, claims.iss], ["ada@example.org", "Ada", HEDDLE]);
    assert.ok(claims.exp - claims.iat <= 600);
    assert.equal(tokens.expiresIn() > 3500, true);
  });
  await check(`${way}: userinfo and the API agree`, async () => {
    const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    const me = await (await client.fetchProtectedResource(config, tokens.access_token, api, "GET")).json();
    assert.deepEqual([me.id, me.email], [info.sub, info.email]);
  });
  await check(`${way}: refresh, and the subject stays`, async () => {
    const { sub } = tokens.claims();
    tokens = await client.refreshTokenGrant(config, tokens.refresh_token);
    await client.fetchUserInfo(config, tokens.access_token, sub);
  });
  await check(`${way}: revocation`, async () => {
    await client.tokenRevocation(config, tokens.refresh_token);
    await failure(client.ResponseBodyError, { error: "invalid_grant" }, () =>
      client.refreshTokenGrant(config, tokens.refresh_token),
    );
    await failure(client.WWWAuthenticateChallengeError, { status: 401 }, () =>
      client.fetchUserInfo(config, tokens.access_token, client.skipSubjectCheck),
    );
  });
}

const config = await client.discovery(issuer, CLIENT_ID, CLIENT_SECRET);

await check("introspection", async () => {
  const tokens = await signIn(config);
  const about = await client.tokenIntrospection(config, tokens.access_token);
  assert.deepEqual([about.active, about.client_id, about.sub], [true, CLIENT_ID, tokens.claims().sub]);
});

await check("a pushed request", async () => {
  const tokens = await signIn(config, { push: true });
  assert.equal(tokens.claims().email, "ada@example.org");
});

await check("max_age, with the time of the sign-in in the ID token", async () => {
  const tokens = await signIn(config, { more: { max_age: "3600" } });
  assert.equal(typeof tokens.claims().auth_time, "number");
});

await check("silence is allowed where the person said yes before", async () => {
  const tokens = await signIn(config, { more: { prompt: "none" } });
  assert.equal(tokens.claims().email, "ada@example.org");
});

await check("a wrong secret", async () => {
  const wrong = await client.discovery(issuer, CLIENT_ID, "agpt_secret_wrong");
  await failure(client.ResponseBodyError, { error: "invalid_client", status: 401 }, () => signIn(wrong));
});

done();
