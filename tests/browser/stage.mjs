// What every script of this suite stands on: a server with two accounts, Chromium, and what is looked at on each page.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const require = createRequire(join(installed, 'package.json'));
const { chromium: launcher } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const golden = Object.fromEntries(
  readFileSync(join(here, 'headers.txt'), 'utf8').trim().split('\n').map((line) => line.split(/: (.*)/).slice(0, 2)),
);

/** The small size: half the looks, no pictures, every fifth payload. */
export const isSmall = process.env.HEDDLE_BROWSER === 'small';
export const PASSWORD = 'a loom with 4 shafts';
/** What the content security policy of pages says more whose script may ask the server. */
export const asking = (policy) => `${policy}; connect-src 'self'`;

// Chromium's own services find no network here, and must not look for one.
const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function open() {
  const stage = new Stage();
  try {
    await stage.begin();
  } catch (error) {
    await stage.close();
    throw error;
  }
  return stage;
}

const looms = (origin) => `title: Looms
base_url: https://api.looms.example
credentials:
  api_key: {header: X-Key}
  oauth2: {header: Authorization, prefix: "Bearer "}
oauth:
  authorize: ${origin}/authorize
  token: ${origin}/token
  scopes: [read]
  pkce: true
`;

// What that service shows, and what it gives for whatever code.
function serve(request, response) {
  const url = new URL(request.url, 'http://service');
  if (url.pathname === '/token') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: 'at', refresh_token: 'rt', token_type: 'bearer', expires_in: 3600, scope: 'read write' }));
    return;
  }
  response.setHeader('content-type', 'text/html');
  if (url.pathname !== '/authorize') return response.end('');
  const back = (more) => {
    const to = new URL(url.searchParams.get('redirect_uri'));
    to.search = new URLSearchParams({ ...more, state: url.searchParams.get('state') });
    return to.href.replaceAll('&', '&amp;');
  };
  response.end(`<!doctype html><html lang=en><title>Looms</title><a href="${back({ code: 'c' })}">Allow</a> <a href="${back({ error: 'access_denied' })}">Deny</a>`);
}

class Stage {
  complaints = [];
  counts = { pages: 0, pictures: 0, payloads: 0 };
  answers = [];

  async begin() {
    // Where applications have people sent back to.
    this.application = createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => this.application.listen(0, '127.0.0.1', resolve));
    this.callback = `http://127.0.0.1:${this.application.address().port}/cb`;
    // A service where accounts are connected.
    this.service = createServer(serve);
    await new Promise((resolve) => this.service.listen(0, '127.0.0.1', resolve));
    const service = `127.0.0.1:${this.service.address().port}`;
    this.folder = mkdtempSync(join(process.env.TMPDIR ?? '/tmp', 'heddle-browser-'));
    for (const [name, more] of [['ada', []], ['root', ['--admin']]]) {
      this.command(['user', 'create', '--email', `${name}@example.org`, '--password-stdin', ...more], PASSWORD);
    }
    mkdirSync(join(this.folder, 'services'));
    writeFileSync(join(this.folder, 'services/looms.yaml'), looms(`http://${service}`));
    const settings = {
      'auth.signup': 'open', 'connectors.dir': join(this.folder, 'services'), 'providers.looms.client_id': 'us',
      'providers.looms.client_secret': 'hush', 'outbound.allow': service,
    };
    const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const words = ['serve', '--data', this.folder, '--listen', '127.0.0.1:0', ...set];
    this.server = spawn(heddle, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    this.origin = await new Promise((resolve, reject) => {
      const listen = (text) => {
        said += text;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (found) resolve(found[0]);
      };
      this.server.stdout.on('data', listen);
      this.server.stderr.on('data', listen);
      this.server.on('exit', () => reject(new Error(`the server ended: ${said}`)));
    });
    for (const end = Date.now() + 30_000; ; ) {
      const ready = await fetch(`${this.origin}/readyz`).catch(() => undefined);
      if (ready?.ok) break;
      assert(Date.now() < end, `the server is not ready: ${said}`);
    }
    mkdirSync(pictures, { recursive: true });
    this.browser = await launcher.launch({ executablePath: chromium, args: ['--no-sandbox', ...QUIET] });
  }

  answer(request, response) {
    if (request.url.startsWith('/cb')) this.answers.push(request.url);
    response.end('<!doctype html><title>The application</title>');
  }

  /** A command of the server's operator. */
  command(words, input) {
    const done = spawnSync(heddle, [...words, '--data', this.folder], { input, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
  }

  /** Somebody with a browser of his own. `allowed` on the page: texts of console errors that belong there. */
  async person(look = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.allowed = [];
    const complain = (text) => this.complaints.push(`${page.url()}: ${text}`);
    page.on('console', (message) => {
      if (message.type() === 'error' && !page.allowed.some((text) => message.text().includes(text))) complain(message.text());
    });
    page.on('pageerror', complain);
    page.on('dialog', async (dialog) => {
      complain(`a script ran: ${dialog.message()}`);
      await dialog.dismiss();
    });
    return page;
  }

  /** The same, signed in. */
  async member(name, next = '/settings/profile', origin = this.origin) {
    const page = await this.person();
    await page.goto(`${origin}/login?next=${encodeURIComponent(next)}`);
    await this.signIn(page, name);
    await page.waitForURL(`**${next}`);
    return page;
  }

  async signIn(page, name) {
    await page.getByLabel('E-mail address').fill(`${name}@example.org`);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  /** Axe, the width, and that nothing ran. Axe comes from the driver, past the policy of the pages. */
  async check(page, what) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, impact, nodes } of violations) {
      if (['serious', 'critical'].includes(impact)) {
        this.complaints.push(`${what}: axe ${id}: ${nodes.map((node) => node.html).join(' ').slice(0, 300)}`);
      }
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) this.complaints.push(`${what}: ${wide} px wider than the screen`);
    await this.quiet(page, what);
  }

  async quiet(page, what) {
    assert.equal(await page.evaluate(() => globalThis.ran), undefined, what);
  }

  /** Light and dark, wide and narrow, with a picture of each. */
  async look(page, what) {
    this.counts.pages += 1;
    const all = ['light', 'dark'].flatMap((scheme) => [1280, 390].map((width) => [scheme, width]));
    for (const [colorScheme, width] of isSmall ? [all[0], all[3]] : all) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await this.check(page, `${what}, ${colorScheme}, ${width} px`);
      if (isSmall) continue;
      await page.screenshot({ path: join(pictures, `${what}-${colorScheme}-${width}.png`), fullPage: true });
      this.counts.pictures += 1;
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  }

  /** Opens a page, with exactly the headers of headers.txt. */
  async visit(page, path, what, { policy = (same) => same, opener } = {}) {
    const response = await page.goto(path.startsWith('http') ? path : this.origin + path);
    const headers = response.headers();
    for (const [name, value] of Object.entries(golden)) {
      const wanted = name === 'content-security-policy' ? policy(value) : name === 'cross-origin-opener-policy' && opener ? opener : value;
      assert.equal(headers[name], wanted, `${path}: ${name}`);
    }
    if (what) await this.look(page, what);
  }

  /** Forms past the page, with its cookies: the policy lets it fetch nothing. The statuses, each once. */
  async send(page, path, rows) {
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const statuses = new Set();
    for (const row of rows) {
      const sent = await fetch(this.origin + path, { method: 'POST', headers, body: new URLSearchParams(row), redirect: 'manual' });
      statuses.add(sent.status);
    }
    return [...statuses];
  }

  async close() {
    await this.browser?.close();
    this.server?.kill();
    this.application?.close();
    this.application?.closeAllConnections();
    this.service?.close();
    this.service?.closeAllConnections();
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
  }

  said() {
    const { pages, pictures: taken, payloads } = this.counts;
    return `${pages} pages, ${taken} pictures in ${pictures}, ${payloads} payloads: none ran`;
  }
}
