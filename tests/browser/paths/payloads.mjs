// Scripts in every field that is shown somewhere: none of them runs, all of them are shown as they were typed.
import assert from 'node:assert/strict';
import { asking, isSmall } from '../stage.mjs';
import { asked, leading } from './applications.mjs';

const OPENINGS = ['', '"', "'", '">', "'>", '</textarea>', '</title>', '--><', '<!--', ']]>'];
const SCRIPTS = [
  '<script>ran=1</script>', '<img src=x onerror=ran=1>', '<svg onload=ran=1>', '<body onload=ran=1>', ' onfocus=ran=1 autofocus x=',
  '<a href=javascript:ran=1>x', '<details open ontoggle=ran=1>', '<iframe srcdoc="<script>parent.ran=1</script>">', '{{ran=1}}', '<style>@import"//x"</style>',
];
const ALL = OPENINGS.flatMap((opening) => SCRIPTS.map((script) => opening + script));
/** An account has no more applications than a hundred. */
const PAYLOADS = ALL.filter((_, at) => at < 95 && (!isSmall || at % 6 === 0));

export default async function payloads(stage) {
  const ada = await stage.member('ada');
  const operator = await stage.member('root');
  const keys = PAYLOADS.map((text) => [['name', text], ['description', text], ['permissions', 'IDENTITY']]);
  assert.deepEqual(await stage.send(ada, '/settings/api-keys', keys), [200]);
  const apps = PAYLOADS.map((text) => [['name', text], ['description', text], ['redirect_uris', stage.callback], ['scopes', 'IDENTITY'], ['type', 'public']]);
  assert.deepEqual(await stage.send(ada, '/settings/oauth-apps', apps), [200]);
  const kept = PAYLOADS.map((text) => [['type', 'api_key'], ['title', text], ['api_key', 'k']]);
  assert.deepEqual(await stage.send(ada, '/settings/integrations/looms/keep', kept), [303]);
  stage.counts.payloads += 2 * (keys.length + apps.length) + kept.length;
  for (const path of ['/settings/api-keys', '/settings/oauth-apps', '/settings/integrations']) {
    await stage.visit(ada, path);
    const missing = await ada.evaluate((texts) => texts.filter((text) => !document.body.textContent.includes(text)), PAYLOADS);
    assert.deepEqual(missing, [], path);
    await stage.quiet(ada, path);
  }
  await stage.visit(operator, '/admin/applications', 'all-apps');

  const hostile = JSON.parse(stage.command(['app', 'list', '--json']));
  const list = (Array.isArray(hostile) ? hostile : hostile.apps).filter((app) => PAYLOADS.includes(app.name));
  for (const app of list.slice(0, 40)) {
    await stage.visit(ada, `/auth/authorize?${asked(stage, app.client_id, 'IDENTITY')}`, undefined, { policy: leading(stage) });
    assert.equal(await ada.locator('.name').textContent(), app.name);
    await stage.quiet(ada, app.name);
    stage.counts.payloads += 1;
  }
  const stranger = await stage.person();
  stranger.allowed.push('400 (Bad Request)');
  for (const text of isSmall ? PAYLOADS : ALL) {
    const typed = encodeURIComponent(text);
    for (const [path, policy] of [[`/login?email=${typed}&next=${typed}&said=${typed}`, asking], [`/auth/authorize?client_id=${typed}`]]) {
      await stage.visit(stranger, path, undefined, { policy });
      await stage.quiet(stranger, path);
      stage.counts.payloads += 1;
    }
  }
  for (const text of PAYLOADS.slice(0, 30)) {
    await stage.send(ada, '/settings/profile', [[['name', text]]]);
    await stage.visit(ada, '/settings/profile');
    assert.equal(await ada.getByLabel(/^Name/).inputValue(), text.trim());
    await stage.quiet(ada, text);
    stage.counts.payloads += 1;
  }
}
