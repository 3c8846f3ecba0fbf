// An operator makes an account and hands over a link; a form of another site's is refused, also with the session.
import assert from 'node:assert/strict';

export default async function accounts(stage) {
  const operator = await stage.member('root', '/admin/accounts');
  await operator.getByLabel('E-mail address').fill('bob@example.org');
  await operator.getByRole('button', { name: 'Create account' }).click();
  await operator.waitForSelector('#link');
  await stage.look(operator, 'account-made');
  const link = await operator.locator('#link').textContent();
  const bob = await stage.person();
  await stage.visit(bob, link, 'reset-set');
  await bob.getByLabel('New password').fill('another loom of 4 shafts');
  await bob.getByRole('button').last().click();
  await bob.waitForURL(/said=password-set/);

  const ada = await stage.member('ada');
  stage.application.removeAllListeners('request');
  stage.application.on('request', (request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><form method=post action="${stage.origin}/settings/profile"><input name=name value=Eve></form><script>document.forms[0].submit()</script>`);
  });
  const lured = await stage.person();
  lured.allowed.push('403 (Forbidden)', '404 (Not Found)');
  await lured.context().addCookies(await ada.context().cookies());
  await lured.goto(stage.callback);
  await lured.waitForURL(/settings\/profile|login/);
  stage.application.removeAllListeners('request');
  stage.application.on('request', (request, response) => stage.answer(request, response));
  await stage.visit(ada, '/settings/profile');
  assert.equal(await ada.getByLabel(/^Name/).inputValue(), '');
}
