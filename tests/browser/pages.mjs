#!/usr/bin/env node
// The pages in a real browser: each page's main path, axe, no console error, the headers of headers.txt, scripts in every
// shown field, and pictures to look at. Needs Chromium; says `skipped: 1 (needs Chromium)` without it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const installed = join(root, 'target/browser');
const heddle = process.env.HEDDLE ?? join(root, 'target/debug/heddle');
const pictures = join(installed, 'pictures');
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (!chromium) {
  console.log('skipped: 1 (needs Chromium)');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const require = createRequire(join(installed, 'package.json'));
const playwright = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const golden = Object.fromEntries(
  readFileSync(join(here, 'headers.txt'), 'utf8').trim().split('\n').map((line) => line.split(/: (.*)/).slice(0, 2)),
);
const PASSWORD = 'a loom with 4 shafts';

// Where applications have people sent back to.
const answers = [];
const application = createServer((request, response) => {
  if (request.url.startsWith('/cb')) answers.push(request.url);
  response.end('<!doctype html><title>The application</title>');
});
await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
const callback = `http://127.0.0.1:${application.address().port}/cb`;

const folder = mkdtempSync(join(process.env.TMPDIR ?? '/tmp', 'heddle-browser-'));
const run = (words, input) => {
  const done = spawnSync(heddle, [...words, '--data', folder], { input, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
};
for (const [name, more] of [['ada', []], ['root', ['--admin']]]) {
  run(['user', 'create', '--email', `${name}@example.org`, '--password-stdin', ...more], PASSWORD);
}
const server = spawn(heddle, ['serve', '--data', folder, '--listen', '127.0.0.1:0', '--set', 'auth.signup=open'], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
let said = '';
const origin = await new Promise((resolve, reject) => {
  const listen = (text) => {
    said += text;
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
    if (found) resolve(found[0]);
  };
  server.stdout.on('data', listen);
  server.stderr.on('data', listen);
  server.on('exit', () => reject(new Error(`the server ended: ${said}`)));
});
for (const end = Date.now() + 30_000; ; ) {
  const ready = await fetch(`${origin}/readyz`).catch(() => undefined);
  if (ready?.ok) break;
  assert(Date.now() < end, 'the server is not ready');
}

const browser = await playwright.chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] });
const complaints = [];
const counts = { pages: 0, pictures: 0, payloads: 0 };
mkdirSync(pictures, { recursive: true });

const person = async (look = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
  // Axe comes from the driver, past the policy of the pages, which stays in force for everything else.
  const page = await context.newPage();
  page.allowed = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !page.allowed.some((text) => message.text().includes(text))) complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`));
  page.on('dialog', async (dialog) => {
    complaints.push(`${page.url()}: a script ran: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return page;
};
const signIn = async (page, name) => {
  await page.getByLabel('E-mail address').fill(`${name}@example.org`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
};
const check = async (page, what) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, impact, nodes } of violations) {
    if (['serious', 'critical'].includes(impact)) complaints.push(`${what}: axe ${id}: ${nodes.map((node) => node.html).join(' ').slice(0, 300)}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) complaints.push(`${what}: ${wide} px wider than the screen`);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined, what);
};
const look = async (page, what) => {
  counts.pages += 1;
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await check(page, `${what}, ${colorScheme}, ${width} px`);
      await page.screenshot({ path: join(pictures, `${what}-${colorScheme}-${width}.png`), fullPage: true });
      counts.pictures += 1;
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
};
const visit = async (page, path, what, { policy } = {}) => {
  const response = await page.goto(origin + path);
  const headers = response.headers();
  for (const [name, value] of Object.entries(golden)) {
    const wanted = name === 'content-security-policy' && policy ? policy(value) : value;
    assert.equal(headers[name], wanted, `${path}: ${name}`);
  }
  if (what) await look(page, what);
};

try {
  const ada = await person();
  for (const [path, what] of [['/login', 'login'], ['/signup', 'signup'], ['/reset-password', 'reset']]) await visit(ada, path, what);
  await visit(ada, '/settings/oauth-apps');
  await signIn(ada, 'ada');
  await ada.waitForURL('**/settings/oauth-apps');

  // An application is made in the browser, its secret is shown once.
  await look(ada, 'own-apps-empty');
  await ada.getByLabel('Name').fill('Looms');
  await ada.getByLabel(/Description/).fill('Weaves what you describe, overnight.');
  await ada.getByLabel('Redirect URIs').fill(callback);
  for (const scope of ['Identity', 'Run Agent', 'Read Run']) await ada.getByLabel(scope, { exact: true }).check();
  await ada.getByLabel(/runs in a browser/).check();
  await ada.getByRole('button', { name: 'Create application' }).click();
  await look(ada, 'app-made');
  const clientId = await ada.locator('#client-id').textContent();
  await ada.getByRole('link', { name: 'I have it' }).click();
  await look(ada, 'app');
  await visit(ada, '/settings/oauth-apps', 'own-apps');

  // Somebody comes from the application, signs in, says no, then yes.
  const query = new URLSearchParams({
    response_type: 'code', client_id: clientId, redirect_uri: callback, scope: 'IDENTITY RUN_AGENT', state: 's',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  const leads = (policy) => policy.replace("form-action 'self'", `form-action 'self' ${new URL(callback).origin}`);
  const fresh = await person();
  await fresh.goto(`${origin}/auth/authorize?${query}`);
  await fresh.waitForURL('**/login?next=**');
  await signIn(fresh, 'ada');
  await fresh.waitForURL('**/auth/authorize?**');
  await visit(fresh, `/auth/authorize?${query}`, 'consent', { policy: leads });
  await fresh.getByRole('button', { name: 'Deny' }).click();
  await fresh.waitForURL(`${callback}?**`);
  assert.match(answers.pop(), /^\/cb\?error=access_denied&error_description=User\+denied\+access&state=s&iss=/);
  await fresh.goto(`${origin}/auth/authorize?${query}`);
  await fresh.getByRole('button', { name: 'Authorize' }).focus();
  await fresh.keyboard.press('Enter');
  await fresh.waitForURL(`${callback}?**`);
  const code = /^\/cb\?code=([\w-]{43})&state=s&iss=/.exec(answers.pop())?.[1];
  assert(code, 'a code came');
  const tokens = await fetch(`${origin}/api/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: clientId, code, redirect_uri: callback,
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    }),
  });
  const { access_token } = await tokens.json();
  const opens = async () => (await fetch(`${origin}/external-api/v1/me`, { headers: { authorization: `Bearer ${access_token}` } })).status;
  assert.equal(await opens(), 200);
  fresh.allowed.push('400 (Bad Request)');
  await visit(fresh, '/auth/authorize?client_id=none', 'authorize-error');

  await visit(ada, '/settings/applications', 'connected');
  await ada.locator('summary', { hasText: 'Revoke' }).click();
  await ada.getByRole('button', { name: 'Revoke access' }).click();
  await ada.waitForURL(/said=grant-revoked/);
  assert.equal(await opens(), 401);
  for (const [path, what] of [['/settings/profile', 'profile'], ['/settings/api-keys', 'keys'], ['/settings/security', 'security']]) await visit(ada, path, what);

  // A form of another site's is refused, also with the session.
  application.removeAllListeners('request');
  application.on('request', (request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><form method=post action="${origin}/settings/profile"><input name=name value=Eve></form><script>document.forms[0].submit()</script>`);
  });
  const lured = await person();
  lured.allowed.push('403 (Forbidden)', '404 (Not Found)');
  await lured.context().addCookies(await ada.context().cookies());
  await lured.goto(callback);
  await lured.waitForURL(/settings\/profile|login/);
  await visit(ada, '/settings/profile');
  assert.equal(await ada.getByLabel(/^Name/).inputValue(), '');

  const operator = await person();
  await operator.goto(`${origin}/login?next=/admin/accounts`);
  await signIn(operator, 'root');
  await operator.waitForURL('**/admin/accounts');
  for (const [path, what] of [['/admin/applications', 'all-apps'], ['/admin/accounts', 'accounts'], ['/admin/server', 'server']]) await visit(operator, path, what);
  await visit(operator, '/admin/accounts');
  await operator.getByLabel('E-mail address').fill('bob@example.org');
  await operator.getByRole('button', { name: 'Create account' }).click();
  await operator.waitForSelector('#link');

  // Scripts in every field that is shown somewhere.
  const openings = ['', '"', "'", '">', "'>", '</textarea>', '</title>', '--><', '<!--', ']]>'];
  const scripts = [
    '<script>ran=1</script>', '<img src=x onerror=ran=1>', '<svg onload=ran=1>', '<body onload=ran=1>', ' onfocus=ran=1 autofocus x=',
    '<a href=javascript:ran=1>x', '<details open ontoggle=ran=1>', '<iframe srcdoc="<script>parent.ran=1</script>">', '{{ran=1}}', '<style>@import"//x"</style>',
  ];
  const payloads = openings.flatMap((opening) => scripts.map((script) => opening + script));
  // Past the page, whose policy lets it fetch nothing, with its cookies.
  const send = async (page, path, rows) => {
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const statuses = [];
    for (const row of rows) {
      const sent = await fetch(origin + path, { method: 'POST', headers, body: new URLSearchParams(row), redirect: 'manual' });
      statuses.push(sent.status);
    }
    return statuses;
  };
  const keys = payloads.map((text) => [['name', text], ['description', text], ['permissions', 'IDENTITY']]);
  assert.deepEqual([...new Set(await send(ada, '/settings/api-keys', keys))], [200]);
  const apps = payloads.slice(0, 95).map((text) => [['name', text], ['description', text], ['redirect_uris', callback], ['scopes', 'IDENTITY'], ['type', 'public']]);
  assert.deepEqual([...new Set(await send(ada, '/settings/oauth-apps', apps))], [200]);
  counts.payloads += 2 * (keys.length + apps.length);
  for (const path of ['/settings/api-keys', '/settings/oauth-apps']) {
    await visit(ada, path);
    for (const text of payloads.slice(0, 95)) assert(await ada.evaluate((text) => document.body.textContent.includes(text), text), `${path}: ${text}`);
    await check(ada, `${path} with scripts`);
  }
  await visit(operator, '/admin/applications');
  await check(operator, 'all applications with scripts');
  const hostile = JSON.parse(run(['app', 'list', '--json']));
  const list = Array.isArray(hostile) ? hostile : hostile.apps;
  for (const app of list.filter((app) => app.client_id !== clientId).slice(0, 40)) {
    query.set('client_id', app.client_id);
    query.set('scope', 'IDENTITY');
    await visit(ada, `/auth/authorize?${query}`, undefined, { policy: leads });
    assert.equal(await ada.locator('.name').textContent(), app.name);
    assert.equal(await ada.evaluate(() => globalThis.ran), undefined);
    counts.payloads += 1;
  }
  const stranger = await person();
  stranger.allowed.push('400 (Bad Request)');
  for (const text of payloads) {
    for (const path of [`/login?email=${encodeURIComponent(text)}&next=${encodeURIComponent(text)}&said=${encodeURIComponent(text)}`, `/auth/authorize?client_id=${encodeURIComponent(text)}`]) {
      await visit(stranger, path);
      assert.equal(await stranger.evaluate(() => globalThis.ran), undefined, path);
      counts.payloads += 1;
    }
  }
  for (const text of payloads.slice(0, 30)) {
    await send(ada, '/settings/profile', [[['name', text]]]);
    await visit(ada, '/settings/profile');
    assert.equal(await ada.getByLabel(/^Name/).inputValue(), text.trim());
    assert.equal(await ada.evaluate(() => globalThis.ran), undefined, text);
    counts.payloads += 1;
  }
  assert.deepEqual(complaints, []);
  console.log(`${counts.pages} pages, ${counts.pictures} pictures in ${pictures}, ${counts.payloads} payloads: none ran`);
} finally {
  if (complaints.length) console.log([...new Set(complaints)].join('\n'));
  await browser.close();
  server.kill();
  application.close();
  application.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
}
