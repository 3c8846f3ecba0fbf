// A passkey is added with Chromium's own authenticator in software, signs its owner in without a name, and is removed.
import assert from 'node:assert/strict';
import { asking } from '../stage.mjs';

export default async function passkeys(stage) {
  // Browsers have passkeys for names only.
  const origin = stage.origin.replace('127.0.0.1', 'localhost');
  const ada = await stage.member('ada', '/settings/security', origin);
  const device = await ada.context().newCDPSession(ada);
  await device.send('WebAuthn.enable');
  const { authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true, defaultBackupEligibility: true, defaultBackupState: true,
    },
  });
  await ada.getByLabel('Name (optional)').fill('Loom’s phone');
  await ada.getByRole('button', { name: 'Add a passkey' }).click();
  await ada.waitForURL(/said=passkey-added/);
  assert.equal(await ada.getByText('Synced').count(), 1);
  await stage.visit(ada, `${origin}/settings/security`, 'security-passkey', { policy: asking });
  await ada.getByRole('button', { name: 'Add a passkey' }).click();
  await ada.getByText('This device has a passkey for this account already.').waitFor();

  await ada.locator('summary', { hasText: 'Rename' }).click();
  await ada.locator('details[open] input[name=name]').fill('Phone');
  await ada.getByRole('button', { name: 'Save' }).click();
  await ada.waitForURL(/said=saved/);
  await ada.getByText('Phone', { exact: true }).waitFor();

  await ada.getByRole('button', { name: 'Sign out', exact: true }).click();
  await ada.waitForURL(/said=signed-out/);
  await stage.visit(ada, `${origin}/login?next=%2Fsettings%2Fapi-keys`, 'login-passkey', { policy: asking });
  await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await ada.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await ada.getByText('Nothing was chosen, or it took too long.').waitFor();
  await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await ada.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await ada.waitForURL('**/settings/api-keys');
  const { credentials } = await device.send('WebAuthn.getCredentials', { authenticatorId });
  assert.deepEqual([credentials.length, credentials[0].rpId, credentials[0].isResidentCredential], [1, 'localhost', true]);

  await stage.visit(ada, `${origin}/settings/security`, undefined, { policy: asking });
  await ada.locator('summary', { hasText: 'Remove' }).click();
  await ada.getByRole('button', { name: 'Remove passkey' }).click();
  await ada.waitForURL(/said=passkey-removed/);
  await ada.getByRole('button', { name: 'Sign out', exact: true }).click();
  await ada.waitForURL(/said=signed-out/);
  ada.allowed.push('403 (Forbidden)');
  await ada.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await ada.getByText('This passkey does not open any account here.').waitFor();

  // At an address that is a number no passkeys are offered, and the page says why.
  await stage.visit(ada, '/login', undefined, { policy: asking });
  assert.equal(await ada.getByRole('button', { name: 'Sign in with a passkey' }).count(), 0);
}
