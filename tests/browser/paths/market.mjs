// An agent is published with pictures, reviewed by an operator, found by somebody who is not signed in, added and rated.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const example = join(dirname(fileURLToPath(import.meta.url)), '../../../examples/shopping-list.json');

export default async function market(stage) {
  stage.command(['import', example, '--user', 'ada@example.org']);
  const operator = await stage.member('root', '/admin/marketplace');
  const png = await operator.screenshot({ clip: { x: 0, y: 0, width: 640, height: 360 } });
  const picture = (name) => ({ name, mimeType: 'image/png', buffer: png });

  const ada = await stage.member('ada', '/settings/creator');
  await stage.look(ada, 'creator-empty');
  await ada.getByLabel('Username').fill('ada');
  await ada.getByLabel('Name', { exact: true }).fill('Ada Byron');
  await ada.getByLabel(/About you/).fill('Engines that weave.');
  await ada.getByLabel(/^Links/).fill('https://ada.example.org');
  await ada.getByLabel(/^Picture/).setInputFiles(picture('ada.png'));
  await ada.getByRole('button', { name: 'Save' }).click();
  await ada.waitForURL(/said=saved/);
  await stage.look(ada, 'creator');

  await stage.visit(ada, '/settings/submissions', 'publishing-empty');
  await ada.getByRole('button', { name: 'Publish it' }).click();
  await ada.waitForURL('**/settings/submissions/new?**');
  await ada.getByLabel('Name', { exact: true }).fill('Shopping list');
  await ada.getByLabel('One line about it').fill('From recipes to the till');
  await ada.getByLabel('Description').fill('Adds up what a few recipes need.\n\nIt knows what is in the cupboard.');
  await ada.getByLabel('productivity').check();
  await ada.getByLabel(/Add pictures/).setInputFiles([picture('a.png')]);
  await stage.look(ada, 'publish');
  await ada.getByRole('button', { name: 'Hand in for review' }).click();
  await ada.waitForURL(/said=handed-in/);
  await stage.look(ada, 'submission');

  await stage.visit(operator, '/admin/marketplace', 'review-queue');
  await operator.getByRole('link', { name: 'Shopping list' }).click();
  await operator.waitForURL('**/admin/marketplace/*');
  await stage.look(operator, 'review');
  await operator.getByRole('button', { name: 'Approve' }).click();
  await operator.waitForURL(/said=approved/);
  await operator.getByRole('button', { name: 'Feature it' }).click();
  await operator.waitForURL(/said=saved/);
  await stage.visit(ada, '/settings/submissions', 'publishing');

  const passer = await stage.person();
  await stage.visit(passer, '/marketplace', 'marketplace');
  await passer.getByLabel('Search', { exact: true }).fill('recipe til');
  await passer.keyboard.press('Enter');
  await passer.waitForURL('**/marketplace?q=recipe**');
  await stage.look(passer, 'marketplace-search');
  await passer.getByRole('link', { name: 'Shopping list' }).click();
  await passer.waitForURL('**/marketplace/agents/ada/**');
  await stage.look(passer, 'agent');
  const shown = await passer.locator('.gallery img').first().evaluate((image) => image.complete && image.naturalWidth > 0);
  assert(shown, 'the picture is shown');
  const agent = new URL(passer.url()).pathname;
  await stage.visit(passer, '/marketplace/creators/ada', 'creator-page');
  await stage.visit(passer, '/marketplace/creators', 'creators');
  await stage.visit(passer, '/marketplace?q=nothing-fits', 'marketplace-none');

  await stage.visit(operator, agent);
  await operator.getByRole('button', { name: 'Add to library' }).click();
  await operator.waitForURL(/said=agent-added/);
  await operator.getByLabel('4', { exact: true }).check();
  await operator.getByLabel(/Your review/).fill('Never forgot the salt again.');
  await operator.getByRole('button', { name: 'Rate it' }).click();
  await operator.waitForURL(/said=agent-rated/);
  await stage.look(operator, 'agent-rated');
  await operator.getByRole('link', { name: 'How to run it, and its runs' }).click();
  await operator.waitForURL('**/library/agents/**');
  await stage.look(operator, 'library-agent');
  await stage.visit(operator, '/library', 'library');
  await operator.getByRole('link', { name: 'Shopping list' }).click();
  await operator.getByText('Remove it', { exact: true }).click();
  await operator.getByRole('button', { name: 'Remove from library' }).click();
  await operator.waitForURL(/library\?said=agent-removed/);
}
