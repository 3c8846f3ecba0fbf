// An application is made; somebody comes from it, signs in, says no, then yes; what it was allowed is taken back.
import assert from 'node:assert/strict';

// RFC 7636, appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** Pages that send people on to an application name its origin among what forms may lead to. */
export const leading = (stage) => (policy) => policy.replace("form-action 'self'", `form-action 'self' ${new URL(stage.callback).origin}`);

export const asked = (stage, clientId, scope) => new URLSearchParams({
  response_type: 'code', client_id: clientId, redirect_uri: stage.callback, scope, state: 's',
  code_challenge: CHALLENGE, code_challenge_method: 'S256',
});

export default async function applications(stage) {
  const { callback, origin } = stage;
  const ada = await stage.member('ada', '/settings/oauth-apps');
  await ada.getByLabel('Name').fill('Looms');
  await ada.getByLabel(/Description/).fill('Weaves what you describe, overnight.');
  await ada.getByLabel('Redirect URIs').fill(callback);
  for (const scope of ['Identity', 'Run Agent', 'Read Run']) await ada.getByLabel(scope, { exact: true }).check();
  await ada.getByLabel(/runs in a browser/).check();
  await ada.getByRole('button', { name: 'Create application' }).click();
  await stage.look(ada, 'app-made');
  const clientId = await ada.locator('#client-id').textContent();
  await ada.getByRole('link', { name: 'I have it' }).click();
  const square = (side) => ada.screenshot({ clip: { x: 0, y: 0, width: side, height: side } });
  const logo = async (side) => {
    const buffer = await square(side);
    await ada.getByLabel('Picture').setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer });
    await ada.getByRole('button', { name: 'Upload' }).click();
  };
  ada.allowed.push('422 (Unprocessable');
  await logo(200);
  await ada.getByText('Logo too small').waitFor();
  await logo(600);
  await ada.waitForURL(/said=saved/);
  const shown = ada.locator('img.logo');
  assert.equal(await shown.evaluate((image) => image.decode().then(() => image.naturalWidth)), 600);
  await stage.look(ada, 'app');
  await stage.visit(ada, '/settings/oauth-apps', 'own-apps');

  const query = asked(stage, clientId, 'IDENTITY RUN_AGENT');
  const fresh = await stage.person();
  await fresh.goto(`${origin}/auth/authorize?${query}`);
  await fresh.waitForURL('**/login?next=**');
  await stage.signIn(fresh, 'ada');
  await fresh.waitForURL('**/auth/authorize?**');
  await stage.visit(fresh, `/auth/authorize?${query}`, 'consent', { policy: leading(stage) });
  await fresh.getByRole('button', { name: 'Deny' }).click();
  await fresh.waitForURL(`${callback}?**`);
  assert.match(stage.answers.pop(), /^\/cb\?error=access_denied&error_description=User\+denied\+access&state=s&iss=/);
  await fresh.goto(`${origin}/auth/authorize?${query}`);
  await fresh.getByRole('button', { name: 'Authorize' }).focus();
  await fresh.keyboard.press('Enter');
  await fresh.waitForURL(`${callback}?**`);
  const code = /^\/cb\?code=([\w-]{43})&state=s&iss=/.exec(stage.answers.pop())?.[1];
  assert(code, 'a code came');
  const grant = { grant_type: 'authorization_code', client_id: clientId, code, redirect_uri: callback, code_verifier: VERIFIER };
  const tokens = await fetch(`${origin}/api/oauth/token`, { method: 'POST', body: new URLSearchParams(grant) });
  const { access_token } = await tokens.json();
  const headers = { authorization: `Bearer ${access_token}` };
  const opens = async () => (await fetch(`${origin}/external-api/v1/me`, { headers })).status;
  assert.equal(await opens(), 200);
  fresh.allowed.push('400 (Bad Request)');
  await stage.visit(fresh, '/auth/authorize?client_id=none', 'authorize-error');

  await stage.visit(ada, '/settings/applications', 'connected');
  await ada.locator('summary', { hasText: 'Revoke' }).click();
  await ada.getByRole('button', { name: 'Revoke access' }).click();
  await ada.waitForURL(/said=grant-revoked/);
  assert.equal(await opens(), 401);
}
