// An account is connected in a window that a script opens, and without a script; a key is kept; an application sends somebody
// to the wizard and gets him back.
import assert from 'node:assert/strict';
import { asking } from '../stage.mjs';

const OPENER = 'same-origin-allow-popups';

export default async function integrations(stage) {
  const windows = { policy: asking, opener: OPENER };
  const ada = await stage.member('ada', '/settings/oauth-apps');
  await ada.getByLabel('Name').fill('Night Weaver');
  await ada.getByLabel('Redirect URIs').fill(stage.callback);
  await ada.getByLabel('Identity', { exact: true }).check();
  await ada.getByRole('button', { name: 'Create application' }).click();
  const clientId = await ada.locator('#client-id').textContent();

  // At the service somebody clicks, and its window closes by itself.
  const allow = async (page, button) => {
    const [opened] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: button }).click()]);
    const closed = opened.waitForEvent('close');
    await opened.getByRole('link', { name: 'Allow' }).click();
    await closed;
  };
  await stage.visit(ada, '/settings/integrations', 'integrations-empty');
  await ada.getByLabel('Service').selectOption({ label: 'Looms' });
  await ada.getByRole('button', { name: 'Go on' }).click();
  await stage.visit(ada, '/settings/integrations/add?provider=looms', 'integration-add', windows);
  await allow(ada, 'Connect with Looms');
  await ada.waitForURL(/integrations\?said=connected/);
  await ada.goto(`${stage.origin}/settings/integrations/add?provider=looms`);
  const [refused] = await Promise.all([ada.waitForEvent('popup'), ada.getByRole('button', { name: 'Connect with Looms' }).click()]);
  await refused.getByRole('link', { name: 'Deny' }).click();
  await ada.getByRole('alert').filter({ hasText: 'did not connect' }).waitFor();

  const plain = await stage.person({ javaScriptEnabled: false });
  await plain.context().addCookies(await ada.context().cookies());
  await plain.goto(`${stage.origin}/settings/integrations/add?provider=looms`);
  await plain.getByRole('button', { name: 'Connect with Looms' }).click();
  await plain.getByRole('link', { name: 'Allow' }).click();
  await plain.waitForURL(/integrations\?said=connected/);

  await ada.goto(`${stage.origin}/settings/integrations/add?provider=looms`);
  await ada.getByLabel('Name').fill('Team key');
  await ada.getByLabel('API key').fill('k-1');
  await ada.getByRole('button', { name: 'Keep' }).click();
  await ada.waitForURL(/integrations\?said=kept/);
  await stage.look(ada, 'integrations');
  await stage.visit(ada, '/settings/integrations/add?provider=http', 'integration-headers', windows);
  await stage.visit(ada, '/settings/integrations');
  await ada.locator('summary', { hasText: 'Remove' }).first().click();
  await ada.getByRole('button', { name: 'Remove for good' }).first().click();
  await ada.waitForURL(/said=removed/);

  const wanted = Buffer.from(JSON.stringify([{ provider: 'looms', scopes: ['read', 'write'] }, { provider: 'openai' }])).toString('base64');
  const setup = (more) => `/auth/integrations/setup-wizard?${new URLSearchParams({ ...more, providers: wanted, redirect_uri: stage.callback, state: 's' })}`;
  const home = new URL(stage.callback).origin;
  const leads = (policy) => asking(policy.replace("form-action 'self'", `form-action 'self' ${home}`));
  await stage.visit(ada, setup({ client_id: clientId }), 'wizard', { policy: leads, opener: OPENER });
  assert(await ada.getByRole('button', { name: 'Connect 2 more' }).isDisabled());
  await ada.locator('summary', { hasText: 'API key' }).last().click();
  await ada.getByLabel('Name').last().fill('Models');
  await ada.getByLabel('API key', { exact: true }).last().fill('sk-1');
  await ada.getByRole('button', { name: 'Keep' }).last().click();
  await ada.getByRole('button', { name: 'Connect 1 more' }).waitFor();
  await allow(ada, 'Connect with Looms');
  await ada.getByRole('button', { name: 'Continue' }).waitFor();
  await stage.look(ada, 'wizard-done');
  await ada.getByRole('button', { name: 'Continue' }).click();
  await ada.waitForURL(`${stage.callback}?**`);
  assert.equal(stage.answers.pop(), '/cb?success=true&state=s');

  // Nobody has registered where this one leads.
  await ada.goto(stage.origin + setup({}));
  await ada.getByRole('button', { name: 'Cancel' }).click();
  await stage.look(ada, 'wizard-leave');
  await ada.getByRole('button', { name: 'Go there' }).click();
  await ada.waitForURL(`${stage.callback}?**`);
  const told = '/cb?error=user_cancelled&error_description=User+cancelled+the+integration+setup&state=s&success=false';
  assert.equal(stage.answers.pop(), told);
}
