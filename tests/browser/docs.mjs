#!/usr/bin/env node
// The pages of the API's document in a real browser, on a server that stands under a path: every operation is shown, calls are
// tried with a key and by signing in, and nothing is fetched from elsewhere or refused by the pages' own policy.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const installed = join(root, 'target/browser');
const heddle = process.env.HEDDLE ?? join(root, 'target/debug/heddle');
const pictures = join(installed, 'pictures');
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (!chromium) {
  console.log('skipped: 1 (needs Chromium)');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const playwright = createRequire(join(installed, 'package.json'))('playwright-core');
mkdirSync(pictures, { recursive: true });
const PASSWORD = 'a loom with 4 shafts';
const PREFIX = '/tools/heddle';

const folder = mkdtempSync(join(process.env.TMPDIR ?? '/tmp', 'heddle-docs-'));
const run = (words, input) => {
  const done = spawnSync(heddle, [...words, '--data', folder], { input, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout.trim();
};
run(['user', 'create', '--email', 'ada@example.org', '--password-stdin'], PASSWORD);
const key = run(['key', 'create', '--name', 'docs', '--user', 'ada@example.org']);

// The public address has to be known before the server has one.
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const origin = `http://127.0.0.1:${port}`;
const server = spawn(heddle, ['serve', '--data', folder, '--listen', `127.0.0.1:${port}`, '--set', `server.public_url=${origin}${PREFIX}`], { stdio: 'ignore' });
const api = `${origin}${PREFIX}/external-api`;

const browser = await playwright.chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] });
const complaints = [];
const watch = (page) => {
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) complaints.push(`${page.url()} asked ${request.url()}`);
  });
  return page;
};

// Runs one operation in Swagger UI and returns what came back.
const tryIt = async (page, id, fill = async () => {}) => {
  const block = page.locator(`[id$="-${id}"]`).first();
  const isOpen = await block.evaluate((element) => element.classList.contains('is-open'));
  if (!isOpen) await block.locator('.opblock-summary-control').click();
  await fill(block);
  await block.getByRole('button', { name: 'Execute', exact: true }).click();
  const live = block.locator('.live-responses-table');
  await live.waitFor();
  const status = Number.parseInt(await live.locator('tbody .response-col_status').first().textContent(), 10);
  return { status, text: await live.textContent() };
};

try {
  for (const end = Date.now() + 30_000; ; ) {
    const ready = await fetch(`${origin}/readyz`).catch(() => undefined);
    if (ready?.ok) break;
    assert(Date.now() < end, 'the server is not ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const served = await (await fetch(`${api}/v1/openapi.json`)).json();
  const operations = Object.values(served.paths).flatMap((item) => Object.values(item));

  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = watch(await context.newPage());
  await page.goto(`${api}/docs`);
  await page.locator('.opblock').first().waitFor();
  const places = operations.reduce((sum, { tags }) => sum + tags.length, 0);
  assert.equal(await page.locator('.opblock').count(), places, 'every operation is shown under each of its tags');
  await page.screenshot({ path: join(pictures, 'swagger-light-1280.png'), fullPage: true });

  // With a key.
  await page.locator('.auth-wrapper .authorize').first().click();
  const dialog = page.locator('.modal-ux');
  const byKey = dialog.locator('.auth-container', { hasText: 'APIKeyHeader' });
  await byKey.locator('input').fill(key);
  await byKey.getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.locator('.close-modal').click();
  const me = await tryIt(page, 'get_user_info_me_get');
  assert.equal(me.status, 200, me.text);
  assert.match(me.text, /ada@example\.org/);
  const block = await tryIt(page, 'execute_graph_block_blocks__block_id__execute_post');
  assert.equal(block.status, 200, block.text);
  assert.match(block.text, /Hello Ada/);
  const graph = await tryIt(page, 'create_graph_graphs_post');
  assert.equal(graph.status, 201, graph.text);

  // By signing in, as somebody who has no key: a public client, PKCE, a window that comes back by itself.
  const other = watch(await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage());
  await other.goto(`${api}/v1/docs`);
  await other.locator('.auth-wrapper .authorize').first().click();
  const byOAuth = other.locator('.modal-ux .auth-container', { hasText: 'OAuth2' });
  await byOAuth.locator('label[for^="IDENTITY-"]').first().click();
  const opened = other.waitForEvent('popup');
  await byOAuth.locator('button', { hasText: 'Authorize' }).click();
  const popup = watch(await opened);
  await popup.waitForURL('**/login?next=**');
  await popup.getByLabel('E-mail address').fill('ada@example.org');
  await popup.getByLabel('Password').fill(PASSWORD);
  await popup.getByRole('button', { name: 'Sign in', exact: true }).click();
  await popup.waitForURL('**/auth/authorize?**');
  assert.match(popup.url(), /code_challenge_method=S256/);
  assert.match(await popup.textContent('body'), /API pages of this server/);
  await popup.screenshot({ path: join(pictures, 'swagger-consent-light-1280.png'), fullPage: true });
  const closed = popup.waitForEvent('close');
  await popup.getByRole('button', { name: 'Authorize', exact: true }).click();
  await closed;
  await byOAuth.locator('button', { hasText: 'Logout' }).waitFor();
  await other.locator('.modal-ux .close-modal').click();
  const signedIn = await tryIt(other, 'get_user_info_me_get');
  assert.equal(signedIn.status, 200, signedIn.text);
  assert.match(signedIn.text, /ada@example\.org/);
  assert.deepEqual(complaints, []);
  const refused = await tryIt(other, 'list_graphs_graphs_get');
  assert.equal(refused.status, 403, refused.text);
  // The browser says of every refused call that it was refused.
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes('403 (Forbidden)')));

  // ReDoc, at the address of the version and at the one above, also on a phone.
  for (const [path, width] of [['/redoc', 1280], ['/v1/redoc', 390]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(api + path);
    await page.locator('h1', { hasText: served.info.title }).first().waitFor();
    for (const { operationId } of operations) assert.equal(await page.locator(`[id$="operation/${operationId}"]`).count() > 0, true, operationId);
    await page.screenshot({ path: join(pictures, `redoc-light-${width}.png`) });
  }
  assert.deepEqual(complaints, []);
  console.log(`${operations.length} operations in Swagger UI and ReDoc, tried with a key and by signing in`);
} finally {
  if (complaints.length) console.log([...new Set(complaints)].join('\n'));
  await browser.close();
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
